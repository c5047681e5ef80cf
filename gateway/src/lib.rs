//! The Lianmai gateway: a hub of live streams, and one edge per protocol around it.

pub mod hub;
