//! The gateway's protocols without the rest of the gateway: its web server takes many minutes to build with a
//! sanitizer, and is not fuzzed.
#![cfg(not(test))]
#![allow(dead_code)]

pub mod http;
pub mod rooms;
pub mod rtc;
pub mod rtmp;

pub mod core {
    pub mod auth;
    #[path = "../../../../gateway/src/core/client.rs"]
    pub mod client;
    pub mod hub;
    #[path = "../../../../gateway/src/core/name.rs"]
    pub mod name;
    #[path = "../../../../gateway/src/core/text.rs"]
    pub mod text;
}

pub mod derive {
    pub mod transcode;
}

pub mod edges {
    pub mod flv;
    pub mod rtmp;
    pub mod udp;
    pub mod webrtc;
}
