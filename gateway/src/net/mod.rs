//! Threads, sockets and TLS.

pub mod tls;
pub mod wake;
pub mod worker;
