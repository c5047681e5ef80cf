//! `gateway::edges::webrtc::port`: assigning a datagram to a peer.

#[path = "../../../../gateway/src/edges/webrtc/port/stun.rs"]
mod stun;

/// Reads the name in a datagram.
pub fn demux(bytes: &[u8]) {
    if let Some(name) = stun::username_fragment(bytes) {
        // Only a STUN message has a name, which is a part of it.
        assert!(bytes.len() >= 20 && bytes[0] < 4);
        assert!(!name.contains(':') && name.len() < bytes.len());
    }
}
