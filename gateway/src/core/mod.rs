//! Protocol-independent parts: `hub` holds the live streams, `admission` decides which clients may use them,
//! `auth` checks credentials, `client`, `session` and `close` describe clients, their sessions and why they end, `facts`
//! keeps what happened for the operator, `bus` carries messages between the gateways of a cluster. Begin with `hub`.

pub mod admission;
pub mod auth;
pub mod bus;
pub mod client;
pub mod close;
pub mod date;
pub mod facts;
pub mod hub;
pub mod name;
pub mod refusals;
pub mod session;
pub mod text;
