//! Runs one relay: does what `follow` says.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::feed::{Feed, FeedError};
use super::follow::{Action, Follow, Found, Source};
use super::relays::{Relays, Shared, Status};
use super::{parents, pull};
use crate::cluster::protocol::{self, NodeAsk};
use crate::core::hub::{PublisherKind, StreamName};
use crate::remote::{HttpBody, RemoteError};

/// A relay ends so long after its last viewer.
const LINGER: Duration = Duration::from_secs(10);
/// Interval at which a relay looks whether somebody needs its stream, and whether a key frame is wanted.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// No limit: `follow` decides what silence means.
const NO_LIMIT: Duration = Duration::from_secs(24 * 3600);

type Pending<'a, T> = Option<Pin<Box<dyn Future<Output = T> + Send + 'a>>>;

/// Relays a stream until nobody needs it, or a publisher of this node has it.
pub(super) async fn run(relays: &Relays, shared: &Shared, name: &StreamName, status: &Arc<Status>) {
    let hub = &shared.context.hub;
    let news = Arc::new(Notify::new());
    let heard = (news.clone(), shared.registry.clone(), name.clone());
    let _news = shared.registry.bus().subscribe(
        protocol::on(name),
        Arc::new(move |_| {
            heard.1.appeared(&heard.2);
            heard.0.notify_one();
        }),
    );
    let begun = Instant::now();
    let mut follow = Follow::new(Duration::ZERO);
    let mut feed = Feed::new(hub, name);
    let mut body: Option<HttpBody> = None;
    let mut asking: Pending<'_, Found> = None;
    let mut connecting: Pending<'_, (Source, Result<HttpBody, RemoteError>)> = None;
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut used = Instant::now();
    let mut failing = false;
    loop {
        let until = match follow.next(begun.elapsed()) {
            Action::Ask => {
                asking = Some(Box::pin(shared.registry.find(name)));
                continue;
            }
            Action::Connect(source) => {
                status.pulls.fetch_add(1, Ordering::Relaxed);
                connecting = Some(Box::pin(async move {
                    let connected = pull::connect(shared, shared.registry.me(), name, &source).await;
                    (*source, connected)
                }));
                continue;
            }
            Action::Wait(until) => begun + until,
        };
        tokio::select! {
            bytes = next(&mut body) => match bytes {
                Ok(bytes) => {
                    let size = bytes.len() as u64;
                    status.received.fetch_add(size, Ordering::Relaxed);
                    metrics::counter!("lianmai_cluster_received_bytes_total").increment(size);
                    follow.bytes(begun.elapsed());
                    match feed.push(bytes) {
                        Ok(()) => {}
                        // A publisher of this node has the stream, or the hub has no room for it.
                        Err(FeedError::Hub(error)) => {
                            tracing::debug!(stream = %name, %error, "relay ended");
                            return;
                        }
                        Err(FeedError::Media) => {
                            body = None;
                            status.set_source(None);
                            follow.broken(begun.elapsed());
                        }
                    }
                }
                Err(error) => {
                    tracing::info!(stream = %name, %error, "relay disconnected");
                    body = None;
                    status.set_source(None);
                    follow.broken(begun.elapsed());
                }
            },
            (source, connected) = ready(&mut connecting) => {
                connecting = None;
                match connected {
                    Ok(new) => {
                        failing = false;
                        let Source { owner, via } = source;
                        let through = via.as_ref().map(ToString::to_string);
                        tracing::info!(stream = %name, owner = %owner.node, through, "relay connected");
                        let was_direct = relays.is_direct(name);
                        feed.begin(owner.key_on_request);
                        status.set_source(Some((owner.node, via)));
                        body = Some(new);
                        if was_direct && !relays.is_direct(name) {
                            relays.close_children(name);
                        }
                    }
                    Err(error) => {
                        metrics::counter!("lianmai_cluster_failures_total").increment(1);
                        // Further failures in a row are only counted.
                        if !std::mem::replace(&mut failing, true) {
                            let owner = &source.owner.node;
                            tracing::warn!(stream = %name, %owner, url = source.owner.url, %error, "relay not connected");
                        }
                        follow.broken(begun.elapsed());
                    }
                }
            }
            found = ready(&mut asking) => {
                asking = None;
                let is_over = found == Found::Nobody && follow.is_silent(begun.elapsed());
                if let Found::Owner(owner) = &found
                    && owner.node == shared.registry.me().node
                {
                    // The publisher is here, or about to connect.
                    follow.found(begun.elapsed(), Found::Nobody, |_, _| None);
                    continue;
                }
                let (me, turn) = (&shared.registry.me().node, rand::random());
                follow.found(begun.elapsed(), found, |owner, avoid| parents::choose(owner, me, avoid, turn));
                if is_over {
                    // Nobody publishes it: viewers wait as long as for any publisher.
                    feed.leave();
                }
            }
            () = news.notified() => follow.appeared(begun.elapsed()),
            () = feed.revoked() => return,
            () = feed.key_asked() => ask_for_key(&mut feed, &follow, shared, name),
            () = sleep_until(until) => {}
            _ = looks.tick() => {
                ask_for_key(&mut feed, &follow, shared, name);
                let stream = hub.stream(name);
                let own = |kind| kind == PublisherKind::Own;
                if stream.as_ref().is_some_and(|stream| own(stream.kind()) && stream.publishing().is_some()) {
                    return;
                }
                let (needed, patience) = match &stream {
                    Some(stream) => (stream.is_needed(), LINGER),
                    // The viewers that wait for the stream are not counted.
                    None => (false, shared.context.limits.get().play_wait.max(LINGER)),
                };
                if needed {
                    used = Instant::now();
                } else if used.elapsed() >= patience && relays.end_unwanted(name, status, patience) {
                    return;
                }
            }
        }
    }
}

/// Asks the owner for a key frame, if a viewer wants one.
fn ask_for_key(feed: &mut Feed<'_>, follow: &Follow, shared: &Shared, name: &StreamName) {
    if let Some(source) = follow.source()
        && feed.wants_key()
    {
        let ask = NodeAsk::KeyFrame { stream: name.to_string() };
        shared.registry.bus().publish(&protocol::node(&source.owner.node), protocol::write(&ask));
    }
}

async fn next(body: &mut Option<HttpBody>) -> Result<Bytes, RemoteError> {
    let Some(body) = body else { return pending().await };
    body.next(NO_LIMIT).await?.ok_or_else(|| RemoteError::new("the source ended the stream"))
}

async fn ready<T>(future: &mut Pending<'_, T>) -> T {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}
