//! Converts frames to input for a SourceBuffer: initialisation segments and fragments, in order.
//!
//! Each video frame becomes a fragment immediately; its duration is estimated from the frames before. Audio
//! is written three frames at a time with its own count of samples. So neither coarse container timestamps
//! nor lost packets create gaps, which would stop MSE until the next key frame.

mod audio;
mod layout;
mod silence;
mod start;
mod video;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use media::codec::aac::AudioSpecificConfig;
use media::time::{MILLI, Micros, SECOND, Timeline};
use media::{Codec, Config, Frame, Track, mp4};

use audio::AudioLane;
use start::Start;
use video::VideoLane;

const VIDEO_ID: u32 = 1;
const AUDIO_ID: u32 = 2;
/// Maximum bytes of fragments that the page has not taken. Beyond it they are dropped, and video continues
/// with a key frame.
const PENDING_LIMIT: usize = 24 << 20;
/// Media time at the start of a live stream: early enough for MSE, late enough for frames before the first
/// one. A recording starts at 0.
const EPOCH: Micros = SECOND;
/// If there is audio but no video for this long, the video track is removed.
const VIDEO_GONE: Micros = 3 * SECOND;
/// After this many audio frames with the same timestamp, the audio counts as having no clock.
const STILL: u32 = 5;
/// Maximum number of remembered configurations that cannot be played; the oldest is removed.
const MOST_REFUSED: usize = 16;

/// A piece to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// An initialisation segment.
    Init(Init),
    /// Fragments.
    Media(Vec<u8>),
}

/// An initialisation segment, and how to begin with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// The bytes.
    pub data: Bytes,
    /// `video/mp4; codecs="…"`.
    pub mime: String,
    /// Whether the tracks have changed, which needs a new MediaSource.
    pub rebuild: bool,
}

/// A message for the page: the browser cannot decode a track, and the other one plays alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// The track.
    pub track: Track,
    /// Its codec; `None` if the demuxer does not know it.
    pub codec: Option<Codec>,
}

/// Converts one stream's frames to chunks.
pub struct Remuxer {
    /// The codecs that the browser supports, as [`bit`]s.
    codecs: u32,
    ts: bool,
    timeline: Timeline,
    /// Original timestamps of the newest frames: video, audio.
    came: [Micros; 2],
    /// Number of consecutive audio frames with the same original timestamp.
    still: u32,
    start: Option<Start>,
    video: VideoLane,
    audio: AudioLane,
    /// The tracks of the newest initialisation segment: video, audio.
    active: [bool; 2],
    /// The original audio configuration, and its replacement.
    translated: Option<(Arc<Config>, Option<Arc<Config>>)>,
    /// Configurations that this browser cannot play.
    refused: Vec<Arc<Config>>,
    /// Tracks that need not be awaited, because their newest configuration cannot be played.
    missing: [bool; 2],
    /// Tracks that at some time had an unsupported codec.
    unreadable: [bool; 2],
    /// Whether the next initialisation segment needs a new MediaSource, whatever its tracks are.
    rebuild: bool,
    sequence: u32,
    pending: usize,
    chunks: VecDeque<Chunk>,
    notices: VecDeque<Notice>,
}

/// Returns a codec's bit in a set of codecs.
const fn bit(codec: Codec) -> u32 {
    1 << codec as u32
}

/// Returns whether the channels are in a program config element, which browsers do not support.
fn channels_unknown(config: &Config) -> bool {
    config.codec == Codec::Aac
        && AudioSpecificConfig::parse(&config.description).is_ok_and(|asc| asc.channel_config == 0)
}

const fn slot(track: Track) -> usize {
    match track {
        Track::Video => 0,
        Track::Audio => 1,
    }
}

