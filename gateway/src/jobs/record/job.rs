//! The recorder as a job.

use std::sync::Arc;
use std::thread;

use tokio::sync::oneshot;

use super::recorder;
use super::records::Shared;
use crate::context::Context;
use crate::service::{Job, Run};

/// The job that records streams. It runs on threads of its own.
#[derive(Debug)]
pub(super) struct RecordJob(Arc<Shared>);

impl RecordJob {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}

/// Lets the threads end when the run is dropped.
struct StopOnDrop(Arc<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Job for RecordJob {
    fn kind(&self) -> &'static str {
        "record"
    }

    fn target(&self) -> String {
        let patterns: Vec<String> = self.0.settings().record.iter().map(ToString::to_string).collect();
        patterns.join(",")
    }

    fn run(&self, context: &Context) -> Run {
        let (shared, hub) = (self.0.clone(), context.hub.clone());
        Box::pin(async move {
            shared.restart().await;
            let _guard = StopOnDrop(shared.clone());
            let (done, ended) = oneshot::channel();
            let cannot = |error: std::io::Error| format!("cannot start a thread: {error}");
            let (queue, running) = (shared.clone(), shared.thread());
            let finish = move || {
                let _running = running;
                recorder::finish_all(&queue);
            };
            thread::Builder::new().name("record-finish".to_owned()).spawn(finish).map_err(cannot)?;
            let running = shared.thread();
            let run = move || {
                let _running = running;
                let _ = done.send(recorder::run(&shared, &hub));
            };
            thread::Builder::new().name("record".to_owned()).spawn(run).map_err(cannot)?;
            ended.await.unwrap_or_else(|_| Err("the thread of the recorder failed".to_owned()))
        })
    }
}
