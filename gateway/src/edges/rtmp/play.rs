//! Sends a stream from the hub to an RTMP player.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use super::close::{admit_viewer, refuse, tell};
use super::connection::Connection;
use super::session::{Event, Request};
use crate::context::Context;
use crate::core::admission::PlayGrant;
use crate::core::client::Act;
use crate::core::close::CloseReason;
use crate::core::hub::{ClientHandle, PlayError, Start, Stream};
use crate::derive::batch::{BatchReader, Wire};
use crate::derive::transcode::Want;
use crate::rtmp::wire::FORMAT;

/// Serves one `play`, until the stream ends or the client stops.
pub(super) async fn serve(
    connection: &mut Connection,
    context: &Context,
    request: Request,
) -> Result<(), CloseReason> {
    let grant = match admit_viewer(connection, context, &request).await {
        Ok(grant) => grant,
        Err(refused) => return Err(refuse(connection, context, &request, Act::Play, refused)),
    };
    connection.pending = None;
    let stream = match wait(connection, context, &grant).await {
        Ok(Some(Ok(stream))) => stream,
        Ok(Some(Err(error))) => return Err(refuse(connection, context, &request, Act::Play, error.into())),
        Ok(None) => {
            grant.abandoned(&CloseReason::Left);
            return Ok(());
        }
        Err(reason) => {
            grant.abandoned(&reason);
            tell(connection, Act::Play, &reason);
            return Err(reason);
        }
    };
    let client = context.clients.add(&grant, &stream);
    connection.session.accept_play();
    let live = form_urlencoded::parse(request.address.query.as_bytes()).any(|(k, v)| k == "gop" && v == "0");
    let start = if live { Start::Live } else { Start::Key };
    let want = if request.supports_opus { Want::FLV_WITH_OPUS } else { Want::FLV };
    let wire = Wire::of(&stream, FORMAT, want);
    let reader = wire.reader(start);
    let mut player = Player { connection, client: &client, wire, start, reader, paused: false, skipped: 0 };
    let end = player.run().await;
    if let Err(reason) = &end {
        client.close(reason.clone());
        tell(connection, Act::Play, reason);
    }
    end
}

/// Waits for the stream and handles the client's messages meanwhile. Returns `None` if the client stops
/// waiting.
async fn wait(
    connection: &mut Connection,
    context: &Context,
    grant: &PlayGrant,
) -> Result<Option<Result<Arc<Stream>, PlayError>>, CloseReason> {
    let mut play = std::pin::pin!(context.hub.play(grant, grant.limits().play_wait));
    loop {
        while let Some(event) = connection.event()? {
            if event == Event::Stop {
                return Ok(None);
            }
        }
        // The requests of a client that does not read its replies are not read. It has the same timeout as others.
        let heard = async {
            connection.flush(grant.limits().stall_timeout).await?;
            connection.release();
            connection.readable().await;
            Ok::<_, CloseReason>(())
        };
        tokio::select! {
            stream = &mut play => return Ok(Some(stream)),
            reason = grant.revocation().revoked() => return Err(reason),
            heard = heard => {
                heard?;
                connection.receive()?;
            }
        }
    }
}

struct Player<'a> {
    connection: &'a mut Connection,
    client: &'a ClientHandle,
    wire: Wire,
    start: Start,
    reader: BatchReader,
    paused: bool,
    skipped: u64,
}

impl Player<'_> {
    async fn run(&mut self) -> Result<(), CloseReason> {
        let stall = self.client.limits().stall_timeout;
        let mut revoked = std::pin::pin!(self.client.revocation().revoked());
        let mut fresh: Vec<Bytes> = Vec::new();
        let mut progress = Instant::now();
        loop {
            if self.listen()? {
                return Ok(());
            }
            let sent = self.connection.write()?;
            if sent > 0 {
                self.client.sent(sent);
            }
            let blocked = self.connection.has_output();
            if sent > 0 || !blocked {
                progress = Instant::now();
            }
            tokio::select! {
                biased;
                reason = &mut revoked => return Err(reason),
                () = self.connection.readable() => {
                    self.client.received(self.connection.receive()?);
                }
                () = self.connection.writable(), if blocked => {}
                () = sleep_until(progress + stall), if blocked => {
                    return Err(CloseReason::Stalled);
                }
                more = self.reader.next(&mut fresh), if !blocked => {
                    if !more {
                        return Err(CloseReason::StreamEnded);
                    }
                    if self.paused {
                        // A paused player also gets the end of the stream.
                        fresh.clear();
                        continue;
                    }
                    self.connection.queue(fresh.drain(..));
                    self.client.reached(self.reader.time());
                    self.count_skipped();
                }
            }
        }
    }

    /// Handles the client's messages. Returns whether the client has stopped.
    fn listen(&mut self) -> Result<bool, CloseReason> {
        while let Some(event) = self.connection.event()? {
            match event {
                Event::Stop => return Ok(true),
                Event::Pause(on) => {
                    if self.paused && !on {
                        // After a pause, continue live from a key frame.
                        self.reader = self.wire.reader(self.start);
                        self.skipped = 0;
                    }
                    self.paused = on;
                }
                _ => {}
            }
        }
        self.connection.release();
        Ok(false)
    }

    fn count_skipped(&mut self) {
        let skipped = self.reader.skipped();
        if skipped > self.skipped {
            self.client.skipped(skipped - self.skipped);
            self.skipped = skipped;
        }
    }
}
