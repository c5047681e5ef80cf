//! Rooms (连麦): two to ten participants talk to each other, and everybody else watches.
//!
//! `docs/rooms.md` describes the messages. The participants of a room publish ordinary streams `ROOM/PARTICIPANT`: the
//! application is the room's name, and the last segment is the participant's identifier.
//!
//! Start reading at [`state`], which contains the rules of a room and does no I/O. `registry` holds all rooms, and
//! `room_cell` joins a room to its clients, and `delivery` brings them its messages. `socket` serves one client,
//! `credentials` decides the client's role, and `sig` serves the pages of SRS. `guard` takes part in admission: it lets
//! participants publish and play with their seat keys, which `pass` signs. `watch` passes events of the hub to the
//! rooms, and `list` is the HTTP API.

mod chat_log;
mod credentials;
mod delivery;
mod guard;
mod id;
mod list;
mod live;
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
#[cfg(test)]
mod tests;
mod text;
mod watch;

pub use service::RoomsService;
pub use settings::RoomsSettings;
