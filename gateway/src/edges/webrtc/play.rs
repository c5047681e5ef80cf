//! Hub to network: the part of a peer that plays a stream.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use media::time::{Micros, to_ticks};
use media::{Codec, Frame, Track};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::{Event, Rtc};

use super::catch_up::{CatchUp, Pacer};
use super::packets::{PacketizedFrame, Packets, clock_rate};
use super::peer::{NextStep, PeerRole};
use super::resends::Resends;
use super::rtc::Packetizer;
use super::track_sender::{Stamp, TrackSender};
use crate::core::close::CloseReason;
use crate::core::hub::ring::Cursor;
use crate::core::hub::{ClientHandle, Start, Stream};
use crate::derive::derived::{Derived, Holder};
use crate::derive::transcode::Want;
use crate::rtc::codecs;
use crate::web::problem::Problem;

/// The shortest time between two repairs of a viewer's video.
const REPAIR_INTERVAL: Duration = Duration::from_secs(1);

/// A viewer's position in the stream's packets.
struct PacketReader {
    packets: Holder<Packets>,
    cursor: Cursor<Arc<PacketizedFrame>>,
}

/// Plays one stream to one viewer.
pub(super) struct ViewerRole {
    stream: Arc<Stream>,
    want: Want,
    /// None until the viewer has connected: an offer whose client never connects makes no work.
    reader: Option<PacketReader>,
    handle: ClientHandle,
    revoked: Pin<Box<dyn Future<Output = CloseReason> + Send>>,
    pub(super) video: Option<TrackSender>,
    audio: Option<TrackSender>,
    /// None where str0m makes this viewer's packets and answers all its requests for lost ones.
    pub(super) resends: Option<Resends>,
    /// Tracks that the viewer wants, with codecs of which the gateway sends none.
    unsupported: Vec<Track>,
    /// Set while cached frames are being sent.
    catch_up: Option<CatchUp>,
    pacer: Pacer,
    /// The next frame, which has to wait.
    pending: Option<Arc<PacketizedFrame>>,
    /// The latest timestamp that was sent.
    newest_sent: Micros,
    /// Before this time the video is not repaired again.
    next_repair: Option<Instant>,
    /// Whether the publisher was asked for a key frame that this viewer waits for.
    awaits_key_frame: bool,
}

impl ViewerRole {
    /// Plays `stream` to the viewer of `handle`, whose packets `packetizer` makes.
    pub(super) fn new(stream: Arc<Stream>, handle: ClientHandle, packetizer: Packetizer, want: Want) -> Self {
        let revoked = Box::pin(handle.revocation().clone().into_revoked());
        Self {
            stream,
            want,
            reader: None,
            handle,
            revoked,
            video: None,
            audio: None,
            resends: (packetizer == Packetizer::Shared).then(|| Resends::new(0)),
            unsupported: Vec::new(),
            catch_up: None,
            pacer: Pacer::new(Instant::now()),
            pending: None,
            newest_sent: 0,
            next_repair: None,
            awaits_key_frame: false,
        }
    }

    const fn packetizer(&self) -> Packetizer {
        if self.resends.is_some() { Packetizer::Shared } else { Packetizer::PerViewer }
    }

