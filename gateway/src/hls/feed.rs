//! From the hub into the stores.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use media::hls::Segmenter;
use tokio::time::{Instant, sleep, sleep_until};

use super::Hls;
use super::store::Store;
use crate::hub::{Start, Stream};
use crate::transcode::{Sound, Source};

/// Sound that is transcoded comes this much later than it was published, or not at all.
const TRANSCODING: Duration = Duration::from_millis(200);

/// Feeds every stream that is and that will be.
pub(super) async fn watch(hls: Hls) {
    let mut streams = hls.0.edge.hub.watch();
    while let Some(stream) = streams.recv().await {
        let store = hls.store(stream.name());
        let turn = store.begin(&stream);
        tokio::spawn(feed(hls.clone(), stream, store, turn));
    }
}

async fn feed(hls: Hls, stream: Arc<Stream>, store: Arc<Store>, turn: u64) {
    cut(&hls, &stream, &store, turn).await;
    let name = stream.name().clone();
    drop(stream);
    let settings = &hls.0.settings;
    if !store.end(turn) {
        return;
    }
    tracing::debug!(stream = %name, "HLS ends");
    sleep(settings.farewell).await;
    if !store.hide(turn) {
        return;
    }
    store.viewers.expire(settings.farewell);
    sleep(settings.linger).await;
    if !store.clear(turn) {
        return;
    }
    store.viewers.expire(Duration::ZERO);
    sleep(settings.memory).await;
    hls.forget(&name, turn);
}

/// Cuts the stream until it is over.
async fn cut(hls: &Hls, stream: &Arc<Stream>, store: &Store, turn: u64) {
    let mut segmenter = Segmenter::new(hls.0.settings.segmenter);
    let mut source = Source::new(stream, Sound::Aac, Start::Key);
    let mut changed = hls.0.edge.hub.changed();
    // When viewers, who wait for the publisher to come back, are to have all there is.
    let mut finish = None;
    loop {
        let segment = tokio::select! {
            // What the publisher sent before it left comes first.
            biased;
            entry = source.next() => match entry {
                Some(entry) => segmenter.push(&entry.frame, entry.discontinuity || source.take_skip()),
                None => break,
            },
            Ok(()) = changed.changed() => {
                let wait = if source.transcodes() { TRANSCODING } else { Duration::ZERO };
                finish = stream.publishing().is_none().then(|| Instant::now() + wait);
                None
            }
            () = sleep_until(finish.unwrap_or_else(Instant::now)), if finish.is_some() => {
                finish = None;
                segmenter.finish()
            }
        };
        if let Some(segment) = segment {
            store.push(turn, segment, SystemTime::now());
            store.viewers.expire(store.patience());
        }
    }
    if let Some(segment) = segmenter.finish() {
        store.push(turn, segment, SystemTime::now());
    }
}
