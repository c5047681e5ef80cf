//! Sends a stream from an RTMP publisher to the hub.

use std::net::SocketAddr;

use media::flv::Metadata;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

use super::close::{admit_publisher, refuse, tell};
use super::connection::Connection;
use super::ingest::{Ingest, Input};
use super::session::{Event, Request};
use crate::context::{Context, FrameDeadline};
use crate::core::admission::Publishing;
use crate::core::client::Act;
use crate::core::close::CloseReason;
use crate::core::hub::Publisher;

/// Serves one `publish`, until the client stops it.
pub(super) async fn serve(
    connection: &mut Connection,
    context: &Context,
    request: Request,
) -> Result<(), CloseReason> {
    let publishing = match admit_publisher(connection, context, &request).await {
        Ok(grant) => Publishing::start(&context.hub, &context.clients, &grant).map_err(Into::into),
        Err(refused) => Err(refused),
    };
    let mut publishing = match publishing {
        Ok(publishing) => publishing,
        Err(refused) => return Err(refuse(connection, context, &request, Act::Publish, refused)),
    };
    connection.pending = None;
    connection.session.accept_publish();
    let mut ingest = Ingest::new();
    let end = receive(connection, &mut publishing, &mut ingest).await;
    ingest.flush();
    push(&mut ingest, &mut publishing.publisher);
    if let Err(reason) = &end {
        publishing.client.close(reason.clone());
        tell(connection, Act::Publish, reason);
    }
    end
}

async fn receive(
    connection: &mut Connection,
    publishing: &mut Publishing,
    ingest: &mut Ingest,
) -> Result<(), CloseReason> {
    let limits = *publishing.client.limits();
    let mut deadline = FrameDeadline::default();
    loop {
        while let Some(event) = connection.event()? {
            // One read may hold thousands of small messages; other connections of this worker get their turn.
            consume_budget().await;
            match event {
                Event::Stop => return Ok(()),
                event => pass_to_hub(event, ingest, &mut publishing.publisher, connection.peer),
            }
        }
        deadline.note(ingest.holds(), ingest.frames());
        let sent = tokio::select! {
            biased;
            reason = publishing.revoked() => return Err(reason),
            sent = connection.flush(limits.stall_timeout) => sent?,
        };
        if sent > 0 {
            publishing.client.client().sent.add(sent as u64);
        }
        tokio::select! {
            biased;
            reason = publishing.revoked() => return Err(reason),
            () = sleep_until(deadline.until().unwrap_or_else(Instant::now)), if deadline.until().is_some() => {
                ingest.flush();
                push(ingest, &mut publishing.publisher);
            }
            readable = timeout(limits.publish_timeout, connection.readable()) => {
                if readable.is_err() {
                    return Err(CloseReason::Idle);
                }
            }
        }
        publishing.client.received(connection.receive()?);
    }
}

/// Passes one message to the hub.
fn pass_to_hub(event: Event, ingest: &mut Ingest, publisher: &mut Publisher, peer: SocketAddr) {
    let read = ingest.read(event);
    push(ingest, publisher);
    if let Err(why) = read {
        debug!(%peer, stream = %publisher.stream().name(), %why, "bad frame");
        publisher.bad_frame(&why);
    }
    if ingest.has_other_tracks() {
        publisher.passes_tracks_over();
    }
}

fn push(ingest: &mut Ingest, publisher: &mut Publisher) {
    while let Some(input) = ingest.next() {
        match input {
            Input::Frame(frame) => publisher.push(frame),
            Input::Message(message) => publisher.send_message(message),
            Input::Metadata(metadata) => {
                announce(publisher, &metadata);
                publisher.describe(metadata.fields);
            }
        }
    }
}

/// Announces tracks from the metadata where that is safe. A track that is announced but missing costs viewers
/// one second; a track that is not announced would be missing in the stream's description.
fn announce(publisher: &mut Publisher, metadata: &Metadata) {
    // FFmpeg's metadata lists exactly the tracks that it sends.
    let complete = metadata.encoder.as_deref().is_some_and(|encoder| encoder.starts_with("Lavf"));
    match (metadata.has_audio, metadata.has_video) {
        (Some(audio), Some(video)) => publisher.announce(audio, video),
        (audio, video) if complete => publisher.announce(audio == Some(true), video == Some(true)),
        _ => {}
    }
}
