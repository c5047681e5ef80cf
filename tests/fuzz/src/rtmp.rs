//! `gateway::rtmp`, the parts without I/O.

#[path = "../../../gateway/src/rtmp/address.rs"]
pub mod address;
#[path = "../../../gateway/src/rtmp/chunk.rs"]
pub mod chunk;
#[path = "../../../gateway/src/rtmp/ingest.rs"]
pub mod ingest;
#[path = "../../../gateway/src/rtmp/message.rs"]
pub mod message;
#[path = "../../../gateway/src/rtmp/session/mod.rs"]
pub mod session;
