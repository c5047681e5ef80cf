//! The uploader as a job.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use super::Uploads;
use super::file::{UploadError, object, on_disk, upload};
use super::marks::{Begun, GONE};
use super::place::Upload;
use super::queue::{FileId, Next, pause};
use crate::context::Context;
use crate::jobs::record::names::LIST;
use crate::jobs::record::records::Shared;
use crate::service::{Job, Run};
use crate::store::{StoreError, StoreErrorKind};

/// Interval at which the uploader looks for what is to be done, if nobody wakes it.
const TICK: Duration = Duration::from_secs(2);

/// The job that uploads recordings, one after the other.
#[derive(Debug)]
pub(in crate::jobs::record) struct UploadJob {
    pub(in crate::jobs::record) shared: Arc<Shared>,
    pub(in crate::jobs::record) uploads: Uploads,
}

impl Job for UploadJob {
    fn kind(&self) -> &'static str {
        "upload"
    }

    fn target(&self) -> String {
        self.uploads.store.shown()
    }

    fn run(&self, _: &Context) -> Run {
        let (shared, uploads) = (self.shared.clone(), self.uploads.clone());
        Box::pin(async move {
            let mut uploader = Uploader { shared, uploads, told: BTreeMap::new(), outage: 0 };
            loop {
                let done = uploader.step().await;
                // The store may be away: nothing is tried meanwhile.
                let wait = if uploader.outage > 0 { pause(uploader.outage) } else { TICK };
                if uploader.outage > 0 {
                    tokio::time::sleep(wait).await;
                } else if !done {
                    uploader.shared.queue.wait(wait).await;
                }
            }
        })
    }
}

/// The state of a run.
struct Uploader {
    shared: Arc<Shared>,
    uploads: Uploads,
    /// The reasons that were logged: each once.
    told: BTreeMap<FileId, String>,
    /// Number of requests in a row that did not reach the store.
    outage: u32,
}

impl Uploader {
    /// Deletes or uploads one recording. Returns whether there may be more to do.
    async fn step(&mut self) -> bool {
        self.remove_local().await;
        if let Some(id) = self.shared.queue.next_gone() {
            self.delete(id).await;
            return true;
        }
        let waiting = self.shared.catalog.list(|file| file.place.upload == Upload::Waiting);
        metrics::gauge!("lianmai_record_uploads_waiting").set(waiting.len() as f64);
        if !self.uploads.enabled {
            return false;
        }
        let ids = waiting.into_iter().map(|file| ((file.stream, file.stem), file.duration));
        let Some((id, duration)) = ids.into_iter().find(|(id, _)| self.shared.queue.is_due(id)) else {
            return false;
        };
        self.upload(id, duration).await;
        true
    }

    async fn upload(&mut self, id: FileId, duration: Duration) {
        let shared = self.shared.clone();
        let set = |upload: Upload, failure: Option<String>| {
            shared
                .catalog
                .change(&id.0, &id.1, |file| (file.place.upload, file.place.failure) = (upload, failure));
        };
        let failure = shared.catalog.get(&id.0, &id.1).and_then(|file| file.place.failure);
        set(Upload::Running, failure);
        let store = &self.uploads.store;
        match upload(store, &shared.catalog, &id, duration.as_millis() as u64).await {
            Ok(stored) => {
                self.outage = 0;
                shared.queue.forget(&id);
                self.told.remove(&id);
                metrics::counter!("lianmai_record_uploads_total").increment(1);
                set(Upload::Done { since: stored.since(), store: stored.store.clone() }, None);
                if shared.catalog.get(&id.0, &id.1).is_none() {
                    // It was deleted while it was uploaded.
                    shared.catalog.forget_stored(&id.0, &id.1, &shared.queue);
                    return;
                }
                tracing::info!(stream = %id.0, file = id.1, store = stored.store, size = stored.bytes, "recording uploaded");
            }
            Err(error) => {
                metrics::counter!("lianmai_record_upload_failures_total").increment(1);
                self.outage = if error.is_away() { self.outage + 1 } else { 0 };
                let next = shared.queue.failed(&id, error.is_refused());
                let state = if next == Next::GiveUp { Upload::GivenUp } else { Upload::Waiting };
                set(state, Some(error.to_string()));
                self.tell(&id, &error, next);
            }
        }
        if shared.catalog.get(&id.0, &id.1).is_none() {
            shared.queue.forget(&id);
        }
    }

    /// Logs a failure, once for each reason.
    fn tell(&mut self, id: &FileId, error: &UploadError, next: Next) {
        let text = error.to_string();
        let (stream, file) = (&id.0, &id.1);
        if next == Next::GiveUp {
            self.told.remove(id);
            tracing::error!(%stream, file, error = text, "recording not uploaded, and given up; it stays on this machine");
        } else if self.told.insert(id.clone(), text.clone()).as_ref() != Some(&text) {
            tracing::warn!(%stream, file, error = text, "recording not uploaded; it is tried again");
        }
    }

    /// Deletes a recording in the store that was deleted here.
    async fn delete(&mut self, id: FileId) {
        let mark = self.shared.catalog.path(&id.0, &id.1, GONE);
        let path = mark.clone();
        let text = on_disk(move || fs::read_to_string(path)).await.unwrap_or_default();
        match self.delete_objects(&id, &text).await {
            Ok(()) => {
                self.outage = 0;
                let (stream, file) = (&id.0, &id.1);
                tracing::info!(%stream, file, "recording deleted in the store");
                let root = self.shared.catalog.root().to_owned();
                let _ = on_disk(move || {
                    fs::remove_file(&mark)?;
                    // The folders of the stream stay as long as they contain something.
                    let above = mark.ancestors().skip(1).take_while(|above| *above != root);
                    above.take_while(|folder| fs::remove_dir(folder).is_ok()).for_each(drop);
                    Ok(())
                })
                .await;
            }
            Err(error) => {
                let text = error.to_string();
                self.outage += 1;
                if self.told.insert(id.clone(), text.clone()).as_ref() != Some(&text) {
                    tracing::warn!(stream = %id.0, file = id.1, error = text, "recording not deleted in the store; it is tried again");
                }
                self.shared.queue.not_deleted(id);
            }
        }
    }

    async fn delete_objects(&self, (stream, stem): &FileId, mark: &str) -> Result<(), StoreError> {
        let (store, name) = (&self.uploads.store, object(stream, stem, "mp4"));
        if let Some(upload) = Begun::id(mark) {
            match store.abort_parts(&name, upload).await {
                Err(error) if error.kind == StoreErrorKind::Away => return Err(error),
                // The store has forgotten it.
                _ => {}
            }
        }
        store.delete(&name).await?;
        store.delete(&object(stream, stem, LIST)).await
    }

    /// Deletes the files here that have been in the store for long enough.
    async fn remove_local(&self) {
        let keep = self.uploads.keep_local;
        let is_old = |upload: &Upload| match upload {
            Upload::Done { since, .. } => since.elapsed().is_ok_and(|age| age >= keep),
            _ => false,
        };
        let old = self.shared.catalog.list(|file| file.place.local && is_old(&file.place.upload));
        if !old.is_empty() {
            let shared = self.shared.clone();
            let _ = on_disk(move || {
                old.iter().for_each(|file| shared.catalog.remove_local(file));
                Ok(())
            })
            .await;
        }
    }
}
