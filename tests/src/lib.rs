//! Shared by the tests: starts and stops real servers and clients.
//!
//! Everything listens on 127.0.0.1 with a port that the system chooses, writes into its own folder below
//! cargo's target folder, and ends when its value is dropped. Nothing sleeps for a fixed time:
//! [`wait::until`] waits for a condition and panics with an explanation after a timeout.
//!
//! The functions panic instead of returning errors, because tests would panic anyway.
#![allow(clippy::unwrap_used, reason = "this is test code")]

pub mod clip;
pub mod flv;
pub mod gateway;
pub mod http;
pub mod nats;
pub mod nats_client;
pub mod nkey;
pub mod object_store;
pub mod ogg;
pub mod packets;
pub mod player;
pub mod process;
pub mod proxy;
pub mod publisher;
pub mod random;
pub mod relay;
pub mod room;
pub mod rtc;
pub mod rtmp;
pub mod site;
pub mod tls;
pub mod wait;
pub mod ws;

pub use clip::{Clip, Plain};
pub use gateway::Gateway;
pub use nats::Nats;
pub use nats_client::NatsClient;
pub use object_store::ObjectStore;
pub use process::Process;
pub use room::RoomClient;
