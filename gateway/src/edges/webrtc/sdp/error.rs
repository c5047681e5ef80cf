//! The reasons for which a session description is refused, and their texts.

use std::fmt;

/// Why an offer or a fragment is refused. The text is for the developer of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::edges::webrtc) enum SdpError {
    /// The line with this number is not of the form `x=value`, or has control characters.
    Line(usize),
    /// The first line is not `v=0`.
    Version,
    /// A media line has no port, protocol or format.
    MediaLine,
    /// There is no media section.
    NoSection,
    /// The description has more of something than [`super::limits`] allows.
    TooMany(&'static str, usize),
    /// A part has more bytes than [`super::limits`] allows.
    TooLong(&'static str, usize),
    /// The `mid` of a section is not a token (RFC 8866 9).
    Mid,
    /// Two sections have the same `mid`.
    SameMid,
    /// A payload type is described twice, or has different meanings in bundled sections.
    PayloadType(u8),
    /// Audio and video do not share one transport.
    NoBundle,
    /// There are no ICE credentials.
    NoCredentials,
    /// There is no fingerprint of a DTLS certificate.
    NoFingerprint,
    /// The client is ICE-lite. The gateway is too, and two lite sides cannot connect.
    Lite,
    /// str0m refuses the offer, or its answer does not fit.
    Contradiction,
    /// A fragment (RFC 8840) has other lines, or neither candidates nor credentials.
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
