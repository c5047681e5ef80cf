//! HTTP helpers that all edges share: CORS headers, error responses (`problem`), request parsing and
//! WebSocket.

pub mod endpoint;
pub mod problem;
pub mod request;
pub mod websocket;
