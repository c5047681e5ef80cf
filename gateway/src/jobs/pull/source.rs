//! Reads a stream from another server, by the protocol of its address.

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use media::flv::{Demuxer, Event, Metadata};

use super::feed::{Feed, SourceError};
use super::{source_file, source_flv, source_hls, source_rtmp, source_whep};
use crate::remote::{Dialer, Hidden, RemoteAddress};

/// Where a stream comes from.
#[derive(Debug, Clone)]
pub(super) enum SourceAddress {
    /// Another server, and the token for it.
    Remote(RemoteAddress, Hidden),
    /// Files of this machine.
    Files(Vec<PathBuf>),
}

impl SourceAddress {
    /// Returns `text` without the parts of the address that may be keys.
    pub(super) fn hide_in(&self, text: &str) -> String {
        match self {
            Self::Remote(address, token) => token.hide_in(&address.hide_in(text)),
            Self::Files(_) => text.to_owned(),
        }
    }
}

impl fmt::Display for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(address, _) => address.fmt(f),
            Self::Files(files) => match &files[..] {
                [one] => write!(f, "{}", one.display()),
                _ => write!(f, "{} files", files.len()),
            },
        }
    }
}

/// What a source needs besides its address.
#[derive(Debug, Clone, Copy)]
pub(super) struct SourceSetup<'a> {
    pub(super) dialer: &'a Dialer,
    /// Maximum size of a message in bytes.
    pub(super) max_message: usize,
    /// Id of this gateway.
    pub(super) id: &'a str,
}

/// Receives until the stream is over.
///
/// # Errors
/// The server cannot be reached, refuses the request, or the connection ends; or the feed cannot take the frames.
pub(super) async fn receive(
    from: &SourceAddress,
    setup: SourceSetup<'_>,
    feed: &mut Feed<'_>,
) -> Result<(), SourceError> {
    let (address, token) = match from {
        SourceAddress::Remote(address, token) => (address, token),
        SourceAddress::Files(files) => return source_file::receive(files, feed).await,
    };
    if address.is_whep() {
        return source_whep::receive(address, token, setup, feed).await;
    }
    if address.scheme.is_rtmp() {
        return source_rtmp::receive(address, setup, feed).await;
    }
    let path = address.path_and_query().split('?').next().unwrap_or_default();
    if path.ends_with(".m3u8") || path.ends_with(".m3u") {
        source_hls::receive(address, setup, feed).await
    } else {
        source_flv::receive(address, setup, feed).await
    }
}

/// Passes the frames of FLV bytes on.
pub(super) fn push_flv(demuxer: &mut Demuxer, bytes: Bytes, feed: &mut Feed<'_>) -> Result<(), SourceError> {
    demuxer.push(bytes);
    while let Some(event) = demuxer.next() {
        match event {
            Ok(Event::Frame(frame)) => feed.frame(frame)?,
            Ok(Event::Script(body)) => {
                if let Ok(Some(metadata)) = Metadata::read(&body) {
                    feed.metadata(metadata);
                }
            }
            Ok(_) => {}
            Err(why) => feed.bad_frame(&why),
        }
    }
    Ok(())
}
