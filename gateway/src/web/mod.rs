//! What all HTTP edges share.

pub mod cors;
pub mod problem;
pub mod request;
pub mod websocket;
