//! RTMP for both ends of a connection: chunks, messages and the bytes of a stream. The server is
//! `edges::rtmp`.

pub mod aggregate;
pub mod chunk;
pub mod message;
pub mod wire;