    /// Checks that the viewer accepts the codecs that the stream has now. If not, returns the name of the
    /// first that it does not accept.
    fn accepts_stream(&self, rtc: &Rtc) -> Result<(), &'static str> {
        for (track, sender) in [(Track::Video, &self.video), (Track::Audio, &self.audio)] {
            let config = self.want.config(&self.stream, track);
            let Some(config) = config else { continue };
            let refused = match sender {
                Some(sender) => !sender.accepts(rtc, &config),
                None => self.unsupported.contains(&track),
            };
            if refused {
                return Err(config.codec.name());
            }
        }
        if self.video.is_none() && self.audio.is_none() { Err("anything") } else { Ok(()) }
    }

    /// Begins at the newest key frame, or at the next one if that is better.
    fn start(&mut self, now: Instant) {
        let packets = match self.reader.take() {
            Some(reader) => reader.packets,
            None => Derived::of(&self.stream, Packets { want: self.want.clone() }),
        };
        let start = self.stream.start(Start::Key);
        // Not the newest packet alone: for the first viewer the packets are still being made.
        let newest = self.stream.newest().max(packets.newest());
        self.reader = Some(PacketReader { cursor: packets.cursor(start), packets });
        self.awaits_key_frame = start == Start::Live;
        self.pending = None;
        self.catch_up = newest.filter(|_| start == Start::Key).map(CatchUp::to_live);
        if self.catch_up.is_some() {
            self.pacer = Pacer::new(now);
        }
    }

    /// Begins at the cached key frame: for the first time, or once more.
    fn restart_from_cache(&mut self, now: Instant) {
        let sent = self.newest_sent;
        self.start(now);
        if sent > 0 {
            self.catch_up = self.catch_up.map(|catch_up| catch_up.again(sent));
        }
    }

    /// Gives the viewer, which has lost its video, a key frame: a new one if the publisher can make one, else the
    /// cached one with all frames since.
    fn repair_video(&mut self, now: Instant) {
        if self.reader.is_none() || self.next_repair.is_some_and(|at| now < at) {
            return;
        }
        self.next_repair = Some(now + REPAIR_INTERVAL);
        self.awaits_key_frame = self.stream.makes_keys();
        if self.awaits_key_frame {
            self.stream.ask_key();
        } else {
            self.restart_from_cache(now);
        }
    }

    fn next_unit(&mut self) -> Option<Arc<PacketizedFrame>> {
        self.pending.take().or_else(|| self.reader.as_mut()?.cursor.try_next())
    }

    /// Sends a frame.
    fn send(&mut self, rtc: &mut Rtc, unit: &PacketizedFrame, now: Instant) -> Result<(), CloseReason> {
        let frame = &unit.frame;
        let sender = match frame.track() {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        };
        let (Some(sender), Some(reader)) = (sender, &self.reader) else { return Ok(()) };
        let pt = sender.payload_type(rtc, &frame.config).ok_or_else(|| {
            let text = format!("the viewer's offer has no codec for {}", frame.config.codec.name());
            CloseReason::Unsupported(text)
        })?;
        if self.resends.is_some() && unit.payloads.is_empty() {
            let text =
                format!("the stream's codec is {} now: start the player again", frame.config.codec.name());
            return Err(CloseReason::Unsupported(text));
        }
        let (rtp, time) = timestamp(self.catch_up.as_mut(), unit);
        let stamp = Stamp { pt, rtp, moment: reader.packets.shared().moment(time) };
        self.newest_sent = self.newest_sent.max(time);
        self.handle.reached(frame.dts);
        let bytes = match &mut self.resends {
            Some(resends) => sender.send_packets(rtc, unit, stamp, resends, now),
            None => sender.send_frame(rtc, frame, stamp)?,
        };
        self.handle.sent(bytes);
        Ok(())
    }
}

/// The RTP timestamp of a frame, and its time in the stream. Cached frames get compressed ones.
fn timestamp(catch_up: Option<&mut CatchUp>, unit: &PacketizedFrame) -> (u32, Micros) {
    let Frame { pts, ref config, .. } = unit.frame;
    match catch_up.filter(|catch_up| catch_up.includes(pts)) {
        None => (unit.rtp, pts),
        Some(catch_up) => {
            let (time, rate) = (catch_up.compress(pts), clock_rate(config.codec));
            let step = to_ticks(time, rate) - to_ticks(pts, rate);
            (unit.rtp.wrapping_add(step as u32), time)
        }
    }
}

/// The response to a viewer that does not accept the stream's codec.
pub(super) fn unsupported_codec(codec: &str) -> Problem {
    let text = format!("the stream is {codec}, which the offer does not receive");
    Problem::new(StatusCode::NOT_ACCEPTABLE, text)
}

/// Returns the packetizer for a stream.
pub(super) fn packetizer(stream: &Stream) -> Packetizer {
    match stream.config(Track::Video) {
        Some(config) if config.codec != Codec::H264 => Packetizer::PerViewer,
        _ => Packetizer::Shared,
    }
}

