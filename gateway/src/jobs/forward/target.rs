//! One stream on its way to one server.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::status::SharedStatus;
use super::{push_rtmp, push_whip};
use crate::core::admission::PlayGrant;
use crate::core::hub::{Hub, Stream};
use crate::derive::transcode::Reencoders;
use crate::remote::{Backoff, ConnectionLimit, Dialer, Hidden, RemoteAddress};

/// Time to wait for a stream's media before looking whether the stream has ended.
const MEDIA_WAIT: Duration = Duration::from_secs(5);

/// What the targets of a gateway share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) hub: Hub,
    pub(super) dialer: Dialer,
    /// Limits the connections.
    pub(super) limit: ConnectionLimit,
    /// Remove B-frames for WHIP.
    pub(super) reencoders: Reencoders,
    /// Id of this gateway, by which it recognizes its own stream.
    pub(super) id: String,
}

/// Sends `stream` to `address` until the stream has ended. While another node of the cluster publishes the stream, that
/// node sends it.
pub(super) async fn run(
    stream: Arc<Stream>,
    (address, token): (RemoteAddress, Hidden),
    status: Arc<SharedStatus>,
    shared: Shared,
) {
    let hub = &shared.hub;
    while !stream.ended() {
        status.waiting();
        until(hub, || stream.ended() || !stream.remote()).await;
        tokio::select! {
            () = until(hub, || stream.ended()) => {
                // The connection says goodbye itself if it is the first to notice.
                sleep(Duration::from_secs(3)).await;
            }
            () = until(hub, || stream.remote()) => {}
            () = send(&stream, (&address, &token), &status, &shared) => return,
        }
    }
}

async fn send(
    stream: &Arc<Stream>,
    (address, token): (&RemoteAddress, &Hidden),
    status: &SharedStatus,
    shared: &Shared,
) {
    let mut backoff = Backoff::default();
    loop {
        status.waiting();
        let Some(permit) = shared.limit.enter().await else { return };
        while !has_media(&shared.hub, stream).await {
            if stream.ended() {
                return;
            }
        }
        status.connecting();
        let report = (status, &mut backoff);
        let sent = if address.scheme.is_rtmp() {
            push_rtmp::push(stream, &shared.dialer, address, &shared.id, report).await
        } else {
            let setup = (&shared.dialer, &shared.reencoders);
            push_whip::push(stream, setup, (address, token), report).await
        };
        drop(permit);
        let Err(error) = sent else { return };
        metrics::counter!("lianmai_forward_failures_total").increment(1);
        let pause = backoff.failed(error.is_refused());
        let reason = token.hide_in(&address.hide_in(&error.to_string()));
        tracing::warn!(stream = %stream.name(), to = %address, reason, pause = pause.as_secs_f32(), "forward disconnected");
        status.failed(reason, error.is_refused(), SystemTime::now() + pause);
        sleep(pause).await;
    }
}

/// Waits until the stream's tracks are known and its publisher is there.
async fn has_media(hub: &Hub, stream: &Arc<Stream>) -> bool {
    let played = hub.play(&PlayGrant::for_job(stream.name(), "forward"), MEDIA_WAIT).await;
    played.is_ok_and(|played| Arc::ptr_eq(&played, stream))
}

/// Resolves when a condition holds that depends on the streams of the hub and their publishers.
async fn until(hub: &Hub, holds: impl Fn() -> bool) {
    let mut changed = hub.changed();
    while !holds() && changed.changed().await.is_ok() {}
}
