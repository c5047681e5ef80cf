//! Derived streams: wire bytes, transcoded audio and re-encoded video, made once per stream for all viewers who need
//! them.

pub mod batch;
pub mod derived;
pub mod transcode;
