//! What all HTTP edges share.

pub mod endpoint;
pub mod problem;
pub mod request;
pub mod websocket;
