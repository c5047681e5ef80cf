//! Exchanges messages with a page of SRS that is in a room.

use bytes::Bytes;
use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::call::{self, Call};
use super::view::View;
use crate::rooms::delivery::{Delivery, Subscription};
use crate::rooms::registry::now;
use crate::rooms::room_cell::RoomCell;
use crate::rooms::socket::{
    Beat, Client, End, FLOOD, Heartbeat, MESSAGES, STOPPING, SocketContext, closed, too_slow,
};
use crate::rooms::state::Bucket;

/// A page in a room.
pub(super) struct Page<'a> {
    pub(super) context: &'a SocketContext,
    pub(super) cell: &'a RoomCell,
    pub(super) view: View,
    /// The `tid` of the page's `join`, until it is answered.
    pub(super) joins: Option<Value>,
}

impl Page<'_> {
    /// Exchanges messages with the page until the connection ends. Returns why it ends.
    pub(super) async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        mut self,
        client: &mut Client<S>,
        subscription: &Subscription,
    ) -> End {
        let mut rate = Bucket::new(MESSAGES.0, MESSAGES.1, now());
        let mut heartbeat = Heartbeat::new();
        let mut stopped = std::pin::pin!(self.context.stop.cancelled());
        loop {
            let answers: Vec<Frame> = tokio::select! {
                delivery = subscription.next() => match delivery {
                    Delivery::TooSlow => return too_slow(),
                    Delivery::Close(code) => return closed(code),
                    Delivery::Text(batch) => frames(self.translate(batch.payload())),
                },
                call = call::frame(client) => match call {
                    Err(end) => return end,
                    Ok(_) if rate.take(1, now()).is_err() => {
                        let text = "the client sent too many messages: at most";
                        return (FLOOD, format!("{text} {} a second", MESSAGES.0));
                    }
                    Ok(call) => {
                        heartbeat.heard();
                        frames(call.and_then(|call| self.answer(call)))
                    }
                },
                beat = heartbeat.beat() => match beat {
                    Beat::Ping => vec![Frame::Ping(Bytes::new())],
                    // The page may be gone without closing the connection. It must not keep its seat.
                    Beat::Lost => return Heartbeat::lost(),
                },
                () = &mut stopped => return (STOPPING, "the server is shutting down".to_owned()),
            };
            for answer in answers {
                let sent = timeout(self.context.limits.get().stall_timeout, client.send(answer)).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return too_slow();
                }
            }
        }
    }

    /// Translates a batch of the room's messages.
    fn translate(&mut self, batch: &[u8]) -> Vec<Value> {
        let notifications = self.view.notifications(batch);
        // The first batch is the welcome.
        match self.joins.take() {
            Some(tid) => vec![self.view.joined(tid)],
            None => notifications,
        }
    }

    /// Returns the response to a message.
    fn answer(&self, call: Call) -> Option<Value> {
        let Call { tid, msg } = call;
        match msg.action.as_str() {
            // The other clients are notified later, when the stream is on air.
            "publish" => {}
            "control" => {
                let own = self.view.own();
                self.cell.apply(&self.context.rooms, |room| room.control(own, &msg.call, &msg.data));
            }
            _ => return None,
        }
        Some(json!({ "tid": tid, "msg": null }))
    }
}

fn frames(answers: impl IntoIterator<Item = Value>) -> Vec<Frame> {
    answers.into_iter().map(|answer| Frame::text(answer.to_string())).collect()
}
