//! The parts of `gateway::rtmp` without I/O.

#[path = "../../../gateway/src/rtmp/aggregate.rs"]
pub mod aggregate;
#[path = "../../../gateway/src/rtmp/chunk/mod.rs"]
pub mod chunk;
#[path = "../../../gateway/src/rtmp/client/mod.rs"]
pub mod client;
#[path = "../../../gateway/src/rtmp/message.rs"]
pub mod message;
