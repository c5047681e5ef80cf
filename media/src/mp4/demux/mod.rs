//! Reads MP4: ordinary files with sample tables in `moov`, and fragmented files.
//!
//! [`Demuxer`] returns the frames of a whole file in memory. For files that are too large for that,
//! [`box_head`], [`Movie`] and [`fragment`] read the parts without media; the caller reads those parts and the
//! samples from its file.

mod boxes;
mod entry;
mod fragment;
mod frames;
mod movie;
mod tables;

pub use boxes::{BoxHead, box_head};
pub(super) use boxes::{children, find, u32_at};
pub use fragment::{MAX_FRAGMENT_SAMPLES, TrackRun, fragment};
pub use frames::Demuxer;
pub use movie::{Movie, MovieTrack};
pub use tables::{MAX_SAMPLES, SampleInfo};
