//! The JavaScript interface of one stream: its engine.
//!
//! Numbers are passed as f64: milliseconds (wall clock) and seconds (media time). Bytes to append stay in
//! wasm memory: [`Engine::pointer`] and [`Engine::length`] are valid until the next call of any method.

use bytes::Bytes;
use media::time::Micros;
use media::{Codec, Config, Track};
use wasm_bindgen::prelude::*;

use crate::border::{ActionName, CodecName, LatencyName, PieceKind, StreamFormat, TrackName};
use crate::pacing::{Action, Pacer, Playhead};
use crate::remux::{Chunk, Remuxer};
use crate::source::{self, Event, Source};

fn millis(value: f64) -> Micros {
    (value * 1e3) as Micros
}

pub(crate) fn seconds(value: f64) -> Micros {
    (value * 1e6) as Micros
}

pub(crate) fn to_seconds(value: Micros) -> f64 {
    value as f64 / 1e6
}

/// One stream: network bytes in, pieces to append out, and instructions for the playhead.
#[wasm_bindgen]
pub struct Engine {
    source: Box<dyn Source>,
    /// Whether the stream is MPEG-TS.
    ts: bool,
    remuxer: Remuxer,
    pacer: Pacer,
    playhead: Playhead,
    /// The piece that is being appended.
    front: Bytes,
    mime: String,
    value: f64,
    duration: Micros,
    frames: u32,
    /// Number of frames of all tracks.
    all: u32,
    bad: u32,
    /// The codec of the notice that was taken last.
    noticed: Option<Codec>,
    ranges: Vec<(Micros, Micros)>,
}

#[wasm_bindgen]
impl Engine {
    /// Creates the engine of a new stream. MediaSource plays no codec yet: see [`Engine::allow`].
    #[wasm_bindgen(constructor)]
    pub fn new(format: StreamFormat, latency: LatencyName) -> Self {
        let ts = format != StreamFormat::Flv;
        Self {
            source: source::new(ts),
            ts,
            remuxer: Remuxer::new(&[], ts),
            pacer: Pacer::new(latency.into(), format == StreamFormat::Hls),
            playhead: Playhead::default(),
            front: Bytes::new(),
            mime: String::new(),
            value: 0.0,
            duration: 0,
            frames: 0,
            all: 0,
            bad: 0,
            noticed: None,
            ranges: Vec::new(),
        }
    }

    /// Reports that MediaSource plays a codec.
    pub fn allow(&mut self, codec: CodecName) {
        if let Some(codec) = codec.codec() {
            self.remuxer.allow(codec);
        }
    }

    /// Adds bytes that arrived from the network at `now`.
    pub fn push(&mut self, data: Vec<u8>, now: f64) {
        self.source.push(data.into());
        self.drain(now);
    }

    /// Marks the bytes so far as complete: an HLS segment, or the whole stream.
    pub fn flush(&mut self, now: f64) {
        self.source.flush();
        self.drain(now);
    }

    /// Marks the end of the stream.
    pub fn finish(&mut self, now: f64) {
        self.flush(now);
        self.remuxer.flush();
        self.arrived(now);
    }

    /// Starts a new connection: the following bytes do not continue the ones before.
    pub fn reconnect(&mut self) {
        self.source = source::new(self.ts);
        self.remuxer.restart();
    }

    /// Marks a discontinuity in a playlist: the following timestamps are unrelated to the ones before.
    pub fn discontinuity(&mut self, now: f64) {
        self.flush(now);
        self.remuxer.restart();
    }

    /// Announces a segment that begins at the media time `at`.
    pub fn place(&mut self, at: f64, now: f64) {
        self.flush(now);
        self.source = source::new(self.ts);
        self.remuxer.place(seconds(at));
    }

    /// Seeks: the following bytes begin at the media time `at`. The caller removes what was buffered.
    pub fn seek(&mut self, at: f64) {
        self.source = source::new(self.ts);
        self.remuxer.seek(seconds(at));
    }

    /// Returns the media time up to which everything was output.
    pub fn end(&self) -> f64 {
        to_seconds(self.remuxer.reached())
    }

    /// Returns the stream's duration in seconds from a file's header; 0 without one.
    pub fn duration(&self) -> f64 {
        to_seconds(self.duration)
    }

    /// Returns the number of bytes that wait for [`Engine::take`].
    pub fn pending(&self) -> usize {
        self.remuxer.pending()
    }

    /// Reports a broken MediaSource: the following bytes, from a new connection, go to a new one.
    pub fn rebuild(&mut self) {
        self.source = source::new(self.ts);
        self.remuxer.rebuild();
    }

    fn drain(&mut self, now: f64) {
        let wall = millis(now);
        while let Some(event) = self.source.next() {
            match event {
                Event::Promise { video, audio } => self.remuxer.promise(video, audio),
                Event::Frame(frame) => {
                    self.frames = self.frames.wrapping_add(frame.is_video().into());
                    self.all = self.all.wrapping_add(1);
                    self.remuxer.push(wall, frame);
                }
                Event::Duration(duration) => self.duration = duration,
                Event::Unsupported(track) => self.remuxer.unsupported(track),
                Event::Bad => self.bad = self.bad.wrapping_add(1),
            }
        }
        self.remuxer.poll(wall);
        self.arrived(now);
    }

