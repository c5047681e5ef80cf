//! Close reasons as WebSocket close codes.

use crate::core::client::Act;
use crate::core::close::CloseReason;

/// The end is regular.
pub(super) const NORMAL: u16 = 1000;
/// The client may not do this; final for a client that reconnects after other codes.
pub(super) const POLICY: u16 = 1008;
/// HTTP's 404, as a private code.
pub(super) const NOT_FOUND: u16 = 4404;

/// The WebSocket close code (RFC 6455 7.4.1) of a reason.
pub(super) const fn websocket_code(act: Act, reason: &CloseReason) -> u16 {
    match (act, reason) {
        (_, CloseReason::Left | CloseReason::StreamEnded) => NORMAL,
        // A publisher comes back after any other code; a viewer takes it for the end of the stream.
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
