//! Deletes old recordings, and watches the free space of the disk.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::statvfs;

use super::catalog::{RecordState, RecordedFile};
use super::records::Shared;

/// Interval of the checks.
const INTERVAL: Duration = Duration::from_secs(5);

/// Checks ages and sizes from time to time.
#[derive(Debug, Default)]
pub(super) struct Retention {
    checked: Option<Instant>,
    halted: bool,
}

impl Retention {
    /// Deletes what is too old or too much, if it is time to check. Returns whether nothing can be recorded, because
    /// the disk is too full.
    pub(super) fn check(&mut self, shared: &Shared) -> bool {
        if self.checked.is_some_and(|checked| checked.elapsed() < INTERVAL) {
            return self.halted;
        }
        self.checked = Some(Instant::now());
        let settings = shared.settings();
        let mut old =
            shared.catalog.list(|file| file.state == RecordState::Finished && !file.keep).into_iter();
        let mut next = old.next();
        let (_, mut bytes) = shared.catalog.totals();
        let reserve = if self.halted { settings.record_free / 8 } else { 0 };
        let limit = settings.record_free.saturating_add(reserve);
        let full = |free: Option<u64>| free.is_some_and(|free| free < limit);
        let mut free = remove_copies(shared, full);
        while let Some(file) = next.take() {
            let aged = settings.record_keep > 0
                && SystemTime::now()
                    .duration_since(end(&file))
                    .is_ok_and(|age| age.as_secs() > settings.record_keep);
            let many = settings.record_max > 0 && bytes > settings.record_max;
            let needed = full(free) && settings.may_delete() && file.place.local;
            if !(aged || many || needed) {
                if full(free) && settings.may_delete() {
                    // To delete it in the store gives no space here; a later one may.
                    next = old.next();
                    continue;
                }
                break;
            }
            let reason = if aged {
                "age"
            } else if many {
                "size"
            } else {
                "free space"
            };
            match shared.catalog.delete(&file, &shared.queue) {
                Ok(()) => {
                    tracing::info!(stream = %file.stream, file = file.stem, reason, "recording deleted");
                    bytes = bytes.saturating_sub(file.size);
                }
                Err(error) => {
                    tracing::warn!(stream = %file.stream, file = file.stem, %error, "recording not deleted");
                }
            }
            free = free_bytes(shared.catalog.root());
            next = old.next();
        }
        let is_full = full(free);
        self.report(shared, settings.record_free, free, is_full);
        self.halted
    }

    fn report(&mut self, shared: &Shared, limit_bytes: u64, free: Option<u64>, full: bool) {
        let free_bytes = free.unwrap_or(0);
        if full && !self.halted {
            tracing::error!(free_bytes, limit_bytes, "recording stopped: the disk is too full");
        } else if !full && self.halted {
            tracing::info!(free_bytes, "recording continues: the disk has space again");
        }
        self.halted = full;
        metrics::gauge!("lianmai_record_stopped").set(if full { 1.0 } else { 0.0 });
        metrics::gauge!("lianmai_record_stored_bytes").set(shared.catalog.local_bytes() as f64);
        let mut report = shared.report();
        report.free = free;
        report.halted = full.then(|| {
            format!(
                "the disk has {free_bytes} free bytes, fewer than --record-free ({limit_bytes}): nothing is recorded"
            )
        });
    }
}

/// While the disk is too full, deletes files here that are in the store, too: nothing is lost by that. Returns the free
/// bytes.
fn remove_copies(shared: &Shared, full: impl Fn(Option<u64>) -> bool) -> Option<u64> {
    let mut free = free_bytes(shared.catalog.root());
    if !full(free) {
        return free;
    }
    for file in shared.catalog.list(|file| file.place.local && file.place.is_stored()) {
        shared.catalog.remove_local(&file);
        free = free_bytes(shared.catalog.root());
        if !full(free) {
            break;
        }
    }
    free
}

/// Returns when a recording ended.
fn end(file: &RecordedFile) -> SystemTime {
    file.begin + file.duration
}

/// Returns the bytes that are free for this process on the disk of a folder, which may not exist yet.
fn free_bytes(folder: &Path) -> Option<u64> {
    let found = folder.ancestors().find_map(|folder| statvfs(folder).ok())?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}