impl Remuxer {
    /// Creates a remuxer for a browser that supports the `codecs`. `ts` means that frames come from MPEG-TS.
    pub fn new(codecs: &[Codec], ts: bool) -> Self {
        Self {
            codecs: codecs.iter().fold(0, |set, &codec| set | bit(codec)),
            ts,
            timeline: Timeline::new(EPOCH),
            came: [Micros::MIN; 2],
            still: 0,
            start: Some(Start::new([false; 2], ts)),
            video: VideoLane::default(),
            audio: AudioLane::new(ts),
            active: [false; 2],
            translated: None,
            refused: Vec::new(),
            missing: [false; 2],
            unreadable: [false; 2],
            rebuild: true,
            sequence: 0,
            pending: 0,
            chunks: VecDeque::new(),
            notices: VecDeque::new(),
        }
    }

    /// Adds a codec that the browser supports.
    pub fn allow(&mut self, codec: Codec) {
        self.codecs |= bit(codec);
    }

    /// Sets the tracks to wait for, from the container.
    pub fn promise(&mut self, video: bool, audio: bool) {
        if let Some(start) = &mut self.start {
            start.promised = [video, audio];
        }
    }

    /// Reports a track with an unsupported codec.
    pub fn unsupported(&mut self, track: Track) {
        self.missing[slot(track)] = true;
        if !std::mem::replace(&mut self.unreadable[slot(track)], true) {
            self.notices.push_back(Notice { track, codec: None });
        }
    }

    /// Reports that the browser cannot decode the current configuration of a track; another one may work.
    pub fn refuse(&mut self, track: Track) {
        let config = match track {
            Track::Video => self.video.config(),
            Track::Audio => self.audio.config(),
        };
        if let Some(config) = config.cloned() {
            self.remember(&config);
        }
    }

    /// Adds a frame that arrived at the wall-clock time `now`.
    pub fn push(&mut self, now: Micros, mut frame: Frame) {
        let track = frame.track();
        if track == Track::Audio {
            self.translate(&mut frame);
        }
        let refused = self.refused.contains(&frame.config);
        self.missing[slot(track)] = refused;
        if refused {
            return;
        }
        self.give_time(&mut frame);
        let gap = if track == Track::Video { self.video.duration() } else { 20 * MILLI };
        let (offset, _) = self.timeline.offset(frame.dts, gap);
        frame.dts = frame.dts.saturating_add(offset);
        if frame.dts < 0 {
            // Audio from just before a recording's first video frame: MP4 has no times below 0.
            return;
        }
        // A composition time of minutes is not caused by B-frames, and would create a gap.
        frame.pts =
            frame.pts.saturating_add(offset).clamp((frame.dts - SECOND).max(0), frame.dts + 3 * SECOND);
        match &mut self.start {
            Some(start) => {
                start.hold(now, frame);
                self.poll(now);
            }
            None => self.feed(frame),
        }
    }

    /// Gives audio whose clock stands still the time of the video. With its own times, each frame would make
    /// the timeline jump.
    fn give_time(&mut self, frame: &mut Frame) {
        let came = std::mem::replace(&mut self.came[slot(frame.track())], frame.dts);
        if frame.is_video() {
            return;
        }
        self.still = if came == frame.dts { self.still.saturating_add(1) } else { 0 };
        if self.still >= STILL && self.came[0] > frame.dts {
            (frame.dts, frame.pts) = (self.came[0], self.came[0]);
        }
    }

    /// Replaces an AAC configuration that browsers do not support.
    fn translate(&mut self, frame: &mut Frame) {
        let known = self.translated.as_ref().is_some_and(|(from, _)| Arc::ptr_eq(from, &frame.config));
        if !known {
            let to = Some(&frame.config)
                .filter(|config| config.codec == Codec::Aac)
                .and_then(|c| layout::standard(c));
            self.translated = Some((frame.config.clone(), to.map(Arc::new)));
        }
        if let Some((_, Some(to))) = &self.translated {
            frame.config = to.clone();
        }
    }

    /// Lets time pass: the wait for a promised track is limited.
    pub fn poll(&mut self, now: Micros) {
        if let Some(start) = self.start.take_if(|start| start.ready(now, self.missing)) {
            self.begin(start.into_frames());
        }
    }

