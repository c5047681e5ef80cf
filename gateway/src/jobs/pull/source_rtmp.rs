//! Plays a stream from an RTMP server.

use std::time::Duration;

use media::flv::BodyDemuxer;
use tokio::time::timeout;

use super::feed::{Feed, SourceError};
use super::source::SourceSetup;
use crate::remote::rtmp::RtmpConnection;
use crate::remote::{RemoteAddress, RemoteError};
use crate::rtmp::client::{ClientEvent, Purpose};

/// A server that sends nothing for so long is disconnected. Its publisher may be away for 15 s.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Time for the last messages.
const FINISH_TIMEOUT: Duration = Duration::from_secs(1);

/// Receives until the server ends the stream.
///
/// # Errors
/// The same as [`super::source::receive`].
pub(super) async fn receive(
    address: &RemoteAddress,
    setup: SourceSetup<'_>,
    feed: &mut Feed<'_>,
) -> Result<(), SourceError> {
    let purpose = Purpose::Play(setup.max_message);
    let mut connection = RtmpConnection::open(setup.dialer, address, purpose, setup.id).await?;
    let mut demuxer = BodyDemuxer::for_publisher();
    loop {
        while let Some(event) = connection.event()? {
            let read = match event {
                ClientEvent::Audio(timestamp, body) => demuxer.audio(timestamp, body),
                ClientEvent::Video(timestamp, body) => demuxer.video(timestamp, body),
                ClientEvent::Script(body) => demuxer.script(body).map(|metadata| {
                    if let Some(metadata) = metadata {
                        feed.metadata(metadata);
                    }
                }),
                ClientEvent::Refused(reason) => return Err(RemoteError::refused(&reason).into()),
                ClientEvent::Ended => {
                    connection.finish(FINISH_TIMEOUT).await;
                    return Ok(());
                }
                ClientEvent::Accepted => Ok(()),
            };
            while let Some(frame) = demuxer.next() {
                feed.frame(frame)?;
            }
            if let Err(why) = read {
                feed.bad_frame(&why);
            }
        }
        connection.write()?;
        let blocked = connection.has_output();
        let more = async {
            tokio::select! {
                () = connection.readable() => {}
                () = connection.writable(), if blocked => {}
            }
        };
        if timeout(IDLE_TIMEOUT, more).await.is_err() {
            let words =
                format!("the server sent nothing, or took no answers, for {} s", IDLE_TIMEOUT.as_secs());
            return Err(RemoteError::new(&words).into());
        }
        connection.receive()?;
    }
}