async fn next_unit(reader: &mut Option<PacketReader>) -> Option<Arc<PacketizedFrame>> {
    match reader {
        Some(reader) => reader.cursor.next().await,
        None => std::future::pending().await,
    }
}

impl PeerRole for ViewerRole {
    fn add_media(&mut self, rtc: &mut Rtc, mid: Mid) {
        let Some(media) = rtc.media(mid) else { return };
        if !matches!(media.direction(), Direction::SendOnly | Direction::SendRecv) {
            return;
        }
        let (kind, has_codec) = (media.kind(), !media.remote_pts().is_empty());
        if !has_codec {
            self.unsupported.push(if kind == MediaKind::Video { Track::Video } else { Track::Audio });
            return;
        }
        let sender = TrackSender::new(rtc, mid, self.packetizer());
        match kind {
            MediaKind::Video => {
                self.video.get_or_insert(sender);
                let stream = rtc.direct_api().stream_tx_by_mid(mid, None).map(|stream| *stream.ssrc());
                if let (Some(ssrc), Some(resends)) = (stream, &mut self.resends) {
                    *resends = Resends::new(ssrc);
                }
            }
            MediaKind::Audio => {
                self.audio.get_or_insert(sender);
            }
        }
    }

    fn check_media(&mut self, rtc: &Rtc) -> Result<(), Problem> {
        self.accepts_stream(rtc).map_err(|codec| {
            let problem = unsupported_codec(codec);
            self.handle.close(CloseReason::Unsupported(problem.detail.clone()));
            problem
        })
    }

    fn resends(&mut self) -> Option<&mut Resends> {
        self.resends.as_mut()
    }

    fn handle_event(&mut self, _: &mut Rtc, event: Event, now: Instant) -> Result<(), CloseReason> {
        match event {
            Event::KeyframeRequest(_) => self.repair_video(now),
            Event::EgressBitrateEstimate(estimate) => {
                codecs::bitrate(estimate).into_iter().for_each(|bits| self.handle.estimated(bits));
            }
            _ => {}
        }
        Ok(())
    }

    async fn ready(&mut self) -> Result<(), CloseReason> {
        tokio::select! {
            biased;
            // A frame that waits for its time must go first.
            unit = next_unit(&mut self.reader), if self.pending.is_none() => match unit {
                Some(unit) => self.pending = Some(unit),
                None => return Err(CloseReason::StreamEnded),
            },
            reason = &mut self.revoked => return Err(reason),
        }
        Ok(())
    }

    fn advance(&mut self, rtc: &mut Rtc, now: Instant) -> Result<NextStep, CloseReason> {
        if self.reader.is_none() {
            self.start(now);
        } else if self.awaits_key_frame && !self.stream.makes_keys() {
            self.restart_from_cache(now);
        }
        while let Some(unit) = self.next_unit() {
            let frame = &unit.frame;
            let is_cached = self.catch_up.is_some_and(|catch_up| catch_up.includes(frame.pts));
            if is_cached {
                if frame.track() == Track::Audio {
                    continue;
                }
                if let Err(at) = self.pacer.spend(frame.data.len() as u64, now) {
                    self.pending = Some(unit);
                    return Ok(NextStep::WaitUntil(at));
                }
            } else if frame.is_video() {
                // Only video ends the catch-up. Audio may be ahead of the video, by seconds where the video
                // is encoded again, and cached video that still comes must not step back behind what was sent
                // of it.
                self.catch_up = None;
            }
            self.awaits_key_frame &= !frame.key || !frame.is_video();
            self.send(rtc, &unit, now)?;
            // Cached frames go out one by one: memory for what str0m queues at once stays allocated.
            if is_cached || self.packetizer() == Packetizer::PerViewer {
                return Ok(NextStep::Continue);
            }
        }
        Ok(NextStep::Wait)
    }

    fn close(&mut self, reason: CloseReason) {
        self.handle.close(reason);
    }
}
