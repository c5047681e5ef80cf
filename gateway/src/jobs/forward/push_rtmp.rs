//! Sends a stream over RTMP.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::flv::{amf0, mux};
use media::{Codec, Config, Track};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::rechunk::Rechunk;
use super::status::SharedStatus;
use crate::core::hub::{Start, Stream};
use crate::derive::batch::{BatchReader, Wire};
use crate::derive::transcode::Want;
use crate::remote::rtmp::RtmpConnection;
use crate::remote::{Backoff, Dialer, RemoteAddress, RemoteError};
use crate::rtmp::client::{ClientEvent, Purpose};
use crate::rtmp::message::STREAM;
use crate::rtmp::wire::FORMAT;

/// A server that takes no byte for so long is disconnected.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for the last messages when the stream has ended.
const FINISH_TIMEOUT: Duration = Duration::from_secs(2);
/// Interval at which the codec of the video is compared with what the server takes.
const CHECK_CODEC_EVERY: Duration = Duration::from_secs(1);
/// The codecs that are sent: what RTMP carries, with audio as AAC or MP3.
const WANT: Want = Want::FLV;

/// Sends `stream` until it has ended.
///
/// # Errors
/// The server cannot be reached, refuses the stream, or the connection ends.
pub(super) async fn push(
    stream: &Arc<Stream>,
    dialer: &Dialer,
    address: &RemoteAddress,
    id: &str,
    (status, backoff): (&SharedStatus, &mut Backoff),
) -> Result<(), RemoteError> {
    let mut connection = RtmpConnection::open(dialer, address, Purpose::Publish, id).await?;
    check_codec(&connection, stream)?;
    status.sending();
    backoff.connected();
    tracing::info!(stream = %stream.name(), to = %address, "forward connected");
    connection.session.send_data(metadata(stream));
    connection.queue_session();
    let message_stream = connection.session.stream().unwrap_or(STREAM);
    // The reader holds the wire.
    let reader = Wire::of(stream, FORMAT, WANT).reader(Start::Key);
    let rechunk = (message_stream != STREAM).then(|| Rechunk::new(message_stream));
    let mut push = Push { connection, reader, rechunk, stream, status, skipped: 0 };
    push.run().await?;
    push.connection.finish(FINISH_TIMEOUT).await;
    Ok(())
}

struct Push<'a> {
    connection: RtmpConnection,
    reader: BatchReader,
    rechunk: Option<Rechunk>,
    stream: &'a Arc<Stream>,
    status: &'a SharedStatus,
    skipped: u64,
}

impl Push<'_> {
    async fn run(&mut self) -> Result<(), RemoteError> {
        let mut fresh: Vec<Bytes> = Vec::new();
        let mut progress = Instant::now();
        let mut check = interval(CHECK_CODEC_EVERY);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            while let Some(event) = self.connection.event()? {
                match event {
                    ClientEvent::Refused(reason) => return Err(RemoteError::refused(&reason)),
                    ClientEvent::Ended => return Err(RemoteError::new("the server ended the stream")),
                    _ => {}
                }
            }
            let sent = self.connection.write()?;
            if sent > 0 {
                self.status.sent.add(sent as u64);
                metrics::counter!("lianmai_forward_sent_bytes_total").increment(sent as u64);
            }
            let blocked = self.connection.has_output();
            if sent > 0 || !blocked {
                progress = Instant::now();
            }
            tokio::select! {
                biased;
                () = self.connection.readable() => {
                    self.connection.receive()?;
                }
                () = self.connection.writable(), if blocked => {}
                () = sleep_until(progress + STALL_TIMEOUT), if blocked => {
                    let words = format!("the server took no bytes for {} s", STALL_TIMEOUT.as_secs());
                    return Err(RemoteError::new(&words));
                }
                more = self.reader.next(&mut fresh), if !blocked => {
                    if !more {
                        return Ok(());
                    }
                    self.queue(&mut fresh)?;
                }
                _ = check.tick() => check_codec(&self.connection, self.stream)?,
            }
        }
    }

    fn queue(&mut self, fresh: &mut Vec<Bytes>) -> Result<(), RemoteError> {
        match &mut self.rechunk {
            None => self.connection.queue(fresh.drain(..)),
            Some(rechunk) => {
                for bytes in fresh.drain(..) {
                    let rewritten = rechunk.rewrite(&bytes);
                    let rewritten = rewritten.map_err(|error| RemoteError::new(&error.to_string()))?;
                    self.connection.queue([rewritten]);
                }
            }
        }
        let skipped = self.reader.skipped();
        if skipped > self.skipped {
            self.status.skipped(skipped - self.skipped);
            self.skipped = skipped;
        }
        Ok(())
    }
}

/// Checks that the server takes the stream's video.
fn check_codec(connection: &RtmpConnection, stream: &Stream) -> Result<(), RemoteError> {
    let video = WANT.config(stream, Track::Video);
    let Some(fourcc) = video.as_deref().and_then(fourcc) else { return Ok(()) };
    if connection.session.takes(fourcc) {
        return Ok(());
    }
    let name = video.map_or("?", |config| config.codec.name());
    let words = format!(
        "the video is {name}, and the server does not list {fourcc} among its codecs: publish H.264 for this target"
    );
    Err(RemoteError::refused(&words))
}

/// Returns the FourCC of a codec that only servers with Enhanced RTMP take.
fn fourcc(config: &Config) -> Option<&'static str> {
    match config.codec {
        Codec::H265 => Some("hvc1"),
        Codec::Av1 => Some("av01"),
        Codec::Vp8 => Some("vp08"),
        Codec::Vp9 => Some("vp09"),
        _ => None,
    }
}

/// Returns the description of the stream as encoders send it. The shared bytes hold the form for players.
fn metadata(stream: &Stream) -> Bytes {
    let (video, audio) = (WANT.config(stream, Track::Video), WANT.config(stream, Track::Audio));
    let fields = stream.fields();
    let fields = fields.as_deref().map(Vec::as_slice).unwrap_or_default();
    let mut body = Vec::new();
    amf0::write(&mut body, &"@setDataFrame".into());
    body.extend_from_slice(&mux::described_body(video.as_deref(), audio.as_deref(), fields));
    body.into()
}
