//! Named live streams.
