//! Hub to wire: a viewer's side of a peer.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::time::{MILLI, Micros, SECOND, to_ticks};
use media::{Codec, Track};
use str0m::media::{Direction, MediaKind, MediaTime, Mid, Pt};
use str0m::rtp::{RtpWrite, SeqNo};
use str0m::{Event, Rtc};

use super::codecs;
use super::packets::{Packets, Unit, clock_rate};
use super::peer::{Side, broken};
use super::resends::{self, Resends};
use crate::core::close::CloseReason;
use crate::core::hub::ring::Cursor;
use crate::core::hub::{ClientHandle, Start, Stream};
use crate::derive::transcode::{self, Reencoders, Sound};

/// Resends are kept for this long, and for as many packets as [`resends::MAX_PACKETS`]: at 2 Mb/s more than half a
/// second. Each is nearly half a kilobyte for each viewer, beside what all share; fewer do not cover the cached
/// pictures that a viewer on a bad network begins with.
const RESEND_TIME: Duration = Duration::from_millis(800);
/// Not more than this part of what is sent are resends, where str0m makes the packets and [`Resends`] knows none.
const RESEND_RATIO: f32 = 0.25;
/// The past is sent this fast, in bytes a second.
const CATCH_UP: u64 = 3_000_000;
/// And so many bytes of it at once: a socket's usual buffer takes them.
const BURST: u64 = 64 << 10;
/// What lies in the past is laid on so much time before the present: it is decoded, not watched.
const SQUASHED: Micros = 60 * MILLI;
/// A viewer that lost the picture gets it from the cache at most this often.
const AGAIN: Duration = Duration::from_secs(1);

/// A track as this viewer gets it.
pub(super) struct Sender {
    mid: Mid,
    /// The next packet's.
    pub(super) seq: SeqNo,
    /// The codec that is sent now and its payload type; none where the viewer has not taken it.
    codec: Option<(Codec, Option<Pt>)>,
    /// The payload type for packets that have the one before in them, if the viewer takes such.
    red: Option<Pt>,
}

/// The past, laid on a short time: its first frame comes at `to`, and `until` at `end`.
#[derive(Debug, Clone, Copy)]
struct Squash {
    /// The first frame's time, once there was one.
    from: Option<Micros>,
    until: Micros,
    /// None: so much before the end as is usual.
    to: Option<Micros>,
    end: Micros,
}

impl Squash {
    fn lay(&mut self, time: Micros) -> Micros {
        let from = *self.from.get_or_insert(time);
        let span = (self.until - from).max(1);
        let to = *self.to.get_or_insert(self.end - span.min(SQUASHED));
        to + (time - from) * (self.end - to) / span
    }
}

/// Where a viewer is in the stream's packets.
struct Reader {
    packets: Arc<Packets>,
    cursor: Cursor<Arc<Unit>>,
}

/// One who watches.
pub(super) struct Play {
    stream: Arc<Stream>,
    reencoders: Reencoders,
    /// None until the viewer has connected: nothing is made for an offer that comes to nothing.
    reader: Option<Reader>,
    handle: ClientHandle,
    revoked: Pin<Box<dyn Future<Output = CloseReason> + Send>>,
    /// Whether whole frames are handed to str0m.
    frames: bool,
    pub(super) video: Option<Sender>,
    audio: Option<Sender>,
    /// None where whole frames are handed to str0m.
    pub(super) resends: Option<Resends>,
    /// What the viewer wants, by codecs of which we send none.
    strange: Vec<Track>,
    squash: Option<Squash>,
    /// What may be sent of the past now, and when that was reckoned.
    budget: (u64, Instant),
    waiting: Option<Arc<Unit>>,
    last: Micros,
    again: Option<Instant>,
    /// The publisher was asked for a key frame, which this viewer waits for.
    hopes: bool,
}

impl Play {
    pub(super) fn new(
        stream: Arc<Stream>,
        handle: ClientHandle,
        frames: bool,
        reencoders: Reencoders,
    ) -> Self {
        let revoked = Box::pin(handle.revocation().clone().into_revoked());
        Self {
            stream,
            reencoders,
            reader: None,
            handle,
            revoked,
            frames,
            video: None,
            audio: None,
            resends: (!frames).then(Resends::default),
            strange: Vec::new(),
            squash: None,
            budget: (0, Instant::now()),
            waiting: None,
            last: 0,
            again: None,
            hopes: false,
        }
    }

