//! Settings of recordings.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::pattern::Pattern;
use crate::flags;

/// Settings of recordings.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct RecordSettings {
    /// Streams to record, such as `live/x`; `*` stands for any characters but a slash: live/*
    #[arg(
        long,
        env = "LIANMAI_RECORD",
        value_name = "STREAM",
        value_delimiter = ',',
        help_heading = "Record"
    )]
    pub record: Vec<Pattern>,

    /// Seconds after which a recording is deleted; 0: never
    #[arg(
        long,
        env = "LIANMAI_RECORD_KEEP",
        value_name = "SECONDS",
        default_value_t = 0,
        help_heading = "Record"
    )]
    pub record_keep: u64,

    /// Bytes of all recordings, beyond which the oldest are deleted; 0: no limit
    #[arg(
        long,
        env = "LIANMAI_RECORD_MAX",
        value_name = "BYTES",
        default_value_t = 0,
        help_heading = "Record"
    )]
    pub record_max: u64,

    /// Bytes that stay free on the disk: below this, the oldest recordings are deleted if record_keep or record_max
    /// allows to delete, and else recording stops; 0: no limit
    #[arg(long, env = "LIANMAI_RECORD_FREE", value_name = "BYTES", default_value_t = 2 << 30, help_heading = "Record")]
    pub record_free: u64,
}

impl Default for RecordSettings {
    fn default() -> Self {
        flags::defaults()
    }
}

impl RecordSettings {
    /// Returns whether old recordings may be deleted.
    pub(super) const fn may_delete(&self) -> bool {
        self.record_keep > 0 || self.record_max > 0
    }
}