    fn arrived(&mut self, now: f64) {
        let end = self.remuxer.end();
        if end > 0 {
            let [video, audio] = self.remuxer.configs().map(|config| config.is_some());
            self.pacer.set_sound(audio && (video || end > 0));
            self.pacer.arrived(millis(now), end);
        }
    }

    /// Takes the next piece to append, if there is one.
    pub fn take(&mut self) -> Option<PieceKind> {
        Some(match self.remuxer.take()? {
            Chunk::Media(data) => {
                self.front = data.into();
                PieceKind::Fragments
            }
            Chunk::Init(init) => {
                self.front = init.data;
                self.mime = init.mime;
                if init.rebuild {
                    self.pacer.rebuilt();
                    PieceKind::Rebuild
                } else {
                    PieceKind::Init
                }
            }
        })
    }

    /// Returns the address of the piece in memory.
    pub fn pointer(&self) -> *const u8 {
        self.front.as_ptr()
    }

    /// Returns the size of the piece in bytes.
    pub fn length(&self) -> usize {
        self.front.len()
    }

    /// Returns the MIME type of the newest initialisation segment.
    pub fn mime(&self) -> String {
        self.mime.clone()
    }

    /// Returns the track of the next notice: the browser cannot play it. [`Engine::noticed`] tells more.
    pub fn notice(&mut self) -> Option<TrackName> {
        let notice = self.remuxer.notice()?;
        self.noticed = notice.codec;
        Some(notice.track.into())
    }

    /// Returns the codec of the notice that [`Engine::notice`] returned; none if it is unknown here.
    pub fn noticed(&self) -> Option<CodecName> {
        self.noticed.and_then(CodecName::of)
    }

    /// Returns whether the stream is unreadable for good.
    pub fn failed(&self) -> bool {
        self.source.failed()
    }

    /// Changes the latency mode.
    pub fn set_latency(&mut self, latency: LatencyName) {
        self.pacer.set_latency(latency.into());
    }

    /// Plays from the beginning at normal speed, as for a file. `fresh` means that nothing was received yet
    /// and that its times begin at 0.
    pub fn set_file(&mut self, fresh: bool) {
        self.pacer.set_file();
        if fresh {
            self.remuxer.place(0);
        }
    }

    /// The viewer resumes: continue live, unless they chose another position.
    pub fn resume(&mut self) {
        self.pacer.resume();
    }

    /// Moves to live. `elsewhere` means that nothing near live is buffered.
    pub fn go_live(&mut self, elsewhere: bool) {
        self.pacer.go_live(elsewhere);
    }

    /// The viewer chose the media time `time`.
    pub fn sought(&mut self, time: f64, now: f64) {
        self.pacer.sought(millis(now), seconds(time));
    }

    /// Returns whether the viewer chose to be behind live.
    pub fn behind(&self) -> bool {
        self.pacer.behind()
    }

    /// Playback ran out of media.
    pub fn stalled(&mut self, now: f64) {
        self.pacer.stalled(millis(now));
    }

    /// Sets the media time and the state of the playhead: paused by the viewer, a seek is in progress, there is no
    /// media for the next moment, the page is hidden, the media at the playhead is being fetched.
    pub fn set_playhead(
        &mut self,
        time: f64,
        paused: bool,
        seeking: bool,
        starved: bool,
        hidden: bool,
        fetching: bool,
    ) {
        self.playhead = Playhead { time: seconds(time), paused, seeking, starved, hidden, fetching };
    }

    /// Returns the action to take now, if there is one: to set the rate to [`Engine::value`], or to seek to it.
    /// `buffered` has start and end of each range. Call [`Engine::set_playhead`] before.
    pub fn poll(&mut self, now: f64, buffered: &[f64]) -> Option<ActionName> {
        let wall = millis(now);
        self.remuxer.poll(wall);
        self.ranges.clear();
        self.ranges.extend(buffered.as_chunks::<2>().0.iter().map(|&[a, b]| (seconds(a), seconds(b))));
        Some(match self.pacer.poll(wall, self.playhead, &self.ranges)? {
            Action::Rate(rate) => {
                self.value = rate as f64 / 1e3;
                ActionName::Rate
            }
            Action::Seek(to) => {
                self.value = to_seconds(to);
                ActionName::Seek
            }
        })
    }

    /// Returns the rate or the time of the action that [`Engine::poll`] returned.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Returns the distance behind live in seconds.
    pub fn latency(&self) -> f64 {
        to_seconds(self.pacer.lag())
    }

    /// Returns the intended distance behind live in seconds.
    pub fn target(&self, now: f64) -> f64 {
        to_seconds(self.pacer.target(millis(now)))
    }

    /// Returns the number of received frames of all tracks.
    pub fn received(&self) -> u32 {
        self.all
    }

    /// Returns the number of received video frames.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// Returns the number of unreadable parts of the stream.
    pub fn bad(&self) -> u32 {
        self.bad
    }

    /// Returns the presentation time of the newest video frame.
    pub fn newest_picture(&self) -> f64 {
        to_seconds(self.remuxer.newest_picture())
    }

    /// Returns the RFC 6381 codec string of a track; empty without one.
    pub fn codec(&self, track: TrackName) -> String {
        let [video, audio] = self.remuxer.configs();
        let config = match track.into() {
            Track::Video => video,
            Track::Audio => audio,
        };
        config.map_or_else(String::new, |config| Config::codec_string(config))
    }

    /// Reports that the browser cannot decode a track after all.
    pub fn refuse(&mut self, track: TrackName) {
        self.remuxer.refuse(track.into());
    }
}