    /// Whether the viewer can be sent what the stream has now; else the name of what it can't take.
    pub(super) fn can_take(&self, rtc: &Rtc) -> Result<(), &'static str> {
        for (track, sender) in [(Track::Video, &self.video), (Track::Audio, &self.audio)] {
            let config = transcode::config(&self.stream, Sound::Opus, track);
            let Some(config) = config else { continue };
            let lost = match sender {
                Some(sender) => codecs::payload_type(rtc, sender.mid, &config).is_none(),
                None => self.strange.contains(&track),
            };
            if lost {
                return Err(config.codec.name());
            }
        }
        if self.video.is_none() && self.audio.is_none() { Err("anything") } else { Ok(()) }
    }

    /// Begins at the newest key frame, or at the next where that is better.
    fn start(&mut self, now: Instant) {
        let packets = match self.reader.take() {
            Some(reader) => reader.packets,
            None => Packets::of(&self.stream, &self.reencoders),
        };
        let start = self.stream.start(Start::Key);
        let newest = self.stream.newest().max(packets.newest());
        self.reader = Some(Reader { cursor: packets.reader(start), packets });
        self.hopes = start == Start::Live;
        self.waiting = None;
        self.squash = None;
        // Not what the packets have: those of the first viewer are only being made.
        if let Some(until) = newest.filter(|_| start == Start::Key) {
            self.squash = Some(Squash { from: None, until, to: None, end: until });
            self.budget = (BURST, now);
        }
    }

    /// Sends what is due.
    fn send(&mut self, rtc: &mut Rtc, now: Instant) -> Result<(bool, Option<Instant>), CloseReason> {
        if self.reader.is_none() {
            self.start(now);
        } else if self.hopes && !self.stream.makes_keys() {
            self.again_from_cache(now);
        }
        loop {
            let next = |reader: &mut Reader| reader.cursor.try_next();
            let Some(unit) = self.waiting.take().or_else(|| self.reader.as_mut().and_then(next)) else {
                return Ok((false, None));
            };
            let past = self.squash.is_some_and(|squash| unit.frame.pts < squash.until);
            if past {
                if unit.frame.track() == Track::Audio {
                    continue;
                }
                let size = unit.frame.data.len() as u64;
                let (left, since) = self.budget;
                let earned = (now - since).as_micros() as u64 * CATCH_UP / SECOND as u64;
                let left = (left + earned).min(BURST);
                self.budget = (left, now);
                if left < size.min(BURST) {
                    let missing = (size.min(BURST) - left) * SECOND as u64 / CATCH_UP;
                    self.waiting = Some(unit);
                    return Ok((false, Some(now + Duration::from_micros(missing.max(500)))));
                }
                self.budget.0 = left.saturating_sub(size);
            } else if unit.frame.is_video() {
                // Audio may be ahead of the video, by seconds where the video is encoded anew: the video that still
                // comes from before the end of the past must not step back behind what was sent of it.
                self.squash = None;
            }
            self.hopes &= !unit.frame.key || !unit.frame.is_video();
            self.write(rtc, &unit, now)?;
            // The past in pieces: what is queued at once stays allocated.
            if self.frames || past {
                return Ok((true, None));
            }
        }
    }

    fn write(&mut self, rtc: &mut Rtc, unit: &Unit, now: Instant) -> Result<(), CloseReason> {
        let frame = &unit.frame;
        let codec = frame.config.codec;
        let sender = match frame.track() {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        };
        let Some(sender) = sender else { return Ok(()) };
        if sender.codec.is_none_or(|(known, _)| known != codec) {
            let pt = codecs::payload_type(rtc, sender.mid, &frame.config);
            sender.codec = Some((codec, pt));
            sender.red = pt.and_then(|pt| codecs::redundant(rtc, pt));
        }
        let Some((_, Some(pt))) = sender.codec else {
            let text = format!("the viewer has no way to take {}", codec.name());
            return Err(CloseReason::Unsupported(text));
        };
        if !self.frames && unit.payloads.is_empty() {
            let text = format!("the stream is {} now: play it anew", codec.name());
            return Err(CloseReason::Unsupported(text));
        }
        let rate = clock_rate(codec);
        let (rtp, time) = match self.squash.as_mut().filter(|squash| frame.pts < squash.until) {
            None => (unit.rtp, frame.pts),
            Some(squash) => {
                let time = squash.lay(frame.pts);
                let step = to_ticks(time, rate) - to_ticks(frame.pts, rate);
                (unit.rtp.wrapping_add(step as u32), time)
            }
        };
        let Some(reader) = &self.reader else { return Ok(()) };
        let moment = reader.packets.moment(time);
        self.last = self.last.max(time);
        self.handle.reached(frame.dts);
        if self.frames {
            let Some(writer) = rtc.writer(sender.mid) else { return Ok(()) };
            let time = MediaTime::new(rtp.into(), codecs::frequency(rate));
            let data = codecs::wire(frame);
            self.handle.sent(data.len());
            return writer.write(pt, moment, time, data).map_err(broken);
        }
        let mut api = rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(sender.mid, None) else { return Ok(()) };
        let (last, mut bytes) = (unit.payloads.len() - 1, 0);
        for (index, payload) in unit.payloads.iter().enumerate() {
            let (mut pt, mut payload, seq) = (pt, payload.clone(), sender.seq.inc());
            match &mut self.resends {
                Some(resends) if frame.is_video() => resends.sent(*seq as u16, payload.len(), now),
                Some(resends) if resends.lossy(now) => {
                    let red = |(before, ticks): &(Arc<[u8]>, u32)| codecs::red(pt, &payload, before, *ticks);
                    if let (Some(by), Some(both)) = (sender.red, unit.before.as_ref().and_then(red)) {
                        (pt, payload) = (by, both);
                    }
                }
                _ => {}
            }
            bytes += payload.len();
            let packet = RtpWrite::new(pt, seq, rtp, moment, payload)
                .marker(index == last && codec != Codec::Opus)
                .nackable(codec != Codec::Opus);
            stream.write_rtp(packet);
        }
        self.handle.sent(bytes);
        Ok(())
    }

    /// The viewer has lost the picture: a new key frame where the publisher can make one, else the last
    /// one again with all that followed, in no time.
    fn lost(&mut self, now: Instant) {
        if self.reader.is_none() || self.again.is_some_and(|again| now < again) {
            return;
        }
        self.again = Some(now + AGAIN);
        self.hopes = self.stream.makes_keys();
        if self.hopes {
            self.stream.ask_key();
        } else {
            self.again_from_cache(now);
        }
    }

    /// Begins with the cached key frame: for the first time, or once more.
    fn again_from_cache(&mut self, now: Instant) {
        let (last, began) = (self.last, self.last > 0);
        self.start(now);
        if let Some(squash) = self.squash.as_mut().filter(|_| began) {
            // After all that was sent, the newest once more too, and before what comes next.
            let (to, until) = (Some(last + MILLI), squash.until + 1);
            *squash = Squash { until, to, end: last.max(until) + 6 * MILLI, ..*squash };
        }
    }
}

