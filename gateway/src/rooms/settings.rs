//! Settings of rooms.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags;

/// Settings of rooms.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct RoomsSettings {
    /// Maximum number of rooms at the same time; 0: no rooms
    #[arg(long, env = "LIANMAI_MAX_ROOMS", value_name = "N", default_value_t = 200, help_heading = "Rooms")]
    pub max_rooms: usize,

    /// Seats of a room: the maximum number of participants who publish at the same time
    #[arg(long, env = "LIANMAI_ROOM_SEATS", value_name = "N", default_value_t = 10, help_heading = "Rooms")]
    pub room_seats: usize,

    /// Write the chat of every room into the folder `chat` of the data folder, as JSON lines, a file per room and day
    #[arg(long, env = "LIANMAI_CHAT_LOG", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = flags::switch(),
          help_heading = "Rooms")]
    pub chat_log: bool,
}

impl Default for RoomsSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
