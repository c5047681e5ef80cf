//! Ends a connection with a code and a text.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as Code16;

use super::{Client, MAX_MESSAGE};
use crate::rooms::state::CloseCode;

// Close codes. Those from 4000 on are the protocol's own (see `docs/rooms.md`), the others are from RFC 6455.
const REPLACED: u16 = 4000;
const REMOVED: u16 = 4001;
pub(in crate::rooms) const REFUSED: u16 = 4003;
pub(in crate::rooms) const SLOW: u16 = 4008;
pub(in crate::rooms) const FLOOD: u16 = 4029;
pub(in crate::rooms) const NORMAL: u16 = 1000;
pub(in crate::rooms) const STOPPING: u16 = 1001;
const PROTOCOL: u16 = 1002;
const UNSUPPORTED: u16 = 1003;
const TOO_LARGE: u16 = 1009;

/// Maximum length of the text in bytes (RFC 6455, section 5.5).
const MAX_TEXT: usize = 123;
/// Time for which the gateway waits for the client's close message.
const GOODBYE: Duration = Duration::from_secs(2);

/// The end of a connection: a close code and a text.
pub(in crate::rooms) type End = (u16, String);

/// Returns the close code and text for a connection that the room closes.
pub(in crate::rooms) fn closed(code: CloseCode) -> End {
    let (code, text) = match code {
        CloseCode::Left => (NORMAL, ""),
        CloseCode::Replaced => (REPLACED, "the same seat joined from elsewhere"),
        CloseCode::Removed => (REMOVED, "a host has removed you from this room"),
    };
    (code, text.to_owned())
}

/// Returns the close code and text for a client that is too far behind.
pub(in crate::rooms) fn too_slow() -> End {
    (SLOW, "the client read its messages too slowly".to_owned())
}

/// Returns the close code and text for a client that sends a binary message.
pub(super) fn binary() -> End {
    (UNSUPPORTED, "send messages as text, not as binary data".to_owned())
}

/// Returns the close code and text for a WebSocket error.
pub(in crate::rooms) fn broken(error: &Error) -> End {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            (TOO_LARGE, format!("a message has at most {MAX_MESSAGE} bytes"))
        }
        Error::Protocol(_) | Error::Utf8(_) => (PROTOCOL, "the data is not WebSocket (RFC 6455)".to_owned()),
        _ => (NORMAL, String::new()),
    }
}

/// Sends the close code and text, and waits a short time for the client to receive them.
pub(in crate::rooms) async fn say_goodbye<S: AsyncRead + AsyncWrite + Unpin>(
    client: &mut Client<S>,
    (code, mut text): End,
) {
    while text.len() > MAX_TEXT {
        text.pop();
    }
    let close = Frame::Close(Some(CloseFrame { code: Code16::from(code), reason: text.into() }));
    let heard = async {
        if client.send(close).await.is_ok() {
            while let Some(Ok(_)) = client.next().await {}
        }
    };
    // If the client does not close its side in time, the connection is dropped.
    let _ = timeout(GOODBYE, heard).await;
}
