//! Session descriptions (RFC 8866, RFC 3264, RFC 9429), between clients and str0m.
//!
//! str0m reads only what browsers write, keeps something for nearly every line, and its answer is its own
//! view of a session. So no client's text reaches it: [`ClientOffer::read`] parses an offer within bounds
//! ([`limits`]), picks the sections that a gateway can use, and writes a small offer of its own for str0m.
//! [`ClientOffer::answer`] turns str0m's answer into the one that fits the client's offer, section by section.
//!
//! Pure text processing: no I/O, no clock.

mod answer;
mod bundle;
mod error;
mod formats;
mod fragment;
mod h264;
mod limits;
mod normal;
mod offer;
#[cfg(test)]
mod tests;
mod text;

pub(super) use error::SdpError;
pub(super) use fragment::{Credentials, Fragment, fragment};
pub(super) use offer::ClientOffer;
pub(super) use text::Kind;

/// The names of the media sections in a description that str0m wrote.
pub(super) fn mids(description: &str) -> impl Iterator<Item = &str> {
    description.lines().filter_map(|line| line.trim_end().strip_prefix("a=mid:"))
}
