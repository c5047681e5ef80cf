//! Wakes all readers of a ring with one message per worker.
//!
//! Waking a task on another thread costs a system call, which a publisher must not pay once per viewer. So
//! each worker has a mailbox: the publisher posts the ring's slot there, and the worker wakes its own
//! readers, which is cheap.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, mpsc};

/// The readers of one ring on one worker.
#[derive(Debug)]
pub struct Slot {
    readers: Notify,
    /// Whether the slot is in its worker's mailbox.
    posted: AtomicBool,
    mailbox: Option<Mailbox>,
}

#[derive(Debug, Clone)]
struct Mailbox {
    worker: u64,
    slots: mpsc::UnboundedSender<Arc<Slot>>,
}

thread_local! {
    static MAILBOX: RefCell<Option<Mailbox>> = const { RefCell::new(None) };
}

/// Makes the current thread a worker: its waiting readers are woken through one mailbox.
///
/// Call it once per thread, inside that thread's current-thread runtime.
pub fn join_worker() {
    static WORKERS: AtomicU64 = AtomicU64::new(0);
    let (slots, mut inbox) = mpsc::unbounded_channel::<Arc<Slot>>();
    let mailbox = Mailbox { worker: WORKERS.fetch_add(1, Ordering::Relaxed), slots };
    MAILBOX.set(Some(mailbox));
    tokio::spawn(async move {
        while let Some(slot) = inbox.recv().await {
            slot.posted.store(false, Ordering::Release);
            slot.readers.notify_waiters();
        }
    });
}

impl Slot {
    /// Resolves at the next wake after the future was enabled.
    pub fn notified(&self) -> tokio::sync::futures::Notified<'_> {
        self.readers.notified()
    }

    fn wake(self: &Arc<Self>, here: Option<u64>) {
        match &self.mailbox {
            Some(mailbox) if Some(mailbox.worker) != here => {
                if !self.posted.swap(true, Ordering::AcqRel) && mailbox.slots.send(self.clone()).is_err() {
                    // The worker is gone, and so are its readers.
                    self.posted.store(false, Ordering::Release);
                }
            }
            _ => self.readers.notify_waiters(),
        }
    }
}

/// All slots of one ring.
#[derive(Debug, Default)]
pub struct Wake {
    slots: Mutex<Vec<Arc<Slot>>>,
}

impl Wake {
    /// Returns the slot for readers of the current thread.
    pub fn slot(&self) -> Arc<Slot> {
        let mailbox = MAILBOX.with_borrow(Clone::clone);
        let worker = mailbox.as_ref().map(|m| m.worker);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.iter().find(|s| s.mailbox.as_ref().map(|m| m.worker) == worker) {
            return slot.clone();
        }
        let slot = Arc::new(Slot { readers: Notify::new(), posted: AtomicBool::new(false), mailbox });
        slots.push(slot.clone());
        slot
    }

    /// Wakes all waiting readers.
    pub fn wake(&self) {
        let here = MAILBOX.with_borrow(|m| m.as_ref().map(|m| m.worker));
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        // A slot that only this list holds has no readers any more.
        slots.retain(|slot| Arc::strong_count(slot) > 1);
        for slot in slots.iter() {
            slot.wake(here);
        }
    }
}
