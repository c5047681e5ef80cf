//! The interface of jobs, which read from or write to the hub.

use std::future::Future;
use std::pin::Pin;

use super::Greeting;
use crate::context::Context;

/// A run of a job. It returns `Ok` when the work is complete or the gateway stops.
pub type Run = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// A part of the gateway that feeds or drains the hub, without a listening socket.
pub trait Job: Send + Sync {
    /// Returns the kind of job in one word, such as `demo`.
    fn kind(&self) -> &'static str;

    /// Returns the stream or the address (without secrets) that the job works on.
    fn target(&self) -> String;

    /// Starts a run. May be called again after a run has ended.
    fn run(&self, context: &Context) -> Run;

    /// Adds its lines to the text that is printed at the start.
    fn greet(&self, greeting: &mut Greeting) {
        let _ = greeting;
    }
}
