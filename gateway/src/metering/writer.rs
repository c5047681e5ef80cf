//! The thread that writes the log. A slow disk delays nothing else.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Instant, SystemTime};

use tokio::sync::oneshot;

use super::line::{Line, millis};
use super::{CHECKPOINT, Health, checkpoint};
use crate::core::date::Date;
use crate::core::hub::Clients;

/// Ending of the files.
pub(super) const ENDING: &str = ".jsonl";
/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// A command to the thread.
#[derive(Debug)]
pub(super) enum Command {
    /// Writes a line.
    Write(Box<Line>),
    /// Writes everything, removes the checkpoint and ends.
    Finish(oneshot::Sender<()>),
}

/// The state of the thread.
pub(super) struct Writer {
    folder: PathBuf,
    keep_days: u64,
    run: String,
    clients: Clients,
    health: Arc<Health>,
    /// The open file and its date.
    open: Option<(Date, File)>,
    /// Whether the file may end within a line, because a write has failed.
    torn: bool,
}

impl Writer {
    pub(super) fn new(
        folder: PathBuf,
        keep_days: u64,
        run: String,
        clients: Clients,
        health: Arc<Health>,
    ) -> Self {
        Self { folder, keep_days, run, clients, health, open: None, torn: true }
    }

    /// Handles commands until the log is dropped or finished.
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        self.recover();
        self.remove_old();
        let mut next = Instant::now() + CHECKPOINT;
        loop {
            match commands.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(Command::Write(line)) => self.write(&line),
                Ok(Command::Finish(done)) => {
                    checkpoint::remove(&self.folder);
                    // The gateway may not wait any more.
                    let _ = done.send(());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if Instant::now() >= next {
                self.checkpoint();
                next = Instant::now() + CHECKPOINT;
            }
        }
    }

    /// Appends a line to the file of the day on which the session ended.
    fn write(&mut self, line: &Line) {
        let written = self.append(line);
        if let Err(error) = &written {
            self.open = None;
            self.torn = true;
            self.health.lose();
            if self.health.set(Some(error.to_string())) {
                let folder = self.folder.display();
                tracing::warn!(%folder, %error, "sessions not logged; further losses are only counted");
            }
        } else if self.health.set(None) {
            tracing::info!("sessions are logged again");
        }
    }

    fn append(&mut self, line: &Line) -> io::Result<()> {
        let date = Date::of_millis(line.to_ms);
        if self.open.as_ref().is_none_or(|(open, file)| *open != date || is_removed(file)) {
            self.open = Some((date, open(&self.folder, date)?));
            self.torn = true;
            self.remove_old();
        }
        let Some((_, file)) = &mut self.open else { return Ok(()) };
        let mut text = line.text();
        if std::mem::take(&mut self.torn) && !ends_a_line(file)? {
            text.insert(0, b'\n');
        }
        file.write_all(&text)
    }

    /// Writes the running sessions to the checkpoint file.
    fn checkpoint(&self) {
        let now = SystemTime::now();
        let running = self.clients.list();
        let lines = running.iter().map(|client| Line::running(&self.run, client, now));
        if let Err(error) = make_folder(&self.folder).and_then(|()| checkpoint::write(&self.folder, lines))
            && self.health.set(Some(error.to_string()))
        {
            let folder = self.folder.display();
            tracing::warn!(%folder, %error, "running sessions not saved");
        }
    }

    /// Moves the sessions of a run that was killed to the log.
    fn recover(&mut self) {
        let lines = checkpoint::recover(&self.folder);
        let count = lines.len();
        lines.iter().for_each(|line| self.write(line));
        if self.health.fault.lock().is_ok_and(|fault| fault.is_none()) {
            checkpoint::remove(&self.folder);
        }
        if count > 0 {
            tracing::info!(count, "sessions recovered of a run that ended without notice");
        }
    }

    /// Removes the files of days that are too old.
    fn remove_old(&self) {
        let now = millis(SystemTime::now());
        let oldest = format!("{}{ENDING}", Date::of_millis(now.saturating_sub(self.keep_days * DAY)));
        for name in super::reader::names(&self.folder).into_iter().filter(|name| **name < *oldest) {
            if let Err(error) = fs::remove_file(self.folder.join(&name)) {
                tracing::warn!(name, %error, "old session log not removed");
            }
        }
    }
}

pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn open(folder: &Path, date: Date) -> io::Result<File> {
    make_folder(folder)?;
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true).mode(0o600);
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32);
    options.open(folder.join(format!("{date}{ENDING}")))
}

/// Returns whether somebody has removed the open file.
fn is_removed(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().map_or(true, |found| found.nlink() == 0)
}

/// Returns whether the file is empty or ends with a line end.
fn ends_a_line(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::FileExt as _;
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.read_exact_at(&mut last, length - 1)?;
    Ok(last[0] == b'\n')
}
