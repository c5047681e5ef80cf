//! Receives a stream by WHEP.

use super::feed::{Feed, SourceError};
use super::source::SourceSetup;
use crate::remote::{Hidden, RemoteAddress, RemoteError};

pub(super) async fn receive(
    _address: &RemoteAddress,
    _token: &Hidden,
    _setup: SourceSetup<'_>,
    _feed: &mut Feed<'_>,
) -> Result<(), SourceError> {
    Err(RemoteError::refused("not yet").into())
}
