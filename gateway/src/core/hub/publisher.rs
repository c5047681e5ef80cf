//! The one who publishes a stream.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use media::flv::amf0::Value;
use media::{Frame, Track};

use super::clock::Clock;
use super::said::{Fields, Note};
use super::stream::{Entry, Stream};
use crate::core::close::{CloseReason, Revocation};

/// What happens when a publisher leaves: its place in the hub gets the clock back.
type Leave = Box<dyn FnOnce(Clock) + Send + Sync>;

/// Publishes one stream; dropping it ends that.
pub struct Publisher {
    stream: Arc<Stream>,
    clock: Clock,
    /// Which of the stream's publishers this is.
    turn: u64,
    revocation: Revocation,
    expected: Option<usize>,
    first: bool,
    /// The publisher's clock jumped, and decoding can start anew with the next frame that allows it.
    jumped: bool,
    /// Frames that could not be read.
    bad: u64,
    /// Whether the log has it that there are tracks that are not read.
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

    /// The stream it feeds.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// What the publisher's metadata promise, so that viewers need not wait for a track that will
    /// not come. A broken promise costs them a second.
    pub fn announce(&mut self, audio: bool, video: bool) {
        let tracks = usize::from(audio) + usize::from(video);
        self.expected = (tracks > 0).then_some(tracks);
        if tracks > 0 {
            self.stream.announce(audio, video, self.turn);
        }
    }

    /// How many tracks may come, of which some may stay away: viewers wait for them a little, but nothing is promised
    /// before a track is there.
    pub fn expect(&mut self, audio: bool, video: bool) {
        let tracks = usize::from(audio) + usize::from(video);
        self.expected = (tracks > 0).then_some(tracks);
        self.stream.announce(false, false, self.turn);
    }

    /// Says what the publisher tells of itself: viewers get it with what is known of the tracks.
    pub fn describe(&self, fields: Vec<(String, Value)>) {
        self.say(Note::Metadata, Some(Arc::new(fields)));
    }

    /// Passes a message of an application on to the viewers who can have it: an AMF0 name and values.
    pub fn tell(&self, message: Bytes) {
        self.say(Note::Message(message), None);
    }

    fn say(&self, note: Note, fields: Option<Fields>) {
        if !self.stream.say(note, fields, self.turn) {
            metrics::counter!("lianmai_dropped_messages_total").increment(1);
        }
    }

    /// This publisher makes key frames when it is asked: see [`Publisher::key_wanted`].
    pub fn promise_keys(&self) {
        self.stream.keys().promise();
    }

    /// Whether it should make a key frame now.
    pub fn key_wanted(&self) -> bool {
        self.stream.keys().wanted(self.stream.newest().unwrap_or(0))
    }

    /// Resolves when someone has asked for a key frame since the last call.
    pub async fn key_asked(&self) {
        self.stream.keys().asked().await;
    }

    /// Hands one frame, in decode order, to everyone who plays the stream.
    ///
    /// Times may start anywhere and may jump: they are laid on the stream's clock. Frames of a
    /// publisher that was ended go nowhere.
    pub fn push(&mut self, mut frame: Frame) {
        if self.revocation.is_revoked() {
            return;
        }
        let jumped = self.clock.place(&mut frame);
        let start = match frame.track() {
            Track::Video => frame.key,
            Track::Audio => self.clock.video_is_silent(frame.dts),
        };
        // Times go on, whatever the clock does: that audio jumped matters to nobody who has video.
        self.jumped |= jumped && (frame.is_video() || start);
        let anew = start && std::mem::take(&mut self.jumped);
        let discontinuity = anew || std::mem::take(&mut self.first);
        self.stream.push(Entry { frame, discontinuity, start }, self.expected, self.turn);
    }

    /// Counts a frame or message that could not be read. The first one is logged, and told to viewers who
    /// wait for something that can be.
    pub fn bad_frame(&mut self, why: &media::Error) {
        self.bad += 1;
        metrics::counter!("lianmai_bad_frames_total").increment(1);
        if self.bad == 1 {
            tracing::warn!(stream = %self.stream.name(), %why, "frame unreadable; further ones are only counted");
        }
        self.stream.unreadable(self.turn, || match why.kind {
            media::ErrorKind::Unsupported(_, what) => what.to_owned(),
            _ => format!("damaged media ({why})"),
        });
    }

    /// The publisher sends tracks beside the default ones: the log has it once.
    pub fn passes_tracks_over(&mut self) {
        if !std::mem::replace(&mut self.tracks_told, true) {
            tracing::warn!(stream = %self.stream.name(), "tracks passed over: only track 0 is read");
            self.stream.unreadable(self.turn, || "tracks other than the default track 0".to_owned());
        }
    }

    /// Frames and messages that could not be read.
    pub const fn bad_frames(&self) -> u64 {
        self.bad
    }

    /// Resolves when this publisher was ended from outside: by the operator, another publisher or the server.
    pub async fn revoked(&self) -> CloseReason {
        self.revocation.revoked().await
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if let Some(leave) = self.leave.take() {
            leave(std::mem::replace(&mut self.clock, Clock::new()));
        }
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("stream", self.stream.name()).field("turn", &self.turn).finish()
    }
}
