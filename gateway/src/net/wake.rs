//! Wakes all readers of a ring with one message per worker.
//!
//! Waking a task on another thread costs a system call, which a publisher must not pay once per viewer. So
//! each worker has a mailbox: the publisher posts the ring's group there, and the worker wakes its own
//! readers, which is cheap.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, mpsc};

/// The readers of one ring on one worker.
#[derive(Debug)]
pub struct ReaderGroup {
    readers: Notify,
    /// Whether the group is in its worker's mailbox.
    posted: AtomicBool,
    mailbox: Option<Mailbox>,
}

#[derive(Debug, Clone)]
struct Mailbox {
    worker: u64,
    groups: mpsc::UnboundedSender<Arc<ReaderGroup>>,
}

thread_local! {
    static MAILBOX: RefCell<Option<Mailbox>> = const { RefCell::new(None) };
}

/// Makes the current thread a worker: its waiting readers are woken through one mailbox.
///
/// Call it once per thread, inside that thread's current-thread runtime.
pub fn join_worker() {
    static WORKERS: AtomicU64 = AtomicU64::new(0);
    let (groups, mut inbox) = mpsc::unbounded_channel::<Arc<ReaderGroup>>();
    let mailbox = Mailbox { worker: WORKERS.fetch_add(1, Ordering::Relaxed), groups };
    MAILBOX.set(Some(mailbox));
    tokio::spawn(async move {
        while let Some(group) = inbox.recv().await {
            group.posted.store(false, Ordering::Release);
            group.readers.notify_waiters();
        }
    });
}

impl ReaderGroup {
    /// Resolves at the next wake after the future was enabled.
    pub fn notified(&self) -> tokio::sync::futures::Notified<'_> {
        self.readers.notified()
    }

    fn wake(self: &Arc<Self>, here: Option<u64>) {
        match &self.mailbox {
            Some(mailbox) if Some(mailbox.worker) != here => {
                if !self.posted.swap(true, Ordering::AcqRel) && mailbox.groups.send(self.clone()).is_err() {
                    // The worker is gone, and so are its readers.
                    self.posted.store(false, Ordering::Release);
                }
            }
            _ => self.readers.notify_waiters(),
        }
    }
}

/// All groups of one ring.
#[derive(Debug, Default)]
pub struct Wake {
    groups: Mutex<Vec<Arc<ReaderGroup>>>,
}

impl Wake {
    /// Returns the group for readers of the current thread.
    pub fn group(&self) -> Arc<ReaderGroup> {
        let mailbox = MAILBOX.with_borrow(Clone::clone);
        let worker = mailbox.as_ref().map(|m| m.worker);
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(group) = groups.iter().find(|s| s.mailbox.as_ref().map(|m| m.worker) == worker) {
            return group.clone();
        }
        let group = Arc::new(ReaderGroup { readers: Notify::new(), posted: AtomicBool::new(false), mailbox });
        groups.push(group.clone());
        group
    }

    /// Wakes all waiting readers.
    pub fn wake(&self) {
        let here = MAILBOX.with_borrow(|m| m.as_ref().map(|m| m.worker));
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        // A group that only this list holds has no readers any more.
        groups.retain(|group| Arc::strong_count(group) > 1);
        for group in groups.iter() {
            group.wake(here);
        }
    }
}
