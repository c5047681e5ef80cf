//! Makes frames of the media that str0m receives.

use std::sync::Arc;
use std::time::{Instant, UNIX_EPOCH};

use bytes::Bytes;
use media::rtp::{RtpClock, VideoFramer};
use media::time::Micros;
use media::{Codec, Config, Frame, Track};
use str0m::media::MediaData;

use crate::rtc::codecs;

/// What came of an access unit or an audio packet.
#[derive(Debug)]
pub struct Assembled {
    /// The frame; `None` if it needs frames that are missing, or cannot be read.
    pub frame: Option<Frame>,
    /// Why the data cannot be read.
    pub error: Option<media::Error>,
    /// Whether a key frame is needed to go on.
    pub needs_key: bool,
}

/// Makes the frames of one connection, with times on one clock for both tracks.
#[derive(Debug)]
pub struct Assembler {
    clock: RtpClock,
    framer: Option<(Codec, VideoFramer)>,
    audio: Arc<Config>,
    /// Where the clock of arrival begins.
    epoch: Instant,
}

impl Assembler {
    /// Creates an assembler whose clock begins now.
    pub fn new() -> Self {
        Self {
            clock: RtpClock::new(48_000),
            framer: None,
            // Opus in RTP always counts as two channels (RFC 7587 section 7).
            audio: Arc::new(media::codec::opus::config_of_channels(2)),
            epoch: Instant::now(),
        }
    }

    /// Handles data of a codec; `None` if the codec is not known.
    pub fn push(&mut self, data: MediaData) -> Option<Assembled> {
        let codec = codecs::ours(data.params.spec().codec).filter(|_| !data.data.is_empty())?;
        let track = codec.track();
        if let Some(report) = &data.last_sender_info {
            let at =
                report.ntp_time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as Micros);
            self.clock.report(track, at, report.rtp_time.numer() as u32);
        }
        let arrival = data.network_time.saturating_duration_since(self.epoch).as_micros() as Micros;
        let pts = self.clock.timestamp(track, data.time.numer() as u32, arrival);
        if track == Track::Video {
            return self.video(codec, data, pts);
        }
        let (config, data) = (self.audio.clone(), Bytes::from_owner(data.data));
        let frame = Frame { number: 0, config, dts: pts, pts, key: true, data };
        Some(Assembled { frame: Some(frame), error: None, needs_key: false })
    }

    fn video(&mut self, codec: Codec, data: MediaData, pts: Micros) -> Option<Assembled> {
        if self.framer.as_ref().is_none_or(|(known, _)| *known != codec) {
            self.framer = VideoFramer::new(codec).ok().map(|framer| (codec, framer));
        }
        let (_, framer) = self.framer.as_mut()?;
        if !data.contiguous {
            // Frames that need the missing one would be broken.
            framer.wait_for_key();
        }
        let (frame, error) = match framer.frame(Bytes::from_owner(data.data), pts) {
            Ok(frame) => (frame, None),
            Err(error) => (None, Some(error)),
        };
        Some(Assembled { frame, error, needs_key: framer.needs_key() })
    }
}

impl Default for Assembler {
    fn default() -> Self {
        Self::new()
    }
}
