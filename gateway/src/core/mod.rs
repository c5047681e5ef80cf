//! Everything that knows no protocol: the hub of live streams, and the rules for its clients.

pub mod admission;
pub mod auth;
pub mod client;
pub mod close;
pub mod hub;
pub mod name;
pub mod refusals;
