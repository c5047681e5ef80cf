//! The parts of `gateway::edges::rtmp` without I/O.

#[path = "../../../../gateway/src/edges/rtmp/address.rs"]
pub mod address;
#[path = "../../../../gateway/src/edges/rtmp/ingest/mod.rs"]
pub mod ingest;
#[path = "../../../../gateway/src/edges/rtmp/session/mod.rs"]
pub mod session;
