//! Converts a transport stream to frames.

use std::collections::VecDeque;

use bytes::Bytes;

use super::FORMAT;
use super::audio::AudioStream;
use super::packet::{Found, Framer, Packet};
use super::pes::{Assembler, Pes};
use super::psi::{self, Sections, Stream};
use super::video::VideoStream;
use crate::config::{Codec, Track};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::time::{Micros, Unwrapper, from_ticks};

/// An element of a transport stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The supported streams of the program, when they become known and when they change. A stream with an
    /// unsupported codec is reported as an error before.
    Tracks {
        /// The video codec.
        video: Option<Codec>,
        /// The audio codec.
        audio: Option<Codec>,
    },
    /// A frame. Each track's frames come in decode order; the tracks interleave as in the stream.
    Frame(Frame),
}

/// Maximum number of events that wait behind an incomplete video frame: a little more than a second of audio.
const MAX_HELD: usize = 64;

enum Reader {
    Video(Box<VideoStream>),
    Audio(AudioStream),
}

/// One elementary stream.
struct Elementary {
    stream: Stream,
    pes: Assembler,
    reader: Reader,
}

/// An incremental demuxer: [`Demuxer::push`] bytes in any chunks, and read events by [`Demuxer::next`].
///
/// The demuxer can start in the middle of a stream, finds packets again after lost bytes, and drops access units with
/// missing packets (video continues with the next key frame). It never fails for good: after an error, the
/// next call continues. Memory is bounded by two PES packets of 8 MiB and the events not read yet. Times are
/// the stream's own, unwrapped from 33 bits, in µs.
#[derive(Default)]
pub struct Demuxer {
    framer: Framer,
    program: Program,
}

/// State above the packet layer.
#[derive(Default)]
struct Program {
    pat: Sections,
    pmt: Sections,
    pmt_pid: Option<u16>,
    streams: Option<Vec<Stream>>,
    elementary: Vec<Elementary>,
    clock: Unwrapper<33>,
    events: VecDeque<Result<Event>>,
    /// Position among the events that is reserved for the waiting video frame, to keep the order.
    held: Option<usize>,
}

impl Demuxer {
    /// Creates a demuxer without any knowledge of the stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes of the stream and processes them. The events wait for `next`.
    pub fn push(&mut self, bytes: Bytes) {
        let Self { framer, program } = self;
        framer.push(&bytes, |offset, found| program.found(offset, found));
    }

    /// Returns the next event, if there is one.
    #[expect(clippy::should_implement_trait, reason = "None is not the end: more bytes may follow")]
    pub fn next(&mut self) -> Option<Result<Event>> {
        let program = &mut self.program;
        match &mut program.held {
            Some(0) => return None,
            Some(held) => *held -= 1,
            None => {}
        }
        program.events.pop_front()
    }

    /// Reports that the input ends here, or that the following packets do not continue it (the end of an HLS
    /// segment). Outputs the last frames and drops incomplete ones. Configurations, tables and the clock
    /// stay.
    pub fn flush(&mut self) {
        let Self { framer, program } = self;
        framer.flush(|offset, found| program.found(offset, found));
        program.flush(framer.offset);
    }
}

impl Program {
    fn found(&mut self, offset: u64, found: Found<'_>) {
        match found {
            Found::Packet(packet) if packet.pid == 0 => self.pat(&packet),
            Found::Packet(packet) if Some(packet.pid) == self.pmt_pid => self.pmt(offset, &packet),
            Found::Packet(packet) => self.media(offset, &packet),
            Found::Lost => {
                for elementary in &mut self.elementary {
                    elementary.pes.lost();
                    elementary.reader.lost();
                }
                self.held = None;
                self.events.push_back(Err(Error::invalid(FORMAT, offset, "sync byte")));
            }
        }
    }

    fn pat(&mut self, packet: &Packet<'_>) {
        let pmt_pid = &mut self.pmt_pid;
        self.pat.push(packet.start, packet.counter, packet.payload, |section| {
            *pmt_pid = psi::pmt_pid(section, *pmt_pid).or(*pmt_pid);
        });
    }

    fn pmt(&mut self, offset: u64, packet: &Packet<'_>) {
        let mut read = None;
        self.pmt.push(packet.start, packet.counter, packet.payload, |section| {
            read = psi::streams(section).or(read.take());
        });
        if let Some(streams) = read.filter(|streams| self.streams.as_ref() != Some(streams)) {
            self.program(offset, streams);
        }
    }

