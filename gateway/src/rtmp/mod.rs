//! RTMP for both ends of a connection: chunks, messages, the bytes of a stream, and the client. The server is
//! `edges::rtmp`.

pub mod aggregate;
pub mod chunk;
pub mod client;
pub mod message;
pub mod wire;
