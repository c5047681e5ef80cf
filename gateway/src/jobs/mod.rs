//! What feeds or drains the hub without a listening socket.

pub mod demo;
