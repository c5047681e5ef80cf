//! A segment as a store keeps it and a playlist lists it.

use std::sync::Arc;

use media::time::Micros;

use super::lent::Data;

/// One segment, and its place.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) sequence: u64,
    pub(super) duration: Micros,
    pub(super) discontinuity: bool,
    /// Discontinuities up to this one's begin, its own included.
    pub(super) discontinuities: u64,
    /// µs since 1970 of its first frame.
    pub(super) date: Micros,
    /// MPEG-TS.
    pub(super) data: Arc<Data>,
}
