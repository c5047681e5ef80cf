//! A limit of connections that can change while connections are open.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Limits the connections that are open at the same time. Cloning shares the limit.
#[derive(Debug, Clone)]
pub struct ConnectionLimit {
    permits: Arc<Semaphore>,
    max: Arc<Mutex<usize>>,
}

impl ConnectionLimit {
    /// Creates a limit of `max` connections; 0 counts as 1.
    pub fn new(max: usize) -> Self {
        let max = within(max);
        Self { permits: Arc::new(Semaphore::new(max)), max: Arc::new(Mutex::new(max)) }
    }

    /// Returns the maximum number of connections.
    pub fn max(&self) -> usize {
        *self.max.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place below the limit, which is free again when the returned value is dropped.
    pub async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.acquire().await.ok()
    }

    /// Changes the maximum number of connections. Open connections stay: a lower limit is reached when enough of them
    /// have ended. Call it inside a runtime.
    pub fn set(&self, max: usize) {
        let mut current = self.max.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, max) = (std::mem::replace(&mut *current, within(max)), within(max));
        if max >= before {
            self.permits.add_permits(max - before);
            return;
        }
        let surplus = before - max;
        let in_use = surplus - self.permits.forget_permits(surplus);
        if let Ok(in_use @ 1..) = u32::try_from(in_use) {
            let permits = self.permits.clone();
            tokio::spawn(async move {
                if let Ok(freed) = permits.acquire_many_owned(in_use).await {
                    freed.forget();
                }
            });
        }
    }
}

/// Returns the limit that a setting asks for, from 1 to a million.
fn within(max: usize) -> usize {
    const MAX: usize = 1_000_000;
    max.clamp(1, MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_changed_limit_counts_without_ending_what_is_open() {
        let limit = ConnectionLimit::new(1);
        let first = limit.enter().await.expect("a connection");
        assert_eq!(limit.permits.available_permits(), 0, "the limit of 1 is reached");
        limit.set(3);
        let (second, third) =
            (limit.enter().await.expect("a connection"), limit.enter().await.expect("a connection"));
        assert_eq!((limit.max(), limit.permits.available_permits()), (3, 0));
        limit.set(1);
        // The task that takes the surplus begins to wait.
        tokio::task::yield_now().await;
        drop((first, second));
        tokio::task::yield_now().await;
        assert_eq!(limit.permits.available_permits(), 0, "one connection is open, and one is allowed");
        drop(third);
        assert_eq!(limit.permits.available_permits(), 1);
        drop(limit.enter().await.expect("a connection"));
        limit.set(0);
        assert_eq!(limit.max(), 1, "0 counts as 1");
    }
}
