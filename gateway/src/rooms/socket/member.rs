//! Exchanges messages with a client that is in a room.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::end::{End, FLOOD, STOPPING};
use super::line::{Heard, Line};
use super::{Beat, Client, Heartbeat, MESSAGES, SocketContext};
use crate::rooms::delivery::Subscription;
use crate::rooms::message::{Code, Id, Message, Request};
use crate::rooms::registry::now;
use crate::rooms::room_cell::RoomCell;
use crate::rooms::state::{Bucket, Connection};

/// Rate limit of one client: bytes per second on average, and the maximum burst.
const BYTES: (u32, u32) = (64 << 10, 128 << 10);

/// A client in a room.
pub(super) struct Member<'a> {
    pub(super) context: &'a SocketContext,
    pub(super) cell: &'a RoomCell,
    pub(super) connection: Connection,
    pub(super) id: &'a Id,
}

impl Member<'_> {
    /// Exchanges messages with the client until the connection ends. Returns the WebSocket, and why it ends.
    pub(super) async fn talk<S>(
        &self,
        client: Client<S>,
        subscription: Subscription,
    ) -> (Option<Client<S>>, End)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug + 'static,
    {
        let line = Arc::new(Line::new(client, subscription));
        let attached = self.cell.attach(self.connection, line.clone());
        let end = self.exchange(&line).await;
        drop(attached);
        (line.take(), end)
    }

    async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(&self, line: &Line<S>) -> End {
        let mut messages = Bucket::new(MESSAGES.0, MESSAGES.1, now());
        let mut bytes = Bucket::new(BYTES.0, BYTES.1, now());
        let mut heartbeat = Heartbeat::new();
        let mut stopped = std::pin::pin!(self.context.stop.cancelled());
        loop {
            tokio::select! {
                heard = line.next() => {
                    let text = match heard {
                        Err(end) => return end,
                        Ok(Heard::Text(text)) => Some(text),
                        Ok(Heard::Control) => None,
                    };
                    heartbeat.heard();
                    let size = text.as_ref().map_or(0, |text| u32::try_from(text.len()).unwrap_or(u32::MAX));
                    let now = now();
                    if messages.take(1, now).is_err() || bytes.take(size, now).is_err() {
                        let text = "the client sent too many messages: at most";
                        return (FLOOD, format!("{text} {} and {} bytes a second", MESSAGES.0, BYTES.0));
                    }
                    if let Some(text) = text {
                        self.handle(&text);
                    }
                }
                beat = heartbeat.beat() => match beat {
                    Beat::Ping => line.ping(),
                    Beat::Lost => return Heartbeat::lost(),
                },
                () = &mut stopped => return (STOPPING, "the server is shutting down".to_owned()),
            }
        }
    }

    fn handle(&self, text: &str) {
        let Ok(request) = serde_json::from_str::<Request>(text) else {
            self.cell.send(self.connection, &Message::Error(Code::BadMessage.failure()));
            return;
        };
        let (rooms, leaves) = (&self.context.rooms, request == Request::Leave);
        let handle =
            |room: &mut crate::rooms::state::Room| room.handle(self.id, self.connection, request, now());
        if leaves { self.cell.part(rooms, handle) } else { self.cell.apply(rooms, handle) }
    }
}
