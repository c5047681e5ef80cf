//! Brings the segments and the playlist of one stream to the store.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media::time::Micros;
use tokio::time::{sleep, timeout};

use super::Piece;
use super::queue::{Queue, Work};
use super::window::{Window, epoch};
use crate::core::hub::StreamName;
use crate::store::{Content, Expect, Store, StoreError, StoreErrorKind};

const SEGMENT: Content = Content { kind: "video/mp2t", cache: "public, max-age=86400, immutable" };
const PLAYLIST: Content = Content { kind: "application/vnd.apple.mpegurl", cache: "public, max-age=1" };
/// Maximum size of a playlist that is read from the store.
const MAX_PLAYLIST: u64 = 256 << 10;
/// First and longest pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Time after which a request is given up: the segment is of little use then.
const LIMIT: Duration = Duration::from_secs(20);
/// Interval at which old segments are deleted while there is nothing else to do.
const SWEEP: Duration = Duration::from_secs(2);

/// Uploads until the queue is closed and empty.
pub(super) async fn run(store: Store, name: StreamName, queue: Arc<Queue>) {
    let window = Window::new(&name);
    let mut worker = Worker { store, name, window, tag: None, fenced: false, told: None };
    let mut pause = FIRST_PAUSE;
    loop {
        let Ok(work) = timeout(SWEEP, queue.next()).await else {
            worker.sweep().await;
            continue;
        };
        let done = match work {
            Work::Begin(epoch) => {
                worker.begin(epoch);
                Ok(())
            }
            Work::Segment { piece, .. } if worker.fenced => {
                queue.done(piece.number);
                Ok(())
            }
            Work::Segment { piece, after_gap } => {
                let sent = worker.segment(&piece, after_gap).await;
                if sent.is_ok() {
                    queue.done(piece.number);
                }
                sent
            }
            Work::End => worker.end().await,
            Work::Clear => worker.clear().await,
            Work::Close => return,
        };
        match done {
            Ok(()) => {
                pause = FIRST_PAUSE;
                worker.told = None;
            }
            Err(error) => {
                worker.tell(&error);
                if queue.is_closed() {
                    // Nobody waits for it any more. The store's own rules delete what is left.
                    return;
                }
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// The version of the playlist in the store that this gateway has seen last.
#[derive(Debug, Clone)]
enum Tag {
    Nothing,
    Version(String),
}

struct Worker {
    store: Store,
    name: StreamName,
    window: Window,
    /// `None` if it has to be read first.
    tag: Option<Tag>,
    /// Whether another gateway has taken the stream over.
    fenced: bool,
    /// The reason that was logged last.
    told: Option<String>,
}

impl Worker {
    fn begin(&mut self, epoch: u64) {
        self.window.begin(epoch, now());
        // Another gateway may have had the stream meanwhile.
        (self.fenced, self.tag) = (false, None);
    }

    async fn segment(&mut self, piece: &Piece, after_gap: bool) -> Result<(), StoreError> {
        if self.tag.is_none() && !self.look().await? {
            return Ok(());
        }
        let name = self.window.segment(piece.number);
        let put = self.store.put(&name, piece.bytes.clone(), SEGMENT, Expect::Any);
        in_time(put).await?;
        metrics::counter!("lianmai_hls_store_segments_total").increment(1);
        self.window.add(piece, after_gap, now());
        self.write(false).await?;
        self.sweep().await;
        Ok(())
    }

    async fn end(&mut self) -> Result<(), StoreError> {
        if self.fenced || self.window.is_empty() {
            return Ok(());
        }
        self.write(true).await
    }

    /// Writes the playlist, unless another gateway has written it since.
    async fn write(&mut self, ended: bool) -> Result<(), StoreError> {
        for _ in 0..2 {
            let expect = match self.tag.clone() {
                Some(Tag::Version(tag)) => Expect::Version(tag),
                Some(Tag::Nothing) => Expect::Nothing,
                None if self.look().await? => continue,
                None => return Ok(()),
            };
            let text = self.window.text(ended);
            match in_time(self.store.put(&self.window.playlist(), text.into(), PLAYLIST, expect)).await {
                Ok(tag) => {
                    self.tag = Some(Tag::Version(tag));
                    return Ok(());
                }
                Err(error) => {
                    // It may have been written although the answer did not come.
                    self.tag = None;
                    if error.kind != StoreErrorKind::Changed {
                        return Err(error);
                    }
                }
            }
        }
        Err(StoreError::changes_too_often())
    }

    /// Looks at the playlist in the store. Returns false if it belongs to a gateway that came later.
    async fn look(&mut self) -> Result<bool, StoreError> {
        let found = in_time(self.store.get(&self.window.playlist(), MAX_PLAYLIST)).await?;
        let Some(found) = found else {
            self.tag = Some(Tag::Nothing);
            return Ok(true);
        };
        let text = String::from_utf8_lossy(&found.bytes);
        match epoch(&text, &self.name) {
            Some(other) if other > self.window.epoch() => {
                tracing::warn!(stream = %self.name, "HLS is not uploaded any more: another gateway uploads the stream");
                self.fenced = true;
                return Ok(false);
            }
            // Otherwise the list is this gateway's own.
            _ if self.window.is_empty() => self.window.take_over(&text, now()),
            _ => {}
        }
        self.tag = Some(Tag::Version(found.tag));
        Ok(true)
    }

    /// Deletes segments that are not listed any more. What cannot be deleted now is tried again later.
    async fn sweep(&mut self) {
        while !self.fenced
            && let Some(name) = self.window.next_old(now())
        {
            if in_time(self.store.delete(&name)).await.is_err() {
                return;
            }
            self.window.deleted();
        }
    }

    async fn clear(&mut self) -> Result<(), StoreError> {
        // Not the list of a gateway that goes on with the stream.
        if self.fenced || !self.look().await? {
            return Ok(());
        }
        in_time(self.store.delete(&self.window.playlist())).await?;
        self.tag = None;
        for name in self.window.clear(now()) {
            in_time(self.store.delete(&name)).await?;
        }
        Ok(())
    }

    /// Logs a failure, once for each reason.
    fn tell(&mut self, error: &StoreError) {
        metrics::counter!("lianmai_hls_store_failures_total").increment(1);
        let text = error.to_string();
        if self.told.as_ref() != Some(&text) {
            tracing::warn!(stream = %self.name, error = text, "HLS not uploaded; it is tried again");
            self.told = Some(text);
        }
    }
}

async fn in_time<T>(request: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(LIMIT, request).await.unwrap_or_else(|_| Err(StoreError::too_late(LIMIT)))
}

fn now() -> Micros {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64
}
