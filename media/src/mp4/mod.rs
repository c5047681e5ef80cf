//! (module mp4)
