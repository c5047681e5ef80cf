//! What WebRTC connections of clients and those to other servers share: codecs and DTLS for str0m.

pub(crate) mod codecs;
pub(crate) mod dtls;
