//! (module hls)
