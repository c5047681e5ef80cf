//! The gateway's protocols without the gateway: its web server under a sanitizer takes many minutes
//! to build, and none of it is fuzzed.
#![allow(dead_code)]

pub mod auth;
pub mod flv;
pub mod http;
pub mod hub;
pub mod rtmp;
pub mod stun;
pub mod transcode;
pub mod webrtc;
