//! The Lianmai gateway: a hub of live streams, and one edge per protocol around it.

pub mod api;
pub mod auth;
pub mod batch;
pub mod config;
pub mod demo;
pub mod edge;
pub mod flv;
pub mod hls;
pub mod http;
pub mod hub;
pub mod log;
pub mod metrics;
pub mod problem;
pub mod refusals;
pub mod rtmp;
pub mod secret_file;
pub mod serve;
pub mod tls;
pub mod transcode;
pub mod webrtc;
pub mod worker;
