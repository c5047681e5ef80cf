//! From the hub into the stores.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use media::hls::Segmenter;
use tokio::time::sleep;

use super::Hls;
use super::store::Store;
use crate::hub::{Start, Stream};

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
    let mut cursor = stream.subscribe(Start::Key);
    let mut changed = hls.0.edge.hub.changed();
    loop {
        let segment = tokio::select! {
            // What the publisher sent before it left comes first.
            biased;
            entry = cursor.next() => match entry {
                Some(entry) => segmenter.push(&entry.frame, entry.discontinuity || cursor.take_skip()),
                None => break,
            },
            // While viewers wait for it to come back, they may have all there is.
            Ok(()) = changed.changed() => match stream.publishing() {
                None => segmenter.finish(),
                Some(_) => None,
            },
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
