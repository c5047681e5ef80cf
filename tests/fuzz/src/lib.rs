//! The gateway's protocols without the gateway: its web server under a sanitizer takes many minutes
//! to build, and none of it is fuzzed.
#![allow(dead_code)]

pub mod hub;
pub mod rtmp;
pub mod webrtc;
