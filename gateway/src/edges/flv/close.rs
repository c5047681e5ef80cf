//! Maps close reasons to WebSocket close codes.

use crate::core::client::Act;
use crate::core::close::CloseReason;

/// Normal end of a connection.
pub(super) const NORMAL: u16 = 1000;
/// The client lacks permission. Clients that reconnect after other codes must not do so after this one.
pub(super) const POLICY: u16 = 1008;
/// Private code for HTTP status 404.
pub(super) const NOT_FOUND: u16 = 4404;

/// Returns the WebSocket close code (RFC 6455 7.4.1) of a close reason.
pub(super) const fn websocket_code(act: Act, reason: &CloseReason) -> u16 {
    match (act, reason) {
        (_, CloseReason::Left | CloseReason::StreamEnded) => NORMAL,
        // After any other code a publisher reconnects, and a viewer assumes that the stream has ended.
        (Act::Publish, CloseReason::Operator) => POLICY,
        (Act::Play, CloseReason::Operator) => NORMAL,
        (_, CloseReason::Refused(_)) => POLICY,
        (_, CloseReason::Protocol(_)) => 1002,
        (_, CloseReason::Unsupported(_)) => 1003,
        (_, CloseReason::Media(_)) => 1007,
        (_, CloseReason::Full | CloseReason::Displaced) => 1013,
        (
            _,
            CloseReason::Replaced
            | CloseReason::Shutdown
            | CloseReason::Stalled
            | CloseReason::Idle
            | CloseReason::NotConnected,
        ) => 1001,
    }
}
