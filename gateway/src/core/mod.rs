//! What knows no protocol: the hub of live streams, and the rules for whoever comes to it.

pub mod auth;
pub mod hub;
pub mod refusals;
