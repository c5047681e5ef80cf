//! Feeds the stores with segments of the hub's streams.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use media::hls::{Segment, Segmenter};
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep, sleep_until};

use super::Hls;
use super::store::Store;
use crate::core::close::CloseReason;
use crate::core::hub::{FrameEntry, Happened, Start, Stream};
use crate::derive::transcode::{Frames, Want};

/// Maximum delay of transcoded audio relative to its publication.
const TRANSCODING: Duration = Duration::from_millis(200);
/// Pause after the newest frame has been read. A wake costs more than the work for one frame, and a segment lasts
/// seconds.
pub(super) const READ_EVERY: Duration = Duration::from_millis(50);

/// Feeds every present and future stream.
pub(super) async fn watch(hls: Hls) {
    let mut streams = hls.0.context.hub.watch();
    while let Some(stream) = streams.next().await {
        tokio::spawn(feed(hls.clone(), stream));
    }
}

/// Feeds a stream whenever it is published here. Segments of other nodes' streams are made there.
async fn feed(hls: Hls, stream: Arc<Stream>) {
    while is_here(&hls, &stream).await {
        let store = hls.store(stream.name());
        let turn = store.begin(&stream);
        cut(&hls, &stream, &store, turn).await;
        tokio::spawn(part(hls.clone(), store, turn));
    }
}

/// Waits until a stream is published here. Returns false if it ends.
async fn is_here(hls: &Hls, stream: &Stream) -> bool {
    let mut changed = hls.0.context.hub.changed();
    loop {
        changed.borrow_and_update();
        if stream.ended() {
            return false;
        }
        if !stream.remote() {
            return true;
        }
        if changed.changed().await.is_err() {
            return false;
        }
    }
}

/// Ends a playlist, and later its segments.
async fn part(hls: Hls, store: Arc<Store>, turn: u64) {
    let name = store.name().clone();
    let rules = &hls.0.rules;
    if !store.end(turn) {
        return;
    }
    tracing::debug!(stream = %name, "HLS ends");
    sleep(rules.farewell).await;
    if !store.hide(turn) {
        return;
    }
    store.viewers.expire(rules.farewell, &CloseReason::StreamEnded);
    sleep(rules.linger).await;
    if !store.clear(turn) {
        return;
    }
    store.viewers.expire(Duration::ZERO, &CloseReason::StreamEnded);
    hls.0.sessions.release(&name);
    sleep(rules.memory).await;
    hls.forget(&name, turn);
}

/// Segments the stream until it ends. This runs even without viewers, so that the first viewer need not wait,
/// unless it costs more than memory.
async fn cut(hls: &Hls, stream: &Arc<Stream>, store: &Store, turn: u64) {
    let mut changed = hls.0.context.hub.changed();
    loop {
        loop {
            let (asked, makes_keys) = (store.demand.asked(), stream.makes_keys_changed());
            if stream.ended() || stream.remote() {
                return;
            }
            if !rests(stream, store) {
                break;
            }
            tokio::select! {
                () = asked => {}
                () = makes_keys => {}
                Ok(()) = changed.changed() => {}
            }
        }
        if run(hls, stream, store, turn).await {
            return;
        }
        store.clear(turn);
    }
}

/// Returns whether to pause: there are no viewers, and the stream needs transcoded audio or key frames on request.
fn rests(stream: &Stream, store: &Store) -> bool {
    let costs = stream.makes_keys() || Want::MPEG_TS.transcodes(stream);
    costs && !store.uploads() && !store.demand.lately()
}

/// Segments until the stream ends or another node publishes it (returns true), or it pauses (returns false).
async fn run(hls: &Hls, stream: &Arc<Stream>, store: &Store, turn: u64) -> bool {
    let _keys = stream.demand_keys();
    let mut segmenter = Segmenter::new(hls.0.rules.segmenter);
    let mut frames = Frames::new(stream, &Want::MPEG_TS, Start::Key);
    let mut changed = hls.0.context.hub.changed();
    let mut told = false;
    // After a pause, the first segment does not continue the one before.
    let mut first = true;
    let mut reads = false;
    // Deadline for the last segment: viewers who wait for the publisher to return receive everything.
    let mut finish = None;
    loop {
        // A publisher that is faster than this task must not keep its thread from other work.
        consume_budget().await;
        let segment = tokio::select! {
            // Frames that were sent before the publisher left come first.
            biased;
            entry = next(&mut frames, &mut reads) => match entry {
                Some(_) if rests(stream, store) => return false,
                Some(entry) => {
                    let anew = std::mem::take(&mut first) || entry.discontinuity || frames.take_skip();
                    segmenter.push(&entry.frame, anew)
                }
                None => break,
            },
            Ok(()) = changed.changed() => {
                if stream.remote() {
                    break;
                }
                let wait = if frames.transcodes() { TRANSCODING } else { Duration::ZERO };
                finish = stream.publishing().is_none().then(|| Instant::now() + wait);
                None
            }
            () = sleep_until(finish.unwrap_or_else(Instant::now)), if finish.is_some() => {
                finish = None;
                segmenter.finish()
            }
        };
        if let Some(segment) = segment {
            report(&mut segmenter, stream, &mut told);
            push(hls, store, turn, segment);
            store.viewers.expire(store.patience(), &CloseReason::Left);
            hls.0.sessions.expire(store.name(), hls.patience(Some(store.patience())));
        }
    }
    if let Some(segment) = segmenter.finish() {
        report(&mut segmenter, stream, &mut told);
        push(hls, store, turn, segment);
    }
    true
}

/// Returns the next frame, or `None` at the end of the stream. After the newest one it pauses for [`READ_EVERY`], so that
/// a publisher does not wake this task for each frame. `reads` is whether the last call returned a frame. A call that
/// is cancelled takes no frame.
async fn next(frames: &mut Frames, reads: &mut bool) -> Option<Arc<FrameEntry>> {
    if *reads {
        if let Some(entry) = frames.try_next() {
            return Some(entry);
        }
        sleep(READ_EVERY).await;
        *reads = false;
    }
    let entry = frames.next().await;
    *reads = true;
    entry
}

/// Stores a segment, and reports it.
fn push(hls: &Hls, store: &Store, turn: u64, segment: Segment) {
    if let Some(complete) = store.push(turn, segment, SystemTime::now()) {
        hls.0.context.hub.report(store.name(), Happened::Segment(Arc::new(complete)));
    }
}

/// Counts the frames that segments leave out, and logs the first one.
fn report(segmenter: &mut Segmenter, stream: &Stream, told: &mut bool) {
    let (count, Some(error)) = segmenter.take_refused() else { return };
    metrics::counter!("lianmai_bad_frames_total").increment(count);
    if !std::mem::replace(told, true) {
        tracing::warn!(stream = %stream.name(), %error, "HLS ignores frames that it cannot carry; further frames are only counted");
    }
}
