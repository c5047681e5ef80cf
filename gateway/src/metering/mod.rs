//! The session log: a JSON line for each client that has published or played, in one file per day.
//!
//! Start reading at [`SessionLog`]. `line` is the JSON, `writer` the thread that writes it, `reader` answers the API.
//! Running sessions are written to a checkpoint file every 10 s. If the process is killed, the next start moves them to
//! the log.

mod checkpoint;
mod line;
mod reader;
mod service;
mod settings;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use self::line::Line;
pub use self::reader::{MAX_LIMIT, SessionQuery};
pub use self::service::{LateSessionLog, MeteringService};
pub use self::settings::MeteringSettings;
use self::writer::{Command, Writer};
use crate::core::hub::Clients;
use crate::core::session::{ClientSession, Observer, SessionEnd};

/// Maximum number of ended sessions that wait to be written. Further ones are lost and counted.
pub const MAX_WAITING: usize = 10_000;
/// Interval between checkpoints of the running sessions: at most this much is lost if the process is killed.
pub const CHECKPOINT: Duration = Duration::from_secs(10);

/// What the log and its thread share.
#[derive(Debug, Default)]
struct Health {
    /// Number of lines that were lost.
    lost: AtomicU64,
    /// Why the last write failed, while writes fail.
    fault: Mutex<Option<String>>,
}

/// The content of [`SessionLog`].
#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    run: String,
    queue: SyncSender<Command>,
    health: Arc<Health>,
}

/// The log of ended sessions. Cloning shares it.
#[derive(Debug, Clone)]
pub struct SessionLog(Arc<Inner>);

impl SessionLog {
    /// Starts the thread that writes to the folder `sessions` of the data folder. `run` names this run of the gateway.
    ///
    /// # Errors
    /// The system provides no thread.
    pub fn start(data: &Path, keep_days: u64, run: &str, clients: &Clients) -> std::io::Result<Self> {
        let (queue, commands) = mpsc::sync_channel(MAX_WAITING);
        let (folder, health) = (data.join("sessions"), Arc::new(Health::default()));
        let writer = Writer::new(folder.clone(), keep_days, run.to_owned(), clients.clone(), health.clone());
        std::thread::Builder::new().name("sessions".to_owned()).spawn(move || writer.run(&commands))?;
        Ok(Self(Arc::new(Inner { folder, run: run.to_owned(), queue, health })))
    }

    /// Returns the lines that match, newest first. Reads files, so call it outside network threads.
    pub fn read(&self, query: &SessionQuery) -> Vec<serde_json::Value> {
        reader::read(&self.0.folder, query)
    }

    /// Returns the number of lines that were lost, and why the last write failed, while writes fail.
    pub fn health(&self) -> (u64, Option<String>) {
        let fault = self.0.health.fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (self.0.health.lost.load(Ordering::Relaxed), fault)
    }

    /// Resolves when all lines are written: the gateway ends.
    pub async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        if self.0.queue.try_send(Command::Finish(done)).is_ok() {
            // The thread may have ended.
            let _ = finished.await;
        }
    }
}

impl Observer for SessionLog {
    fn ended(&self, session: &Arc<ClientSession>, end: &SessionEnd<'_>) {
        let line = Line::new(&self.0.run, session, end, SystemTime::now());
        match self.0.queue.try_send(Command::Write(Box::new(line))) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => self.0.health.lose(),
        }
    }
}

impl Health {
    fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("lianmai_session_lines_lost_total").increment(1);
    }

    /// Records whether writes work. Returns whether that is news.
    fn set(&self, fault: Option<String>) -> bool {
        let mut current = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let news = current.is_some() != fault.is_some();
        *current = fault;
        news
    }
}
