//! `gateway::rtc`: what WebRTC connections of clients and servers share.

#[path = "../../../gateway/src/rtc/dtls/mod.rs"]
pub mod dtls;