    /// Announces frames from a new connection, or a discontinuity: they are appended to the media so far.
    pub fn restart(&mut self) {
        self.flush();
        self.timeline.restart(self.video.duration());
        self.start = Some(Start::new(self.active, self.ts));
        self.missing = [false; 2];
    }

    /// Places the following frames at the media time `at`.
    pub fn place(&mut self, at: Micros) {
        self.flush();
        self.timeline = Timeline::new(at);
        self.start = Some(Start::new(self.active, self.ts));
        self.missing = [false; 2];
    }

    /// Seeks: drops everything that was not taken yet. The following frames begin at `at`.
    pub fn seek(&mut self, at: Micros) {
        self.rebuild |= self.chunks.iter().any(|chunk| matches!(chunk, Chunk::Init(init) if init.rebuild));
        self.start = None;
        self.audio.cut();
        self.audio.go_to(at);
        self.video.go_to(at);
        self.clear();
        self.place(at);
    }

    /// Returns the number of bytes that were not taken yet.
    pub const fn pending(&self) -> usize {
        self.pending
    }

    /// Reports a broken MediaSource: the next frames go into a new one.
    pub fn rebuild(&mut self) {
        self.clear();
        self.rebuild = true;
        self.restart();
    }

    /// Ends the stream: outputs incomplete fragments.
    pub fn flush(&mut self) {
        if let Some(start) = self.start.take() {
            let frames = start.into_frames();
            if frames.iter().any(|frame| frame.key) {
                self.begin(frames);
            } else {
                self.start = Some(Start::new([false; 2], self.ts));
            }
        }
        self.flush_audio();
    }

    /// Returns the next piece to append.
    pub fn take(&mut self) -> Option<Chunk> {
        let chunk = self.chunks.pop_front()?;
        if let Chunk::Media(data) = &chunk {
            self.pending -= data.len();
        }
        Some(chunk)
    }

    /// Returns the next message for the page.
    pub fn notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// Returns the media time up to which all tracks are complete.
    pub fn end(&self) -> Micros {
        match self.active {
            [true, true] => self.video.end().min(self.audio.flushed()),
            [false, true] => self.audio.flushed(),
            _ => self.video.end(),
        }
    }

    /// Returns the media time up to which there is video, or audio if there is no video.
    pub fn reached(&self) -> Micros {
        if self.active[0] { self.video.end() } else { self.audio.flushed() }
    }

    /// Returns the presentation time of the newest video frame.
    pub fn newest_picture(&self) -> Micros {
        self.video.newest_pts()
    }

    /// Returns the current configurations.
    pub fn configs(&self) -> [Option<&Arc<Config>>; 2] {
        [self.video.config().filter(|_| self.active[0]), self.audio.config().filter(|_| self.active[1])]
    }

    /// The tracks are known: outputs the held frames, starting at the first key frame.
    fn begin(&mut self, frames: Vec<Frame>) {
        let first = |track| frames.iter().find(|frame| frame.track() == track && frame.key);
        let configs = [first(Track::Video), first(Track::Audio)].map(|f| f.map(|f| f.config.clone()));
        // If earlier audio is missing now, continue it with silence: other tracks would need a new
        // MediaSource.
        let silent = configs[0].is_some()
            && configs[1].is_none()
            && self.active[1]
            && !self.missing[1]
            && self.audio.can_be_silent();
        let [video, audio] = configs.map(|config| config.filter(|config| self.playable(config)));
        self.video.set(video);
        if !silent {
            self.audio.set(audio);
        }
        self.init([self.video.config().is_some(), self.audio.config().is_some()]);
        frames.into_iter().for_each(|frame| self.feed(frame));
    }

    fn playable(&mut self, config: &Arc<Config>) -> bool {
        let ok = self.codecs & bit(config.codec) != 0
            && !self.refused.contains(config)
            && !channels_unknown(config)
            && mp4::init_segment(&[(1, config)]).is_ok();
        if !ok {
            self.remember(config);
        }
        ok
    }

