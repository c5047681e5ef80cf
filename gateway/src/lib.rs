//! The Lianmai gateway: a hub of live streams, and one edge per protocol around it.

pub mod api;
pub mod context;
pub mod core;
pub mod derive;
pub mod edges;
pub mod flags;
pub mod http;
pub mod jobs;
pub mod limits;
pub mod log;
pub mod metrics;
pub mod net;
pub mod secret_file;
pub mod serve;
pub mod service;
pub mod settings;
pub mod web;
