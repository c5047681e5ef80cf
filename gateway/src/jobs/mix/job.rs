//! A mix as a job.

use std::sync::Arc;
use std::thread;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;

use super::control::Control;
use super::mixer::{self, Setup};
use super::settings::MixSettings;
use crate::context::Context;
use crate::service::{Job, Run};

/// A mix. Each run has a thread of its own, so that no network thread composes pictures.
#[derive(Debug)]
pub(super) struct MixJob {
    control: Arc<Control>,
    settings: Arc<MixSettings>,
}

impl MixJob {
    pub(super) const fn new(control: Arc<Control>, settings: Arc<MixSettings>) -> Self {
        Self { control, settings }
    }
}

impl Job for MixJob {
    fn kind(&self) -> &'static str {
        "mix"
    }

    fn target(&self) -> String {
        self.control.request().output.clone()
    }

    fn run(&self, context: &Context) -> Run {
        let stop = CancellationToken::new();
        let setup = Setup {
            hub: context.hub.clone(),
            control: self.control.clone(),
            settings: self.settings.clone(),
            stop: stop.clone(),
        };
        Box::pin(async move {
            // The thread ends with this future.
            let _guard = stop.drop_guard();
            let (done, ended) = oneshot::channel();
            let run = move || {
                let _ = done.send(on_this_thread(setup));
            };
            let thread = thread::Builder::new().name("mix".to_owned()).spawn(run);
            thread.map_err(|error| format!("cannot start the thread of the mix: {error}"))?;
            ended.await.unwrap_or_else(|_| Err("the thread of the mix failed".to_owned()))
        })
    }
}

fn on_this_thread(setup: Setup) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start the runtime of the mix: {error}"))?;
    LocalSet::new().block_on(&runtime, mixer::run(setup))
}
