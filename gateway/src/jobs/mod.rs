//! What feeds or drains the hub without a listening socket.
//!
//! A job is one folder with a [`Job`](crate::service::Job), and one line in `serve/services.rs`. The [`Jobs`] run it,
//! start it again after it failed, and list it in the API.

pub mod demo;
mod supervisor;
#[cfg(test)]
mod tests;

pub use supervisor::{Info, Jobs, State, Unknown};
