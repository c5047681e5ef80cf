//! Receives a stream by WHEP.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::feed::{Feed, SourceError};
use super::source::SourceSetup;
use super::source_rtmp::IDLE_TIMEOUT;
use crate::remote::webrtc::{Assembler, WebRtcClient, WebRtcEvent};
use crate::remote::{Hidden, RemoteAddress, RemoteError};

/// Interval at which a key frame is asked for while none has come.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Receives until the server ends the session.
///
/// # Errors
/// The same as [`super::source::receive`].
pub(super) async fn receive(
    address: &RemoteAddress,
    token: &Hidden,
    setup: SourceSetup<'_>,
    feed: &mut Feed<'_>,
) -> Result<(), SourceError> {
    let mut client = WebRtcClient::play(setup.dialer, address, token).await?;
    while !matches!(client.next().await?, WebRtcEvent::Connected) {}
    let mut assembler = Assembler::new();
    let mut media = Instant::now();
    let mut needs_key = false;
    loop {
        tokio::select! {
            event = client.next() => {
                let WebRtcEvent::Media(data) = event? else { continue };
                media = Instant::now();
                let Some(assembled) = assembler.push(*data) else { continue };
                if let Some(why) = &assembled.error {
                    feed.bad_frame(why);
                }
                needs_key = assembled.needs_key;
                if let Some(frame) = assembled.frame {
                    feed.frame_with_keys(frame)?;
                }
            }
            () = feed.key_asked() => needs_key |= feed.key_wanted(),
            () = sleep(ASK_AGAIN), if needs_key => {}
            () = sleep_until(media + IDLE_TIMEOUT) => {
                let words = format!("the server sent no media for {} s", IDLE_TIMEOUT.as_secs());
                return Err(RemoteError::new(&words).into());
            }
        }
        if needs_key {
            client.ask_key();
        }
    }
}
