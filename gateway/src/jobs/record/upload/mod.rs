//! Uploads finished recordings to the object store, and deletes there what is deleted here.
//!
//! [`job`] is the loop, [`file`](mod@file) uploads one recording, [`marks`] are the small files beside a recording by
//! which a restart knows how far its upload is, and [`queue`] decides when to try again. The list of what waits is the
//! catalog itself, so it is bounded as the catalog is.

pub(super) mod file;
pub(super) mod job;
pub(super) mod marks;
pub(super) mod place;
pub(super) mod queue;

use std::time::Duration;

use crate::store::{Store, StoreSettings};

/// The store, and the rules of uploads.
#[derive(Debug, Clone)]
pub(super) struct Uploads {
    pub(super) store: Store,
    /// Whether recordings are uploaded. Otherwise only those are served and deleted that are there already.
    pub(super) enabled: bool,
    /// Time for which an uploaded file stays here.
    pub(super) keep_local: Duration,
    /// Whether viewers are sent to the store.
    pub(super) redirect: bool,
}

impl Uploads {
    pub(super) fn new(store: Store, settings: &StoreSettings) -> Self {
        Self {
            store,
            enabled: settings.store_records,
            keep_local: Duration::from_secs(settings.store_keep_local),
            redirect: settings.store_redirect,
        }
    }
}
