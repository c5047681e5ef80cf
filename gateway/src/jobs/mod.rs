//! Jobs feed or drain the hub without a listening socket.
//!
//! A job is one folder with a [`Job`](crate::service::Job), and one line in `serve/services.rs`. [`Jobs`]
//! runs the jobs, restarts them after failures, and lists them in the API. `supervisor` does the work; `demo`
//! is an example of a job.

pub mod demo;
pub mod forward;
pub mod mix;
pub mod pull;
pub mod record;
pub mod slate;
mod supervisor;
#[cfg(test)]
mod tests;

pub use supervisor::{JobInfo, JobState, Jobs, UnknownJob};
