//! What is made of a stream once for all who want the same: wire bytes, transcoded audio, reordered video.

pub mod batch;
pub mod derived;
pub mod transcode;
