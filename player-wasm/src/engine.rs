//! The JavaScript interface of one stream: its engine.
//!
//! Numbers are passed as f64: milliseconds (wall clock) and seconds (media time). Bytes to append stay in
//! wasm memory: [`Engine::pointer`] and [`Engine::length`] are valid until the next call of any method.

use bytes::Bytes;
use media::time::Micros;
use media::{Config, Track};
use wasm_bindgen::prelude::*;

use crate::pacing::{Action, Latency, Pacer, Playhead};
use crate::remux::{Chunk, Notice, Remuxer};
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

pub(crate) fn latency(number: u32) -> Latency {
    match number {
        0 => Latency::Realtime,
        1 => Latency::Low,
        _ => Latency::Normal,
    }
}

/// One stream: network bytes in, pieces to append out, and instructions for the playhead.
#[wasm_bindgen]
pub struct Engine {
    source: Box<dyn Source>,
    /// Whether the stream is MPEG-TS.
    ts: bool,
    remuxer: Remuxer,
    pacer: Pacer,
    /// The piece that is being appended.
    front: Bytes,
    mime: String,
    value: f64,
    duration: Micros,
    frames: u32,
    /// Number of frames of all tracks.
    all: u32,
    bad: u32,
    ranges: Vec<(Micros, Micros)>,
}

#[wasm_bindgen]
impl Engine {
    /// `format`: 0 FLV, 1 MPEG-TS, 2 MPEG-TS in segments. `latency_number`: 0 realtime, 1 low, 2 normal.
    /// `codecs` has a bit for each codec that MediaSource plays: 1 H.264, 2 H.265, 4 AV1, 8 VP8, 16 VP9,
    /// 32 AAC, 64 Opus, 128 MP3.
    #[wasm_bindgen(constructor)]
    pub fn new(format: u32, latency_number: u32, codecs: u32) -> Self {
        Self {
            source: source::new(format != 0),
            ts: format != 0,
            remuxer: Remuxer::new(codecs, format != 0),
            pacer: Pacer::new(latency(latency_number), format == 2),
            front: Bytes::new(),
            mime: String::new(),
            value: 0.0,
            duration: 0,
            frames: 0,
            all: 0,
            bad: 0,
            ranges: Vec::new(),
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

    /// Takes the next piece to append: 0 none, 1 fragments, 2 an initialisation segment, 3 an initialisation
    /// segment that needs a new MediaSource.
    pub fn take(&mut self) -> u32 {
        match self.remuxer.take() {
            None => 0,
            Some(Chunk::Media(data)) => {
                self.front = data.into();
                1
            }
            Some(Chunk::Init(init)) => {
                self.front = init.data;
                self.mime = init.mime;
                if init.rebuild {
                    self.pacer.rebuilt();
                    3
                } else {
                    2
                }
            }
        }
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

    /// Returns the next notice: 0 none, 1 the audio cannot be played, 2 the video cannot be played. The
    /// codec's bit, as in [`Engine::new`], is shifted left by two.
    pub fn notice(&mut self) -> u32 {
        match self.remuxer.notice() {
            None => 0,
            Some(Notice::NoAudio(codec)) => codec << 2 | 1,
            Some(Notice::NoVideo(codec)) => codec << 2 | 2,
        }
    }

    /// Returns whether the stream is unreadable for good.
    pub fn failed(&self) -> bool {
        self.source.failed()
    }

    /// Changes the latency mode.
    pub fn set_latency(&mut self, number: u32) {
        self.pacer.set_latency(latency(number));
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

    /// Returns the action to take now: 0 nothing, 1 set the rate to [`Engine::value`], 2 seek to it.
    ///
    /// `time` is the playhead; `flags`: 1 paused, 2 seeking, 4 starved, 8 hidden, 16 the sought media is
    /// being fetched; `buffered` has start and end of each range.
    pub fn poll(&mut self, now: f64, time: f64, flags: u32, buffered: &[f64]) -> u32 {
        let wall = millis(now);
        self.remuxer.poll(wall);
        self.ranges.clear();
        self.ranges.extend(buffered.as_chunks::<2>().0.iter().map(|&[a, b]| (seconds(a), seconds(b))));
        let head = Playhead {
            time: seconds(time),
            paused: flags & 1 != 0,
            seeking: flags & 2 != 0,
            starved: flags & 4 != 0,
            hidden: flags & 8 != 0,
            fetching: flags & 16 != 0,
        };
        match self.pacer.poll(wall, head, &self.ranges) {
            None => 0,
            Some(Action::Rate(rate)) => {
                self.value = rate as f64 / 1e3;
                1
            }
            Some(Action::Seek(to)) => {
                self.value = to_seconds(to);
                2
            }
        }
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

    /// Returns the RFC 6381 codec string of a track (0 video, 1 audio); empty without one.
    pub fn codec(&self, track: u32) -> String {
        let [video, audio] = self.remuxer.configs();
        let config = if track == 0 { video } else { audio };
        config.map_or_else(String::new, |config| Config::codec_string(config))
    }

    /// Reports that the browser cannot decode a track after all (0 video, 1 audio).
    pub fn refuse(&mut self, track: u32) {
        self.remuxer.refuse(if track == 0 { Track::Video } else { Track::Audio });
    }
}
