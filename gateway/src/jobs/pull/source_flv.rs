//! Reads FLV over HTTP.

use media::flv::Demuxer;

use super::feed::{Feed, SourceError};
use super::source::{SourceSetup, push_flv};
use super::source_rtmp::IDLE_TIMEOUT;
use crate::remote::{RemoteAddress, RemoteError};

/// Receives until the response ends.
///
/// # Errors
/// The same as [`super::source::receive`].
pub(super) async fn receive(
    address: &RemoteAddress,
    setup: SourceSetup<'_>,
    feed: &mut Feed<'_>,
) -> Result<(), SourceError> {
    let mut body = setup.dialer.get(address).await?;
    let mut demuxer = Demuxer::for_publisher();
    while let Some(bytes) = body.next(IDLE_TIMEOUT).await? {
        push_flv(&mut demuxer, bytes, feed)?;
        if demuxer.failed() {
            return Err(RemoteError::refused("the response is not FLV").into());
        }
    }
    Ok(())
}
