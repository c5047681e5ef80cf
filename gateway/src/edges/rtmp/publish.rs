//! From an RTMP publisher to the hub.

use std::net::SocketAddr;

use media::flv::Metadata;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info};

use super::connection::{Connection, End};
use super::ingest::{Ingest, Input};
use super::session::{Event, Request};
use crate::context::{Context, Held};
use crate::core::auth::AuthRequest;
use crate::core::hub::{ClientHandle, ClientInfo, ClientKind, PublishError, Publisher};

/// Serves one `publish`, until the client stops it.
pub(super) async fn serve(
    connection: &mut Connection,
    context: &Context,
    request: Request,
) -> Result<(), End> {
    let mut publisher = match admit(connection.peer, context, &request).await {
        Ok(publisher) => publisher,
        Err((code, words)) => {
            if context.auth.refusals.count("rtmp publish", connection.peer.ip()) {
                info!(peer = %connection.peer, stream = %request.address.url(), why = words, "rtmp publish refused");
            }
            connection.session.refuse(code, &words);
            return Err(End::Told(words));
        }
    };
    connection.pending = None;
    connection.session.accept_publish();
    let info = ClientInfo {
        protocol: "rtmp",
        kind: ClientKind::Publish,
        peer: connection.peer,
        url: request.address.url(),
        agent: request.agent,
    };
    let client = context.clients.add(info, publisher.stream());
    let name = publisher.stream().name().clone();
    info!(peer = %connection.peer, stream = %name, agent = client.client().info.agent, "rtmp publish");
    let mut ingest = Ingest::new();
    let end = receive(connection, context, &mut publisher, &client, &mut ingest).await;
    ingest.flush();
    push(&mut ingest, &mut publisher);
    let why = end.as_ref().err().map_or_else(|| "it stopped".to_owned(), End::to_string);
    info!(
        peer = %connection.peer, stream = %name, frames = ingest.frames(), bad = ingest.bad(), why,
        "rtmp publish over"
    );
    end
}

/// The publisher, or the `onStatus` code and words of a refusal.
async fn admit(
    peer: SocketAddr,
    context: &Context,
    request: &Request,
) -> Result<Publisher, (&'static str, String)> {
    let address = &request.address;
    let name = address.name.as_ref().map_err(|why| ("NetStream.Publish.BadName", why.to_string()))?;
    let asked = AuthRequest::rtmp(name, &address.query, address.host.as_deref(), peer);
    context.auth.publish(&asked).await.map_err(|why| ("NetStream.Publish.Denied", why.to_string()))?;
    context.hub.publish(name).map_err(|why| {
        let code = match why {
            PublishError::Busy => "NetStream.Publish.BadName",
            PublishError::TooManyStreams | PublishError::ShuttingDown => "NetStream.Publish.Failed",
        };
        (code, why.to_string())
    })
}

async fn receive(
    connection: &mut Connection,
    context: &Context,
    publisher: &mut Publisher,
    client: &ClientHandle,
    ingest: &mut Ingest,
) -> Result<(), End> {
    let mut held = Held::default();
    loop {
        while let Some(event) = connection.event()? {
            match event {
                Event::Stop => return Ok(()),
                event => take(event, ingest, publisher, connection.peer),
            }
        }
        held.note(ingest.holds(), ingest.frames());
        let sent = tokio::select! {
            biased;
            () = publisher.revoked() => return Err(ended(connection)),
            () = client.kicked() => return Err(ended(connection)),
            sent = connection.flush(context.limits.stall_timeout) => sent?,
        };
        if sent > 0 {
            client.client().sent.add(sent as u64);
        }
        tokio::select! {
            biased;
            () = publisher.revoked() => return Err(ended(connection)),
            () = client.kicked() => return Err(ended(connection)),
            () = sleep_until(held.until().unwrap_or_else(Instant::now)), if held.until().is_some() => {
                ingest.flush();
                push(ingest, publisher);
            }
            readable = timeout(context.limits.publish_timeout, connection.readable()) => {
                if readable.is_err() {
                    return Err(End::Idle("it sends nothing"));
                }
            }
        }
        client.received(connection.receive()?);
    }
}

fn ended(connection: &mut Connection) -> End {
    let words = "an operator ended this, or the server is stopping";
    connection.session.refuse("NetStream.Publish.Failed", words);
    End::Told(words.to_owned())
}

/// Hands one message to the hub.
fn take(event: Event, ingest: &mut Ingest, publisher: &mut Publisher, peer: SocketAddr) {
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
            Input::Message(message) => publisher.tell(message),
            Input::Metadata(metadata) => {
                announce(publisher, &metadata);
                publisher.describe(metadata.fields);
            }
        }
    }
}

/// Believes metadata about tracks where that is safe: a track that is promised and does not come
/// costs viewers a second, one that comes without a promise would be missing in what they are told.
fn announce(publisher: &mut Publisher, metadata: &Metadata) {
    // FFmpeg names the tracks it has and leaves out the others.
    let complete = metadata.encoder.as_deref().is_some_and(|encoder| encoder.starts_with("Lavf"));
    match (metadata.has_audio, metadata.has_video) {
        (Some(audio), Some(video)) => publisher.announce(audio, video),
        (audio, video) if complete => publisher.announce(audio == Some(true), video == Some(true)),
        _ => {}
    }
}
