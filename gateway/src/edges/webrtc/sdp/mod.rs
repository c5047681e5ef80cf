//! Translates session descriptions (RFC 8866, RFC 3264, RFC 9429) between clients and str0m.
//!
//! str0m understands only what browsers write, allocates something for nearly every line, and answers without
//! regard to the sections and formats that the client has offered. So no client's text reaches str0m:
//!
//! 1. [`ClientOffer::read`] ([`offer`]) parses an offer within [`limits`], and selects the media sections ([`bundle`]) and
//!    payload types ([`formats`], [`h264`]) that the gateway can use.
//! 2. [`ClientOffer::to_str0m`] ([`normal`]) writes a small offer for str0m.
//! 3. [`ClientOffer::answer`] ([`answer`]) turns str0m's answer into one that fits the client's offer.
//!
//! [`fragment`] reads and writes the fragments of trickle ICE and ICE restarts. All of this is pure text processing
//! without I/O and clock.

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

/// The `mid`s of the media sections in a description that str0m has written.
pub(super) fn mids(description: &str) -> impl Iterator<Item = &str> {
    description.lines().filter_map(|line| line.trim_end().strip_prefix("a=mid:"))
}
