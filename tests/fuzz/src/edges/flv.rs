//! The WebSocket reader of `gateway::edges::flv`.

use bytes::BytesMut;

#[path = "../../../../gateway/src/web/websocket/listener.rs"]
mod listener;

use listener::{Listener, Said};

/// Reads `bytes` in chunks of this size: the result must not depend on the chunks, and no unneeded bytes may
/// be kept.
pub fn listen(bytes: &[u8], size: usize) {
    let whole = said(bytes, bytes.len().max(1));
    assert_eq!(said(bytes, size.max(1)), whole);
}

fn said(bytes: &[u8], size: usize) -> Vec<Said> {
    let (mut listener, mut input, mut all) = (Listener::default(), BytesMut::new(), Vec::new());
    for piece in bytes.chunks(size) {
        input.extend_from_slice(piece);
        while let Some(said) = listener.next(&mut input) {
            let last = !matches!(said, Said::Ping(_));
            all.push(said);
            if last {
                return all;
            }
        }
        // The longest header or control message.
        assert!(input.len() < 132, "{} bytes wait", input.len());
    }
    all
}