    fn remember(&mut self, config: &Arc<Config>) {
        self.missing[slot(config.track())] = true;
        if !self.refused.contains(config) {
            self.refused.truncate(MOST_REFUSED - 1);
            self.refused.insert(0, config.clone());
            self.notices.push_back(Notice { track: config.track(), codec: Some(config.codec) });
        }
    }

    /// Outputs an initialisation segment for these tracks; decoding restarts at a key frame.
    fn init(&mut self, active: [bool; 2]) {
        self.flush_audio();
        let tracks: Vec<(u32, &Config)> = [(VIDEO_ID, self.video.config()), (AUDIO_ID, self.audio.config())]
            .into_iter()
            .zip(active)
            .filter_map(|((id, config), active)| config.filter(|_| active).map(|config| (id, &**config)))
            .collect();
        let Ok(data) = mp4::init_segment(&tracks) else { return };
        let configs: Vec<&Config> = tracks.iter().map(|&(_, config)| config).collect();
        let mime = mp4::mime(&configs);
        let rebuild = std::mem::take(&mut self.rebuild) || active != self.active;
        if rebuild {
            // These fragments belong to the old MediaSource.
            self.clear();
        }
        self.active = active;
        self.video.cut();
        self.audio.cut();
        self.chunks.push_back(Chunk::Init(Init { data, mime, rebuild }));
    }

    fn feed(&mut self, frame: Frame) {
        match frame.track() {
            Track::Video => self.feed_video(frame),
            Track::Audio => self.feed_audio(frame),
        }
    }

    fn feed_video(&mut self, frame: Frame) {
        let changed = !self.video.is(&frame.config);
        if changed || !self.active[0] || self.active[1] != self.audio.config().is_some() {
            // A new frame size, or a track that started later: begin at a key frame.
            if !frame.key {
                if changed {
                    self.video.cut();
                }
                if changed || !self.active[0] {
                    return;
                }
            } else if changed && !self.playable(&frame.config) {
                return;
            } else {
                self.video.set(Some(frame.config.clone()));
                self.init([true, self.audio.config().is_some()]);
            }
        }
        let Some(sample) = self.video.sample(&frame) else { return };
        self.write(VIDEO_ID, &[sample]);
        if self.active[1] {
            self.audio.keep_up(frame.dts);
            self.write_audio(false);
        }
    }

    fn feed_audio(&mut self, frame: Frame) {
        if !self.audio.is(&frame.config) {
            if !self.playable(&frame.config) {
                return;
            }
            self.flush_audio();
            self.audio.set(Some(frame.config.clone()));
            if self.active[1] || !self.active[0] {
                self.init([self.active[0], true]);
            }
        }
        if !self.active[1] {
            // Starts at the next key frame.
            return;
        }
        if self.active[0] && frame.dts > self.video.end() + VIDEO_GONE {
            self.init([false, true]);
        }
        self.audio.push(frame);
        self.write_audio(false);
    }

    fn flush_audio(&mut self) {
        self.write_audio(true);
    }

    fn write_audio(&mut self, all: bool) {
        while let Some(frames) = self.audio.bundle(all) {
            let samples: Vec<_> = frames.iter().map(audio::PendingSample::sample).collect();
            self.write(AUDIO_ID, &samples);
        }
    }

    fn write(&mut self, id: u32, samples: &[mp4::Sample<'_>]) {
        if self.pending > PENDING_LIMIT {
            self.clear();
            let active = self.active;
            self.rebuild = true;
            self.init(active);
            return;
        }
        if !matches!(self.chunks.back(), Some(Chunk::Media(_))) {
            self.chunks.push_back(Chunk::Media(Vec::new()));
        }
        if let Some(Chunk::Media(out)) = self.chunks.back_mut() {
            self.sequence = self.sequence.wrapping_add(1);
            let before = out.len();
            mp4::fragment(out, self.sequence, id, samples);
            self.pending += out.len() - before;
        }
    }

    fn clear(&mut self) {
        self.chunks.clear();
        self.pending = 0;
    }
}

#[cfg(test)]
mod tests;
