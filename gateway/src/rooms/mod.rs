//! Rooms (连麦): two to ten participants who talk to each other, and everybody else who watches.
//!
//! `docs/rooms.md` describes the messages. A room's participants publish ordinary streams: the application is the room,
//! the stream is the participant. Start reading at [`state`], the rules without clock and socket. `registry` holds all
//! rooms and delivers their messages; `socket` serves one client, `credentials` decides its role, and `sig` serves the
//! pages of SRS. `guard` is a part of admission: it lets participants publish and play with their seat keys (`pass`).
//! `watch` follows the hub, and `list` is the HTTP API.

mod chat_log;
mod credentials;
mod guard;
mod id;
mod list;
mod message;
mod pass;
mod registry;
mod role;
mod room_cell;
mod service;
mod settings;
mod sig;
mod socket;
mod state;
mod text;
mod watch;

pub use service::RoomsService;
pub use settings::RoomsSettings;
