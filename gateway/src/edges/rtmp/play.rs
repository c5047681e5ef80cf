//! From the hub to an RTMP player.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};
use tracing::info;

use super::connection::{Connection, End};
use super::session::{Event, Request};
use super::wire::Messages;
use crate::context::Context;
use crate::core::auth::AuthRequest;
use crate::core::hub::{ClientHandle, ClientInfo, ClientKind, PlayError, Start, Stream, StreamName};
use crate::derive::batch::{Reader, Wire};

/// Serves one `play`, until the stream or the client's interest ends.
pub(super) async fn serve(
    connection: &mut Connection,
    context: &Context,
    request: Request,
) -> Result<(), End> {
    let name = match admit(connection.peer, context, &request).await {
        Ok(name) => name,
        Err((code, words)) => {
            if context.auth.refusals.count("rtmp play", connection.peer.ip()) {
                info!(peer = %connection.peer, stream = %request.address.url(), why = words, "rtmp play refused");
            }
            return Err(refuse(connection, code, words));
        }
    };
    connection.pending = None;
    let Some(stream) = wait(connection, context, &name).await? else { return Ok(()) };
    let info = ClientInfo {
        protocol: "rtmp",
        kind: ClientKind::Play,
        peer: connection.peer,
        url: request.address.url(),
        agent: request.agent,
    };
    let client = context.clients.add(info, &stream);
    info!(peer = %connection.peer, stream = %name, agent = client.client().info.agent, "rtmp play");
    connection.session.accept_play();
    let live = form_urlencoded::parse(request.address.query.as_bytes()).any(|(k, v)| k == "gop" && v == "0");
    let start = if live { Start::Live } else { Start::Key };
    let wire = Wire::<Messages>::of(&stream);
    let reader = wire.reader(start);
    let mut player = Player { connection, client: &client, wire, start, reader, paused: false, skipped: 0 };
    let end = player.run(context).await;
    let skipped = player.skipped;
    let why = end.as_ref().err().map_or_else(|| "it stopped".to_owned(), End::to_string);
    info!(peer = %connection.peer, stream = %name, skipped, why, "rtmp play over");
    end
}

async fn admit(
    peer: SocketAddr,
    context: &Context,
    request: &Request,
) -> Result<StreamName, (&'static str, String)> {
    let address = &request.address;
    let name = address.name.as_ref().map_err(|why| ("NetStream.Play.StreamNotFound", why.to_string()))?;
    let asked = AuthRequest::rtmp(name, &address.query, address.host.as_deref(), peer);
    context.auth.play(&asked).await.map_err(|why| ("NetStream.Play.Failed", why.to_string()))?;
    Ok(name.clone())
}

fn refuse(connection: &mut Connection, code: &str, words: String) -> End {
    connection.session.refuse(code, &words);
    End::Told(words)
}

/// Waits for the stream, and listens to the client meanwhile. None when it changed its mind.
async fn wait(
    connection: &mut Connection,
    context: &Context,
    name: &StreamName,
) -> Result<Option<Arc<Stream>>, End> {
    let mut play = std::pin::pin!(context.hub.play(name, context.limits.play_wait));
    loop {
        while let Some(event) = connection.event()? {
            if event == Event::Stop {
                return Ok(None);
            }
        }
        connection.flush(context.limits.stall_timeout).await?;
        connection.release();
        tokio::select! {
            stream = &mut play => match stream {
                Ok(stream) => return Ok(Some(stream)),
                Err(why) => {
                    let code = match why {
                        PlayError::NotFound => "NetStream.Play.StreamNotFound",
                        PlayError::Unreadable(_) | PlayError::ShuttingDown => "NetStream.Play.Failed",
                    };
                    return Err(refuse(connection, code, why.to_string()));
                }
            },
            () = connection.readable() => {
                connection.receive()?;
            }
        }
    }
}

struct Player<'a> {
    connection: &'a mut Connection,
    client: &'a ClientHandle,
    wire: Arc<Wire<Messages>>,
    start: Start,
    reader: Reader<Messages>,
    paused: bool,
    skipped: u64,
}

impl Player<'_> {
    async fn run(&mut self, context: &Context) -> Result<(), End> {
        let stall = context.limits.stall_timeout;
        let kicked = self.client.kicked();
        let mut kicked = std::pin::pin!(kicked);
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
                () = &mut kicked => {
                    let words = "an operator ended this".to_owned();
                    return Err(refuse(self.connection, "NetStream.Play.Failed", words));
                }
                () = self.connection.readable() => {
                    self.client.received(self.connection.receive()?);
                }
                () = self.connection.writable(), if blocked => {}
                () = sleep_until(progress + stall), if blocked => {
                    return Err(End::Stalled);
                }
                more = self.reader.next(&mut fresh), if !blocked => {
                    if !more {
                        self.connection.session.end_play();
                        return Err(End::Told("the stream is over".to_owned()));
                    }
                    if self.paused {
                        // It still learns when the stream is over.
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

    /// Does what the client says; whether it is done.
    fn listen(&mut self) -> Result<bool, End> {
        while let Some(event) = self.connection.event()? {
            match event {
                Event::Stop => return Ok(true),
                Event::Pause(on) => {
                    if self.paused && !on {
                        // It goes on with what is live now, from a key frame.
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
