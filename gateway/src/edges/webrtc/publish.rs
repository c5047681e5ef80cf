//! Network to hub: the part of a peer that publishes a stream.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::StatusCode;
use media::rtp::{RtpClock, VideoFramer};
use media::time::Micros;
use media::{Codec, Config, Frame, Track};
use str0m::media::{Direction, KeyframeRequestKind, MediaData, MediaKind, Mid, Rid};
use str0m::{Event, Rtc};

use super::layers::{LayerChoice, Layers};
use super::peer::{NextStep, PeerRole};
use crate::context::Context;
use crate::core::admission::{PublishGrant, Publishing};
use crate::core::close::CloseReason;
use crate::core::hub::Publisher;
use crate::rtc::codecs;
use crate::web::problem::Problem;

/// The shortest time between two requests for a key frame: the one requested first is on its way.
const KEY_FRAME_REQUEST_INTERVAL: Duration = Duration::from_millis(500);

/// Publishes one stream from one client. The name is taken when the first frame comes, not before: a client that
/// never connects must not block the name.
pub(super) struct PublisherRole {
    context: Context,
    grant: PublishGrant,
    /// The media section of the video, and the simulcast layer that is forwarded.
    video: Option<(Mid, Option<Rid>)>,
    layers: Layers,
    audio: Option<Mid>,
    /// The published stream, once the first frame has come.
    publishing: Option<Publishing>,
    clock: RtpClock,
    framer: Option<(Codec, VideoFramer)>,
    audio_config: Option<Arc<Config>>,
    key_frame_requested: Option<Instant>,
    /// When the clock of the frames' timestamps begins.
    epoch: Instant,
    /// When media came last.
    last_media: Instant,
}

impl PublisherRole {
    /// Publishes the stream of `grant`.
    pub(super) fn new(context: Context, grant: PublishGrant, now: Instant) -> Self {
        Self {
            context,
            grant,
            video: None,
            layers: Layers::default(),
            audio: None,
            publishing: None,
            clock: RtpClock::new(48_000),
            framer: None,
            audio_config: None,
            key_frame_requested: None,
            epoch: now,
            last_media: now,
        }
    }

    /// Turns an access unit or audio packet into a frame and publishes it.
    fn handle_media(&mut self, rtc: &mut Rtc, data: MediaData, now: Instant) -> Result<(), CloseReason> {
        let Some(codec) = codecs::ours(data.params.spec().codec) else { return Ok(()) };
        let track = codec.track();
        let wanted = match track {
            Track::Video => self.video.is_some_and(|(mid, _)| mid == data.mid),
            Track::Audio => self.audio == Some(data.mid),
        };
        if !wanted || data.data.is_empty() {
            return Ok(());
        }
        self.last_media = now;
        if track == Track::Video && !self.selects_layer(rtc, codec, &data, now) {
            return Ok(());
        }
        if let Some(report) = &data.last_sender_info {
            self.clock.report(track, unix_time(report.ntp_time), report.rtp_time.numer() as u32);
        }
        let arrival = data.network_time.saturating_duration_since(self.epoch).as_micros() as Micros;
        let pts = self.clock.timestamp(track, data.time.numer() as u32, arrival);
        let size = data.data.len();
        let level = data.ext_vals.audio_level;
        let frame = match track {
            Track::Audio => Some(self.audio_frame(data, pts)),
            Track::Video => self.video_frame(rtc, codec, data, pts, now),
        };
        if let Some(publishing) = &self.publishing {
            publishing.client.received(size);
        }
        let Some(frame) = frame else { return Ok(()) };
        let publisher = self.publisher()?;
        publisher.push(frame);
        if let (Track::Audio, Some(level)) = (track, level) {
            publisher.audio_level(level);
        }
        if self.wants_key_frame() {
            self.request_key_frame(rtc, now);
        }
        Ok(())
    }

    /// Whether the video frame is of the simulcast layer that is forwarded. Without simulcast there is only one.
    fn selects_layer(&mut self, rtc: &mut Rtc, codec: Codec, data: &MediaData, now: Instant) -> bool {
        let Some(rid) = data.rid else { return true };
        let pixels = if data.is_keyframe() { pixels(codec, data) } else { None };
        let choice = self.layers.choose(rid, pixels, now);
        if choice == LayerChoice::Drop {
            return false;
        }
        self.video = Some((data.mid, Some(rid)));
        match choice {
            LayerChoice::RequestKeyFrame => self.request_key_frame(rtc, now),
            LayerChoice::Switch => {
                // Each layer has its own RTP timestamps and parameter sets.
                self.clock.restart(Track::Video);
                self.framer = None;
            }
            LayerChoice::Forward | LayerChoice::Drop => {}
        }
        choice != LayerChoice::RequestKeyFrame
    }

    fn audio_frame(&mut self, data: MediaData, pts: Micros) -> Frame {
        // Opus in RTP always counts as two channels (RFC 7587 7), whatever a packet has.
        let two_channels = || Arc::new(media::codec::opus::config_of_channels(2));
        let config = self.audio_config.get_or_insert_with(two_channels);
        Frame {
            number: 0,
            config: config.clone(),
            dts: pts,
            pts,
            key: true,
            data: Bytes::from_owner(data.data),
        }
    }

