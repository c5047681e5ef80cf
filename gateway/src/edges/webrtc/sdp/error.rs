//! Why a session description is refused.

use std::fmt;

/// What is wrong with an offer or a fragment, as a client's developer reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::edges::webrtc) enum SdpError {
    /// The line of this number is not `x=value`, or has control characters.
    Line(usize),
    /// The first line is not `v=0`.
    Version,
    /// A media line has no port, protocol or format.
    MediaLine,
    /// There is no media section.
    NoSection,
    /// There is more of something than [`super::limits`] allows.
    TooMany(&'static str, usize),
    /// A part has more bytes than [`super::limits`] allows.
    TooLong(&'static str, usize),
    /// The name of a section is not a token (RFC 8866 9).
    Mid,
    /// Two sections have the same name.
    SameMid,
    /// A payload type is described twice, or means different things in bundled sections.
    PayloadType(u8),
    /// Audio and video do not share one transport.
    NoBundle,
    /// No ICE user name and password.
    NoCredentials,
    /// No fingerprint of a DTLS certificate.
    NoFingerprint,
    /// The client is ICE-lite, and so is the gateway.
    Lite,
    /// Something that only [`super::ClientOffer`] and str0m together understand.
    Contradiction,
    /// A fragment (RFC 8840) has lines of another kind, or says nothing.
    Fragment,
}

impl fmt::Display for SdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number} is not of the form a=value"),
            Self::Version => f.write_str("its first line has to be v=0"),
            Self::MediaLine => f.write_str("an m= line needs a media type, a port, a protocol and formats"),
            Self::NoSection => f.write_str("it has no m= line"),
            Self::TooMany(what, limit) => write!(f, "it has more than {limit} {what}"),
            Self::TooLong(what, limit) => write!(f, "{what} has more than {limit} bytes"),
            Self::Mid => f.write_str("the value of a=mid is not a token (RFC 8866 section 9)"),
            Self::SameMid => f.write_str("two sections have the same a=mid"),
            Self::PayloadType(number) => write!(f, "payload type {number} has two meanings"),
            Self::NoBundle => f.write_str(
                "audio and video need one transport: offer both in one a=group:BUNDLE \
                 (in WebRTC libraries: bundle policy \"max-bundle\")",
            ),
            Self::NoCredentials => f.write_str("it has no ICE credentials (a=ice-ufrag and a=ice-pwd)"),
            Self::NoFingerprint => f.write_str("it has no a=fingerprint of a DTLS certificate"),
            Self::Lite => {
                f.write_str("the client is ICE-lite, as this server is: one side has to do full ICE")
            }
            Self::Contradiction => f.write_str("it contradicts itself, or an earlier offer"),
            Self::Fragment => f.write_str("it is no fragment with candidates or credentials (RFC 8840)"),
        }
    }
}
