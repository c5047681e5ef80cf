//! Network threads, sockets and TLS. `worker` accepts connections and assigns each to a thread, `wake` wakes
//! the readers on a thread, `tls` manages certificates.

pub mod tls;
pub mod wake;
pub mod worker;
