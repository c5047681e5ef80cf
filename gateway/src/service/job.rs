//! Something that reads from or writes to the hub by itself.

use std::future::Future;
use std::pin::Pin;

use super::Greeting;
use crate::context::Context;

/// A run of a job. It ends well when there is nothing more to do, or the gateway stops.
pub type Run = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// A part of the gateway that feeds or drains the hub, without a socket that others connect to.
pub trait Job: Send + Sync {
    /// What it does, in one word: `demo`.
    fn kind(&self) -> &'static str;

    /// What it does it with: the name of a stream, or an address without its secrets.
    fn target(&self) -> String;

    /// Begins to run. It may be called again after a run has ended.
    fn run(&self, context: &Context) -> Run;

    /// Adds its lines to the text that is printed at the start.
    fn greet(&self, greeting: &mut Greeting) {
        let _ = greeting;
    }
}
