//! The messages between a client and a room: JSON, described in `docs/rooms.md` and `docs/rooms.schema.json`.
//!
//! `request` has the messages from clients, `reply` those to clients, `info` the objects in them, and `failure` the errors.

mod failure;
mod info;
mod reply;
mod request;

pub(super) use self::failure::{Code, Failure};
pub(super) use self::info::{ChatMessage, ChatMode, Layout, Live, PersonInfo, Quality, RoomInfo};
pub(super) use self::reply::{Leaving, Message, SeatReason, Welcome};
pub(super) use self::request::{Change, Join, Request};
pub(super) use super::id::Id;

/// The version of the messages.
pub(super) const VERSION: u32 = 1;