    /// Applies a new program map: unchanged streams keep their state.
    fn program(&mut self, offset: u64, streams: Vec<Stream>) {
        let find = |track| {
            let of_track = |s: &&Stream| s.codec.is_some_and(|codec| codec.track() == track);
            streams.iter().find(of_track).copied()
        };
        let chosen = [find(Track::Video), find(Track::Audio)];
        for (track, what) in [(Track::Video, "video stream type"), (Track::Audio, "audio stream type")] {
            if find(track).is_none() && streams.iter().any(|s| s.foreign == Some(track)) {
                self.events.push_back(Err(Error::unsupported_track(FORMAT, offset, track, what)));
            }
        }
        let mut old = std::mem::take(&mut self.elementary);
        for stream in chosen.iter().flatten() {
            let kept = old.iter().position(|e| e.stream == *stream).map(|at| old.swap_remove(at));
            self.elementary.extend(kept.or_else(|| Elementary::new(*stream)));
        }
        for mut ended in old {
            if let Some(pes) = ended.pes.flush() {
                self.pes(offset, &mut ended.reader, &pes);
            }
            self.flush_video(offset, &mut ended.reader);
        }
        let codec = |stream: Option<Stream>| stream.and_then(|s| s.codec);
        let (video, audio) = (codec(chosen[0]), codec(chosen[1]));
        self.events.push_back(Ok(Event::Tracks { video, audio }));
        self.streams = Some(streams);
    }

    fn media(&mut self, offset: u64, packet: &Packet<'_>) {
        let Some(at) = self.elementary.iter().position(|e| e.stream.pid == packet.pid) else { return };
        // Removed while its frames are made, so that the clock and the events can be borrowed.
        let mut elementary = self.elementary.swap_remove(at);
        let step = elementary.pes.push(packet);
        if step.lost {
            elementary.reader.lost();
            if let Reader::Video(_) = elementary.reader {
                self.held = None;
            }
            self.events.push_back(Err(Error::invalid(FORMAT, offset, "continuity counter")));
        }
        for pes in step.done.iter().flatten() {
            self.pes(offset, &mut elementary.reader, pes);
        }
        if self.held.is_some_and(|held| self.events.len() - held > MAX_HELD) {
            self.flush_video(offset, &mut elementary.reader);
            let mut others = std::mem::take(&mut self.elementary);
            others.iter_mut().for_each(|other| self.flush_video(offset, &mut other.reader));
            self.elementary = others;
        }
        self.elementary.push(elementary);
    }

    /// Passes on the waiting video frame.
    fn flush_video(&mut self, offset: u64, reader: &mut Reader) {
        if let Reader::Video(video) = reader {
            let (events, held) = (&mut self.events, &mut self.held);
            video.flush(|frame| put(events, held, offset, frame));
            *held = None;
        }
    }

    fn pes(&mut self, offset: u64, reader: &mut Reader, pes: &Pes) {
        let time = pes.pts.map(|pts| self.time(pts, pes.dts.unwrap_or(pts)));
        let (events, held) = (&mut self.events, &mut self.held);
        match (reader, time) {
            (Reader::Video(video), Some((dts, pts))) => {
                video.packet(dts, pts, pes.data(), |frame| put(events, held, offset, frame));
                *held = if video.holds() { held.or(Some(events.len())) } else { None };
            }
            (Reader::Video(_), None) => {
                events.push_back(Err(Error::unsupported(FORMAT, offset, "PES packet without PTS")));
            }
            (Reader::Audio(audio), time) => {
                audio.packet(time.map(|(_, pts)| pts), pes.data(), |frame| {
                    put(events, &mut None, offset, frame)
                });
            }
        }
    }

    /// Converts 33-bit ticks to (dts, pts) in µs. Both tracks share one unwrapper, so a wrap does not
    /// separate them.
    fn time(&mut self, pts: u64, dts: u64) -> (Micros, Micros) {
        let dts_ticks = self.clock.unwrap(dts);
        // A pts cannot be before its dts; the difference wraps like the clock.
        let ahead = (pts.wrapping_sub(dts) & 0x1_ffff_ffff) as i64;
        let ahead = if ahead >> 32 == 1 { 0 } else { ahead };
        (from_ticks(dts_ticks, 90_000), from_ticks(dts_ticks + ahead, 90_000))
    }

    fn flush(&mut self, offset: u64) {
        for mut elementary in std::mem::take(&mut self.elementary) {
            if let Some(pes) = elementary.pes.flush() {
                self.pes(offset, &mut elementary.reader, &pes);
            }
            self.flush_video(offset, &mut elementary.reader);
            self.elementary.push(elementary);
        }
    }
}

/// Appends a frame to the events, or inserts it at its reserved position. The codecs' error offsets count
/// from their own input; `offset` is the position in the stream.
fn put(events: &mut VecDeque<Result<Event>>, held: &mut Option<usize>, offset: u64, frame: Result<Frame>) {
    let at = if frame.is_ok() { held.take() } else { None };
    let event = frame.map(Event::Frame).map_err(|error| error.at(offset));
    events.insert(at.unwrap_or(events.len()), event);
}

impl Elementary {
    fn new(stream: Stream) -> Option<Self> {
        let codec = stream.codec?;
        let reader = match codec.track() {
            Track::Video => Reader::Video(Box::new(VideoStream::new(codec))),
            Track::Audio => Reader::Audio(AudioStream::new(codec, stream.channels)),
        };
        Some(Self { stream, pes: Assembler::new(), reader })
    }
}

impl Reader {
    fn lost(&mut self) {
        match self {
            Self::Video(video) => video.lost(),
            Self::Audio(audio) => audio.lost(),
        }
    }
}
