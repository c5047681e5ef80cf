//! The gateway's protocols without the gateway: its web server under a sanitizer takes many minutes
//! to build, and none of it is fuzzed.
#![allow(dead_code)]

pub mod http;

pub mod core {
    pub mod auth;
    pub mod hub;
}

pub mod derive {
    pub mod transcode;
}

pub mod edges {
    pub mod flv;
    pub mod rtmp;
    pub mod stun;
    pub mod webrtc;
}
