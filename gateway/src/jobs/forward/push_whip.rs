//! Sends a stream by WHIP.

use std::sync::Arc;

use media::Track;

use super::status::SharedStatus;
use crate::core::hub::{Start, Stream};
use crate::derive::transcode::{Frames, Reencoders, Want};
use crate::remote::webrtc::{Tracks, WebRtcClient, WebRtcEvent};
use crate::remote::{Backoff, Dialer, Hidden, RemoteAddress, RemoteError};

/// Sends `stream` until it has ended. It begins with a key frame.
///
/// # Errors
/// The server cannot be reached, refuses the stream, or the connection ends.
pub(super) async fn push(
    stream: &Arc<Stream>,
    (dialer, reencoders): (&Dialer, &Reencoders),
    (address, token): (&RemoteAddress, &Hidden),
    (status, backoff): (&SharedStatus, &mut Backoff),
) -> Result<(), RemoteError> {
    let want = Want::webrtc(reencoders);
    let configs = [Track::Video, Track::Audio].map(|track| want.config(stream, track));
    let tracks = Tracks { video: configs[0].is_some(), audio: configs[1].is_some() };
    let mut client = WebRtcClient::publish(dialer, address, token, tracks).await?;
    for config in configs.iter().flatten() {
        client.check(config)?;
    }
    while !matches!(client.next().await?, WebRtcEvent::Connected) {}
    status.sending();
    backoff.connected();
    tracing::info!(stream = %stream.name(), to = %address, "forward connected");
    stream.ask_key();
    let mut frames = Frames::new(stream, &want, Start::Live);
    let mut skipped = 0;
    loop {
        tokio::select! {
            biased;
            event = client.next() => {
                if matches!(event?, WebRtcEvent::KeyWanted) {
                    stream.ask_key();
                }
            }
            entry = frames.next() => {
                let Some(entry) = entry else { return Ok(()) };
                let sent = client.send(&entry.frame)? as u64;
                status.sent.add(sent);
                metrics::counter!("lianmai_forward_sent_bytes_total").increment(sent);
                if frames.skipped() > skipped {
                    status.skipped(frames.skipped() - skipped);
                    skipped = frames.skipped();
                }
            }
        }
    }
}
