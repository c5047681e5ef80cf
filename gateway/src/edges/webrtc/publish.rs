//! Wire to hub: a publisher's side of a peer.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use media::rtp::{self, RtpClock};
use media::time::Micros;
use media::{Codec, Config, Frame, Track};
use str0m::media::{Direction, KeyframeRequestKind, MediaData, MediaKind, Mid, Rid};
use str0m::{Event, Rtc};

use super::codecs;
use super::layers::{Choice, Layers};
use super::peer::Side;
use crate::context::Context;
use crate::core::admission::{PublishGrant, Publishing};
use crate::core::close::CloseReason;
use crate::core::hub::Publisher;

/// A key frame is asked for again only after this long: it is on its way.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// One publisher. The name is taken when media comes, not before: an offer that comes to nothing
/// has held nothing.
pub(super) struct Publish {
    context: Context,
    grant: PublishGrant,
    video: Option<(Mid, Option<Rid>)>,
    layers: Layers,
    audio: Option<Mid>,
    active: Option<Publishing>,
    clock: RtpClock,
    frames: Option<(Codec, rtp::Video)>,
    sound: Option<Arc<Config>>,
    asked: Option<Instant>,
    /// Where our clock begins.
    epoch: Instant,
    heard: Instant,
}

impl Publish {
    pub(super) fn new(context: Context, grant: PublishGrant, now: Instant) -> Self {
        Self {
            context,
            grant,
            video: None,
            layers: Layers::default(),
            audio: None,
            active: None,
            clock: RtpClock::new(48_000),
            frames: None,
            sound: None,
            asked: None,
            epoch: now,
            heard: now,
        }
    }

    /// Whether the offer has something that we can take.
    pub(super) const fn takes_something(&self) -> bool {
        self.video.is_some() || self.audio.is_some()
    }

    fn data(&mut self, rtc: &mut Rtc, data: MediaData, now: Instant) -> Result<(), CloseReason> {
        let Some(codec) = codecs::ours(data.params.spec().codec) else { return Ok(()) };
        let track = codec.track();
        let wanted = match track {
            Track::Video => self.video.is_some_and(|(mid, _)| mid == data.mid),
            Track::Audio => self.audio == Some(data.mid),
        };
        if !wanted || data.data.is_empty() {
            return Ok(());
        }
        self.heard = now;
        if track == Track::Video && !self.takes_layer(rtc, codec, &data, now) {
            return Ok(());
        }
        if let Some(report) = &data.last_sender_info {
            self.clock.report(track, wall(report.ntp_time), report.rtp_time.numer() as u32);
        }
        let arrival = data.network_time.saturating_duration_since(self.epoch).as_micros() as Micros;
        let pts = self.clock.place(track, data.time.numer() as u32, arrival);
        let size = data.data.len();
        let frame = match track {
            Track::Audio => Some(self.audio_frame(data, pts)),
            Track::Video => self.video_frame(rtc, codec, data, pts, now),
        };
        if let Some(publishing) = &self.active {
            publishing.client.received(size);
        }
        let Some(frame) = frame else { return Ok(()) };
        self.publisher()?.push(frame);
        if self.active.as_ref().is_some_and(|active| active.publisher.key_wanted()) {
            self.ask(rtc, now);
        }
        Ok(())
    }

    /// Whether the picture is of the layer to take, which is the only one without simulcast.
    fn takes_layer(&mut self, rtc: &mut Rtc, codec: Codec, data: &MediaData, now: Instant) -> bool {
        let Some(rid) = data.rid else { return true };
        let pixels = if data.is_keyframe() { pixels(codec, data) } else { None };
        let choice = self.layers.choose(rid, pixels, now);
        if choice == Choice::Leave {
            return false;
        }
        self.video = Some((data.mid, Some(rid)));
        match choice {
            Choice::Ask => self.ask(rtc, now),
            Choice::Change => {
                // Each layer is a source of its own.
                self.clock.restart(Track::Video);
                self.frames = None;
            }
            Choice::Take | Choice::Leave => {}
        }
        choice != Choice::Ask
    }

