//! The WebSocket reader of `gateway::edges::flv`.

use bytes::BytesMut;

#[path = "../../../../gateway/src/web/websocket/listener.rs"]
mod listener;

use listener::{Listener, ViewerMessage};

/// Reads `bytes` in chunks of this size: the result must not depend on the chunks, and no unneeded bytes may
/// be kept.
pub fn listen(bytes: &[u8], size: usize) {
    let whole = messages(bytes, bytes.len().max(1));
    assert_eq!(messages(bytes, size.max(1)), whole);
}

fn messages(bytes: &[u8], size: usize) -> Vec<ViewerMessage> {
    let (mut listener, mut input, mut all) = (Listener::default(), BytesMut::new(), Vec::new());
    for piece in bytes.chunks(size) {
        input.extend_from_slice(piece);
        while let Some(message) = listener.next(&mut input) {
            let last = !matches!(message, ViewerMessage::Ping(_));
            all.push(message);
            if last {
                return all;
            }
        }
        // The longest header or control message.
        assert!(input.len() < 132, "{} bytes wait", input.len());
    }
    all
}
