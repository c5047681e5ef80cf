//! Network threads, sockets, TLS and child processes. `worker` accepts connections and assigns each to a thread,
//! `wake` wakes the readers on a thread, `tls` manages certificates, `child` runs programs such as ffmpeg.

pub mod child;
pub mod outgoing;
pub mod proxies;
pub mod tls;
pub mod wake;
pub mod worker;
