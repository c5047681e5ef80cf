//! The Lianmai gateway: a hub of live streams, and one edge per protocol around it.

pub mod auth;
pub mod batch;
pub mod config;
pub mod edge;
pub mod hub;
pub mod problem;
pub mod rtmp;
pub mod worker;
