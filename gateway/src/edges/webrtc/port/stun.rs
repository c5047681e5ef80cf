//! Reads from a STUN request which peer it is for.

use str0m::ice::StunMessage;

/// Whether this is STUN: its first two bits are 0, and DTLS and RTP begin with larger bytes (RFC 7983 7).
fn is_stun(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|&byte| byte < 4)
}

/// The receiver's ICE user name fragment: the first part of a STUN request's USERNAME (RFC 8445 7.2.2).
pub(super) fn username_fragment(bytes: &[u8]) -> Option<String> {
    if !is_stun(bytes) || bytes.len() < 20 {
        return None;
    }
    let message = StunMessage::parse(bytes).ok()?;
    let name = message.username()?;
    Some(name.split_once(':')?.0.to_owned())
}
