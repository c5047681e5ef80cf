//! The streams that are derived from one stream, found by the value of their key.

use std::any::Any;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Everything that is derived from one stream at the moment.
///
/// The list is short: there is one entry for each kind of derived stream that somebody holds.
#[derive(Debug, Default)]
pub(super) struct DerivedStreams(Mutex<Vec<Box<dyn CacheEntry>>>);

/// The entry of one key. It has a lock of its own, because making a derived stream may derive another one.
#[derive(Debug)]
struct Keyed<K, T> {
    key: K,
    made: Arc<Mutex<Weak<T>>>,
}

trait CacheEntry: Any + Debug + Send {
    /// Whether somebody holds the derived stream or is making it.
    fn is_in_use(&self) -> bool;
}

impl<K, T> CacheEntry for Keyed<K, T>
where
    K: Debug + Send + 'static,
    T: Debug + Send + Sync + 'static,
{
    fn is_in_use(&self) -> bool {
        // A task that is making the derived stream holds a second reference to the lock. With one reference the lock is
        // free.
        Arc::strong_count(&self.made) > 1 || lock(&self.made).strong_count() > 0
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DerivedStreams {
    /// The `T` of this key, which `make` makes when nobody holds one.
    pub(super) fn get_or_make<K, T>(&self, key: K, make: impl FnOnce() -> Arc<T>) -> Arc<T>
    where
        K: Eq + Debug + Send + 'static,
        T: Debug + Send + Sync + 'static,
    {
        let entry = self.entry(key);
        let mut entry = lock(&entry);
        if let Some(held) = entry.upgrade() {
            return held;
        }
        let made = make();
        *entry = Arc::downgrade(&made);
        made
    }

    fn entry<K, T>(&self, key: K) -> Arc<Mutex<Weak<T>>>
    where
        K: Eq + Debug + Send + 'static,
        T: Debug + Send + Sync + 'static,
    {
        let mut entries = lock(&self.0);
        for entry in entries.iter() {
            let entry: &dyn Any = entry.as_ref();
            if let Some(entry) = entry.downcast_ref::<Keyed<K, T>>()
                && entry.key == key
            {
                return entry.made.clone();
            }
        }
        entries.retain(|entry| entry.is_in_use());
        let made = Arc::new(Mutex::new(Weak::new()));
        entries.push(Box::new(Keyed { key, made: made.clone() }));
        made
    }

    /// Returns the number of entries. Entries without a holder are removed when the next entry is made.
    #[cfg(test)]
    fn count(&self) -> usize {
        lock(&self.0).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_share_and_other_keys_or_types_do_not() {
        let derived = DerivedStreams::default();
        let one = derived.get_or_make("one", || Arc::new(1));
        assert!(Arc::ptr_eq(&one, &derived.get_or_make("one", || Arc::new(2))));
        let other = derived.get_or_make("other", || Arc::new(3));
        let text = derived.get_or_make("one", || Arc::new("text".to_owned()));
        assert_eq!((*one, *other, text.as_str()), (1, 3, "text"));
        drop(one);
        let again = derived.get_or_make("one", || Arc::new(4));
        assert_eq!(*again, 4, "nobody held the first one");
    }

    #[test]
    fn entries_that_nobody_holds_do_not_pile_up() {
        let derived = DerivedStreams::default();
        let held = derived.get_or_make(1000, || Arc::new(0));
        (0..100).for_each(|key| drop(derived.get_or_make(key, || Arc::new(key))));
        assert!(derived.count() <= 2, "{derived:?}");
        assert!(Arc::ptr_eq(&held, &derived.get_or_make(1000, || Arc::new(1))));
    }

    #[test]
    fn making_one_may_derive_another() {
        let derived = DerivedStreams::default();
        let outer = derived.get_or_make("outer", || {
            // The entry is already in the list, and stays there although nobody holds the stream yet.
            Arc::new(*derived.get_or_make("inner", || Arc::new(7)) + 1)
        });
        assert_eq!(*outer, 8);
        assert!(Arc::ptr_eq(&outer, &derived.get_or_make("outer", || Arc::new(0))));
    }
}
