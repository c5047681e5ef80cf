//! The player core.

pub mod pacing;