async fn next(reader: &mut Option<Reader>) -> Option<Arc<Unit>> {
    match reader {
        Some(reader) => reader.cursor.next().await,
        None => std::future::pending().await,
    }
}

impl Side for Play {
    fn agreed(&mut self, rtc: &mut Rtc, mid: Mid) {
        let Some(media) = rtc.media(mid) else { return };
        if !matches!(media.direction(), Direction::SendOnly | Direction::SendRecv) {
            return;
        }
        if media.remote_pts().is_empty() {
            let kind = media.kind();
            self.strange.push(if kind == MediaKind::Video { Track::Video } else { Track::Audio });
            return;
        }
        let kind = media.kind();
        let slot = match kind {
            MediaKind::Video => &mut self.video,
            MediaKind::Audio => &mut self.audio,
        };
        // Sequence numbers begin in the lower half: a first loss must not look like a wrap.
        let seq = SeqNo::from(u64::from(rand::random::<u16>() >> 1));
        slot.get_or_insert(Sender { mid, seq, codec: None, red: None });
        if let Some(stream) = rtc.direct_api().stream_tx_by_mid(mid, None) {
            stream.set_rtx_cache(resends::MAX_PACKETS, RESEND_TIME, self.frames.then_some(RESEND_RATIO));
            if let Some(resends) = self.resends.as_mut().filter(|_| kind == MediaKind::Video) {
                *resends = Resends::of(*stream.ssrc());
            }
        }
    }

    fn resends(&mut self) -> Option<&mut Resends> {
        self.resends.as_mut()
    }

    fn event(&mut self, _: &mut Rtc, event: Event, now: Instant) -> Result<(), CloseReason> {
        match event {
            Event::KeyframeRequest(_) => self.lost(now),
            Event::EgressBitrateEstimate(estimate) => {
                codecs::bitrate(estimate).into_iter().for_each(|bits| self.handle.estimated(bits));
            }
            _ => {}
        }
        Ok(())
    }

    async fn work(&mut self) -> Result<(), CloseReason> {
        tokio::select! {
            biased;
            // One that waits for its time is enough.
            unit = next(&mut self.reader), if self.waiting.is_none() => match unit {
                Some(unit) => self.waiting = Some(unit),
                None => return Err(CloseReason::StreamEnded),
            },
            reason = &mut self.revoked => return Err(reason),
        }
        Ok(())
    }

    fn act(&mut self, rtc: &mut Rtc, now: Instant) -> Result<(bool, Option<Instant>), CloseReason> {
        self.send(rtc, now)
    }

    fn close(&mut self, reason: CloseReason) {
        self.handle.close(reason);
    }
}
