//! Keeps the playlist of one stream up to date while viewers ask for it.
//!
//! The owner answers a request when its playlist has changed, or after a second. So there is one request in flight, and
//! viewers see a segment as early as those of the owner.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use super::{RemoteStream, Remotes};
use crate::cluster::files::{FileError, Files};
use crate::cluster::protocol::Owner;
use crate::cluster::relay::Found;
use crate::core::close::CloseReason;
use crate::core::hub::{Hub, Publisher};
use crate::edges::hls::access::patience;

/// Minimum time between two requests for the playlist.
pub(super) const MIN_INTERVAL: Duration = Duration::from_millis(250);
/// The owner answers within a second; one that does not is looked for again.
const PLAYLIST_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum bytes of a playlist.
const MAX_PLAYLIST: usize = 256 << 10;
/// Interval at which an owner that is not known is looked for. News of a new owner come earlier.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time for which the last playlist is served while no node has the stream. The publisher may come back elsewhere.
const GRACE: Duration = Duration::from_secs(10);

/// Follows a stream until no viewer asks for it, or a publisher of this node has it.
pub(super) async fn run(remotes: &Remotes, files: &Files, stream: &Arc<RemoteStream>) {
    let hub = &remotes.0.context.hub;
    let news = Arc::new(Notify::new());
    let _subscription = files.on_news(stream.name(), news.clone());
    let mut changed = hub.changed();
    let mut place: Option<Publisher> = None;
    let mut owner: Option<Arc<Owner>> = None;
    let mut fetched = Instant::now();
    let mut failing = false;
    let mut next = Instant::now();
    loop {
        changed.borrow_and_update();
        if is_own(hub, stream) {
            stream.viewers.expire(Duration::ZERO, &CloseReason::StreamEnded);
            return;
        }
        if remotes.end_unasked(stream) {
            stream.viewers.expire(Duration::ZERO, &CloseReason::Left);
            return;
        }
        let Some(from) = owner.clone() else {
            if let Found::Owner(found) = files.find(stream.name()).await {
                let found = Arc::new(*found);
                stream.set_owner(Some(found.clone()));
                owner = Some(found);
                continue;
            }
            if fetched.elapsed() >= GRACE {
                stream.clear();
                stream.viewers.expire(Duration::ZERO, &CloseReason::StreamEnded);
                place = None;
            }
            wait(Instant::now() + LOOK_EVERY, &news, (hub, stream), &mut changed).await;
            continue;
        };
        hold(files, hub, stream, &mut place);
        if wait(next, &news, (hub, stream), &mut changed).await || Instant::now() < next {
            owner = None;
            continue;
        }
        next = Instant::now() + MIN_INTERVAL;
        metrics::counter!("lianmai_cluster_hls_playlists_total").increment(1);
        let end = format!(".m3u8?after={}", stream.version());
        let got = tokio::select! {
            got = files.get(&from, stream.name(), &end, MAX_PLAYLIST, PLAYLIST_TIMEOUT) => got,
            () = news.notified() => {
                owner = None;
                continue;
            }
        };
        let goes_on = match &got {
            Ok(text) => {
                let goes_on = stream.update(from.node.as_str(), &String::from_utf8_lossy(text));
                if goes_on.is_some() {
                    (fetched, failing) = (Instant::now(), false);
                    stream.viewers.expire(stream.patience(), &CloseReason::Left);
                    let patience = patience(stream.patience(), &remotes.0.context);
                    remotes.0.sessions.expire(stream.name(), patience);
                    remotes.0.cache.retain(stream.name(), |epoch, number| stream.knows(epoch, number));
                }
                goes_on == Some(true)
            }
            Err(FileError::Status(StatusCode::NOT_ACCEPTABLE)) => {
                stream.refuse();
                false
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    let owner = &from.node;
                    tracing::info!(stream = %stream.name(), %owner, url = from.url, %error, "playlist not fetched");
                }
                false
            }
        };
        if !goes_on {
            owner = None;
            // The node is still the owner, and has no segment yet, or the stream has ended.
            wait(Instant::now() + MIN_INTERVAL, &news, (hub, stream), &mut changed).await;
        }
    }
}

/// Waits until a time, or until a publisher of this node has the stream. Returns true as soon as another node has begun
/// to publish it.
async fn wait(
    until: Instant,
    news: &Notify,
    (hub, stream): (&Hub, &RemoteStream),
    changed: &mut watch::Receiver<u64>,
) -> bool {
    loop {
        tokio::select! {
            () = news.notified() => return true,
            () = sleep_until(until) => return false,
            Ok(()) = changed.changed() => if is_own(hub, stream) {
                return false;
            }
        }
    }
}

fn is_own(hub: &Hub, stream: &RemoteStream) -> bool {
    let here = hub.stream(stream.name());
    here.is_some_and(|here| !here.remote() && here.publishing().is_some())
}

/// Holds the place of the stream in the hub, unless a relay has it.
fn hold(files: &Files, hub: &Hub, stream: &RemoteStream, place: &mut Option<Publisher>) {
    if hub.stream(stream.name()).is_none_or(|here| here.publishing().is_none()) {
        *place = None;
        // A relay or a publisher may come at the same time.
        *place = files.hold_place(hub, stream.name());
    }
}
