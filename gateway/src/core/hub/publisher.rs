//! The publisher of a stream.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use media::flv::amf0::Value;
use media::{Frame, Track};

use super::clock::Clock;
use super::frame_entry::FrameEntry;
use super::notes::{Fields, Note};
use super::stand_in::Covered;
use super::stream::Stream;
use crate::core::close::{CloseReason, Revocation};

/// Called when a publisher leaves: returns the clock to its place in the hub.
type Leave = Box<dyn FnOnce(Clock) + Send + Sync>;

/// Publishes one stream until it is dropped.
pub struct Publisher {
    stream: Arc<Stream>,
    clock: Clock,
    /// Number of this publisher among the stream's publishers.
    turn: u64,
    revocation: Revocation,
    expected: Option<usize>,
    first: bool,
    /// Whether the publisher's clock jumped. Decoding restarts at the next frame that allows it.
    jumped: bool,
    /// Number of unreadable frames.
    bad: u64,
    /// Whether the log mentions that further tracks are not read.
    tracks_told: bool,
    leave: Option<Leave>,
}

impl Publisher {
    pub(super) fn new(
        stream: Arc<Stream>,
        clock: Clock,
        turn: u64,
        revocation: Revocation,
        leave: Leave,
    ) -> Self {
        Self {
            stream,
            clock,
            turn,
            revocation,
            expected: None,
            first: true,
            jumped: false,
            bad: 0,
            tracks_told: false,
            leave: Some(leave),
        }
    }

    /// Returns the stream that it feeds.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Announces the tracks of the publisher's metadata, so that viewers need not wait for a track that will
    /// not come. A wrong announcement costs them a second.
    pub fn announce(&mut self, audio: bool, video: bool) {
        let tracks = usize::from(audio) + usize::from(video);
        self.expected = (tracks > 0).then_some(tracks);
        if tracks > 0 {
            self.stream.announce(audio, video, self.turn);
        }
    }

    /// Sets the tracks that may come, for example the negotiated ones. Viewers wait for them a short time,
    /// but a track is not announced before it is there.
    pub fn expect(&mut self, audio: bool, video: bool) {
        let tracks = usize::from(audio) + usize::from(video);
        self.expected = (tracks > 0).then_some(tracks);
        self.stream.announce(false, false, self.turn);
    }

    /// Sets the publisher's own metadata: viewers get them together with the properties of the tracks.
    pub fn describe(&self, fields: Vec<(String, Value)>) {
        self.push_note(Note::Metadata, Some(Arc::new(fields)));
    }

    /// Passes an application's message to the viewers whose protocol supports it: an AMF0 name and values.
    pub fn send_message(&self, message: Bytes) {
        self.push_note(Note::Message(message), None);
    }

    fn push_note(&self, note: Note, fields: Option<Fields>) {
        if !self.stream.push_note(note, fields, self.turn) {
            metrics::counter!("lianmai_dropped_messages_total").increment(1);
        }
    }

    /// Records the audio level of a packet, in dBov: -127 (silence) to 0 (RFC 6464).
    pub fn audio_level(&self, level: i8) {
        self.stream.record_audio_level(level);
    }

    /// Declares that this publisher creates key frames on request: see [`Publisher::key_wanted`].
    pub fn promise_keys(&self) {
        self.stream.keys().promise();
    }

    /// Returns whether it should create a key frame now.
    pub fn key_wanted(&self) -> bool {
        self.stream.keys().wanted(self.stream.newest().unwrap_or(0))
    }

    /// Resolves when a key frame was requested since the last call.
    pub async fn key_asked(&self) {
        self.stream.keys().asked().await;
    }

    /// Passes one frame, in decode order, to all viewers of the stream.
    ///
    /// Timestamps may start anywhere and may jump: they are mapped to the stream's clock. Frames of a closed
    /// publisher are dropped.
    pub fn push(&mut self, mut frame: Frame) {
        if self.revocation.is_revoked() {
            return;
        }
        if !frame.track_id().is_default() {
            // The clock, viewers and formats support only one track of each kind.
            self.passes_tracks_over();
            return;
        }
        match self.stream.covered(&frame, self.turn) {
            Covered::No => {}
            Covered::Waits => return,
            Covered::Returns => {
                self.clock = Clock::after(self.stream.newest());
                self.first = true;
            }
        }
        let jumped = self.clock.place(&mut frame);
        let start = match frame.track() {
            Track::Video => frame.key,
            Track::Audio => self.clock.video_is_silent(frame.dts),
        };
        // Times always continue. A jump of the audio clock is irrelevant to viewers if there is video.
        self.jumped |= jumped && (frame.is_video() || start);
        let anew = start && std::mem::take(&mut self.jumped);
        let discontinuity = anew || std::mem::take(&mut self.first);
        self.stream.push(FrameEntry { frame, discontinuity, start }, self.expected, self.turn);
    }

    /// Counts an unreadable frame or message. The first one is logged, and reported to viewers who wait for
    /// readable media.
    pub fn bad_frame(&mut self, why: &media::Error) {
        self.bad += 1;
        metrics::counter!("lianmai_bad_frames_total").increment(1);
        if self.bad == 1 {
            tracing::warn!(stream = %self.stream.name(), %why, "frame unreadable; further unreadable frames are only counted");
        }
        self.stream.unreadable(self.turn, || match why.kind {
            media::ErrorKind::Unsupported(_, what) => what.to_owned(),
            _ => format!("damaged media ({why})"),
        });
    }

    /// Logs once that the publisher sends further tracks, which are not read.
    pub fn passes_tracks_over(&mut self) {
        if !std::mem::replace(&mut self.tracks_told, true) {
            tracing::warn!(stream = %self.stream.name(), "tracks ignored: only track 0 is read");
            self.stream.unreadable(self.turn, || "tracks other than the default track 0".to_owned());
        }
    }

    /// Returns the number of unreadable frames and messages.
    pub const fn bad_frames(&self) -> u64 {
        self.bad
    }

    /// Resolves when this publisher is closed from outside: by the operator, another publisher or the server.
    pub async fn revoked(&self) -> CloseReason {
        self.revocation.revoked().await
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if let Some(leave) = self.leave.take() {
            // The stream's time has gone on without a publisher that was covered.
            let covered = self.stream.is_covered(self.turn);
            if covered {
                self.clock = Clock::after(self.stream.newest());
            }
            leave(std::mem::replace(&mut self.clock, Clock::new()));
        }
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("stream", self.stream.name()).field("turn", &self.turn).finish()
    }
}
