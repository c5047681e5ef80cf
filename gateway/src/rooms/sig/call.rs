//! Reads the messages of SRS's pages.

use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::rooms::socket::{self, Client, End, NORMAL, REFUSED};

/// A message from a client.
#[derive(Debug, Deserialize)]
pub(super) struct Call {
    #[serde(default)]
    pub(super) tid: Value,
    pub(super) msg: Action,
}

/// The content of a message.
#[derive(Debug, Deserialize)]
pub(super) struct Action {
    pub(super) action: String,
    #[serde(default)]
    pub(super) room: String,
    #[serde(default)]
    pub(super) display: String,
    #[serde(default)]
    pub(super) call: String,
    #[serde(default)]
    pub(super) data: String,
}

/// Reads the next message.
pub(super) async fn next<S: AsyncRead + AsyncWrite + Unpin>(client: &mut Client<S>) -> Result<Call, End> {
    loop {
        if let Some(call) = frame(client).await? {
            return Ok(call);
        }
    }
}

/// Reads one frame. Returns `None` if it contains no message.
pub(super) async fn frame<S: AsyncRead + AsyncWrite + Unpin>(
    client: &mut Client<S>,
) -> Result<Option<Call>, End> {
    match client.next().await {
        None | Some(Ok(Frame::Close(_))) => Err((NORMAL, String::new())),
        Some(Err(error)) => Err(socket::broken(&error)),
        Some(Ok(Frame::Text(text))) => {
            let wrong =
                |_| (REFUSED, "the message is not SRS signalling: send JSON with `tid` and `msg`".to_owned());
            serde_json::from_str(&text).map(Some).map_err(wrong)
        }
        Some(Ok(_)) => Ok(None),
    }
}