    fn audio_frame(&mut self, data: MediaData, pts: Micros) -> Frame {
        // RTP's Opus is always of two channels (RFC 7587 7), whatever a packet has.
        let config = self.sound.get_or_insert_with(|| Arc::new(media::codec::opus::config_of_channels(2)));
        Frame { config: config.clone(), dts: pts, pts, key: true, data: Bytes::from_owner(data.data) }
    }

    fn video_frame(
        &mut self,
        rtc: &mut Rtc,
        codec: Codec,
        data: MediaData,
        pts: Micros,
        now: Instant,
    ) -> Option<Frame> {
        if self.frames.as_ref().is_none_or(|(known, _)| *known != codec) {
            self.frames = rtp::Video::new(codec).ok().map(|frames| (codec, frames));
        }
        let (_, frames) = self.frames.as_mut()?;
        if !data.contiguous {
            // What follows would be shown torn.
            frames.lost();
        }
        let read = frames.frame(Bytes::from_owner(data.data), pts);
        if frames.needs_key() {
            self.ask(rtc, now);
        }
        read.unwrap_or_else(|error| {
            // Who may not publish any more hears of it with the next good frame.
            if let Ok(publisher) = self.publisher() {
                publisher.bad_frame(&error);
            }
            None
        })
    }

    fn publisher(&mut self) -> Result<&mut Publisher, CloseReason> {
        if self.active.is_none() {
            let mut started = Publishing::start(&self.context.hub, &self.context.clients, &self.grant)?;
            // Browsers offer what they may never send.
            started.publisher.expect(self.audio.is_some(), self.video.is_some());
            started.publisher.promise_keys();
            self.active = Some(started);
        }
        let active = self.active.as_mut();
        active.map(|active| &mut active.publisher).ok_or(CloseReason::Idle)
    }

    /// Asks the sender for a key frame (PLI, RFC 4585 6.3.1).
    fn ask(&mut self, rtc: &mut Rtc, now: Instant) {
        let Some((mid, rid)) = self.video else { return };
        if self.asked.is_some_and(|asked| now < asked + ASK_AGAIN) {
            return;
        }
        let mut api = rtc.direct_api();
        if let Some(stream) = api.stream_rx_by_mid(mid, rid) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
            self.asked = Some(now);
        }
    }
}

/// The size of a key frame.
fn pixels(codec: Codec, data: &MediaData) -> Option<u64> {
    let frame = rtp::Video::new(codec).ok()?.frame(Bytes::from_owner(data.data.clone()), 0).ok()??;
    frame.config.video().map(|size| u64::from(size.width) * u64::from(size.height))
}

/// µs since 1970.
fn wall(time: SystemTime) -> Micros {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as Micros)
}

impl Side for Publish {
    fn agreed(&mut self, rtc: &mut Rtc, mid: Mid) {
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

    fn event(&mut self, rtc: &mut Rtc, event: Event, now: Instant) -> Result<(), CloseReason> {
        match event {
            Event::MediaData(data) => self.data(rtc, data, now),
            _ => Ok(()),
        }
    }

    async fn work(&mut self) -> Result<(), CloseReason> {
        let Some(active) = &self.active else { return Err(self.grant.revocation().revoked().await) };
        tokio::select! {
            reason = active.revoked() => Err(reason),
            () = active.publisher.key_asked() => Ok(()),
        }
    }

    fn act(&mut self, rtc: &mut Rtc, now: Instant) -> Result<(bool, Option<Instant>), CloseReason> {
        let limit = self.heard + self.context.limits.publish_timeout;
        if now >= limit {
            return Err(CloseReason::Idle);
        }
        if self.active.as_ref().is_some_and(|active| active.publisher.key_wanted()) {
            self.ask(rtc, now);
        }
        Ok((false, Some(limit)))
    }

    fn close(&mut self, reason: CloseReason) {
        match &self.active {
            Some(active) => active.client.close(reason),
            None => self.grant.abandoned(&reason),
        }
    }
}