    fn video_frame(
        &mut self,
        rtc: &mut Rtc,
        codec: Codec,
        data: MediaData,
        pts: Micros,
        now: Instant,
    ) -> Option<Frame> {
        if self.framer.as_ref().is_none_or(|(known, _)| *known != codec) {
            self.framer = VideoFramer::new(codec).ok().map(|framer| (codec, framer));
        }
        let (_, framer) = self.framer.as_mut()?;
        if !data.contiguous {
            // Frames that need the missing one would be broken.
            framer.wait_for_key();
        }
        let frame = framer.frame(Bytes::from_owner(data.data), pts);
        if framer.needs_key() {
            self.request_key_frame(rtc, now);
        }
        frame.unwrap_or_else(|error| {
            // A client whose grant has ended gets the error with its next valid frame.
            if let Ok(publisher) = self.publisher() {
                publisher.bad_frame(&error);
            }
            None
        })
    }

    /// The published stream; publishes it if that was not done yet.
    fn publisher(&mut self) -> Result<&mut Publisher, CloseReason> {
        if self.publishing.is_none() {
            let mut publishing = Publishing::start(&self.context.hub, &self.context.clients, &self.grant)?;
            // Browsers offer tracks that they may never send.
            publishing.publisher.expect(self.audio.is_some(), self.video.is_some());
            publishing.publisher.promise_keys();
            self.publishing = Some(publishing);
        }
        let publishing = self.publishing.as_mut();
        publishing.map(|publishing| &mut publishing.publisher).ok_or(CloseReason::Idle)
    }

    fn wants_key_frame(&self) -> bool {
        self.publishing.as_ref().is_some_and(|publishing| publishing.publisher.key_wanted())
    }

    /// Asks the client for a key frame (PLI, RFC 4585 6.3.1), unless that was done a moment ago.
    fn request_key_frame(&mut self, rtc: &mut Rtc, now: Instant) {
        let Some((mid, rid)) = self.video else { return };
        if self.key_frame_requested.is_some_and(|at| now < at + KEY_FRAME_REQUEST_INTERVAL) {
            return;
        }
        let mut api = rtc.direct_api();
        if let Some(stream) = api.stream_rx_by_mid(mid, rid) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
            self.key_frame_requested = Some(now);
        }
    }
}

/// The number of pixels of a key frame.
fn pixels(codec: Codec, data: &MediaData) -> Option<u64> {
    let frame = VideoFramer::new(codec).ok()?.frame(Bytes::from_owner(data.data.clone()), 0).ok()??;
    frame.config.video().map(|size| u64::from(size.width) * u64::from(size.height))
}

/// Microseconds since 1970.
fn unix_time(time: SystemTime) -> Micros {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as Micros)
}

impl PeerRole for PublisherRole {
    fn add_media(&mut self, rtc: &mut Rtc, mid: Mid) {
        let Some(media) = rtc.media(mid).filter(|media| !media.remote_pts().is_empty()) else { return };
        if !matches!(media.direction(), Direction::RecvOnly | Direction::SendRecv) {
            return;
        }
        match media.kind() {
            MediaKind::Video => {
                self.video.get_or_insert((mid, None));
            }
            MediaKind::Audio => {
                self.audio.get_or_insert(mid);
            }
        }
    }

    fn check_media(&mut self, _: &Rtc) -> Result<(), Problem> {
        if self.video.is_some() || self.audio.is_some() {
            return Ok(());
        }
        let words = "the offer sends no codec that the gateway receives: H.264, VP8, VP9, AV1, H.265 or Opus";
        Err(Problem::new(StatusCode::NOT_ACCEPTABLE, words))
    }

    fn handle_event(&mut self, rtc: &mut Rtc, event: Event, now: Instant) -> Result<(), CloseReason> {
        match event {
            Event::MediaData(data) => self.handle_media(rtc, data, now),
            _ => Ok(()),
        }
    }

    async fn ready(&mut self) -> Result<(), CloseReason> {
        let Some(publishing) = &self.publishing else {
            return Err(self.grant.revocation().revoked().await);
        };
        tokio::select! {
            reason = publishing.revoked() => Err(reason),
            () = publishing.publisher.key_asked() => Ok(()),
        }
    }

    fn advance(&mut self, rtc: &mut Rtc, now: Instant) -> Result<NextStep, CloseReason> {
        let end = self.last_media + self.context.limits.get().publish_timeout;
        if now >= end {
            return Err(CloseReason::Idle);
        }
        if self.wants_key_frame() {
            self.request_key_frame(rtc, now);
        }
        Ok(NextStep::WaitUntil(end))
    }

    fn close(&mut self, reason: CloseReason) {
        match &self.publishing {
            Some(publishing) => publishing.client.close(reason),
            None => self.grant.abandoned(&reason),
        }
    }
}
