//! The frames of a stream with audio that an edge can carry.

use std::sync::Arc;

use media::time::Micros;
use media::{Config, Track, TrackId};

use super::replace::mark;
use super::view::TranscodedAudio;
use super::want::Plan;
use super::{AudioTarget, Want};
use crate::core::hub::{Entry, Start, Stream, Subscriber};
use crate::derive::derived::{Derived, Holder};

/// A stream's entries with audio that an edge can carry; used in place of [`Stream::subscribe`].
///
/// Where no audio has to be transcoded this is a cursor into the stream's own ring. When a publisher changes the audio
/// codec it changes over to the transcoded stream, or back.
#[derive(Debug)]
pub(super) struct Source {
    stream: Arc<Stream>,
    want: Want,
    start: Start,
    cursor: Subscriber,
    /// The transcoded stream, while it is read in place of the stream.
    view: Option<Holder<TranscodedAudio>>,
    join: Join,
    /// The newest time handed out of each track.
    video: Option<Micros>,
    audio: Option<Micros>,
    /// An entry with a discontinuity was not handed out: the next entry carries the mark.
    discontinuity: bool,
    jumped: bool,
    /// Entries missed with earlier cursors.
    skipped: u64,
}

/// Which entries of a ring this reader leaves out at first.
#[derive(Debug)]
enum Join {
    /// None.
    Joined,
    /// Those up to this time: the reader wants only what is live.
    Live(Micros),
    /// Those that are not newer than the last one handed out from another ring; whether any were seen in this ring.
    Resume(bool),
    /// Those before this entry: they were handed out from another ring.
    At(Arc<Entry>),
}

impl Source {
    /// Reads `stream` from `start` on. Inside a tokio runtime.
    pub(super) fn new(stream: &Arc<Stream>, want: &Want, start: Start) -> Self {
        let mut source = Self {
            stream: stream.clone(),
            want: want.clone(),
            start,
            cursor: stream.subscribe(start),
            view: None,
            join: Join::Joined,
            video: None,
            audio: None,
            discontinuity: false,
            jumped: false,
            skipped: 0,
        };
        if let Some(Plan::Transcode(to)) = stream.config(Track::Audio).map(|config| want.plan(config.codec)) {
            source.open_view(to);
        }
        source
    }

    /// The next entry; [`None`] when the stream is over. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<Arc<Entry>> {
        loop {
            let entry = self.cursor.next().await?;
            if let Some(entry) = self.take(entry) {
                return Some(entry);
            }
        }
    }

    /// The next entry, if it is there already.
    pub(super) fn try_next(&mut self) -> Option<Arc<Entry>> {
        loop {
            let entry = self.cursor.try_next()?;
            if let Some(entry) = self.take(entry) {
                return Some(entry);
            }
        }
    }

    /// Entries missed so far because the reader was too slow.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped + self.cursor.skipped()
    }

    /// Whether entries were missed since the last call.
    pub(super) fn take_skip(&mut self) -> bool {
        self.cursor.take_skip() | std::mem::take(&mut self.jumped)
    }

    /// The newest configuration of a track as it is handed out here.
    pub(super) fn config(&self, track: impl Into<TrackId>) -> Option<Arc<Config>> {
        self.want.config(&self.stream, track)
    }

    /// Whether its audio is transcoded, and so comes a little later than the stream's own.
    pub(super) const fn transcodes(&self) -> bool {
        self.view.is_some()
    }

    fn take(&mut self, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        if !self.joins(&entry) {
            return None;
        }
        let video = entry.frame.is_video();
        match self.want.plan(entry.frame.config.codec) {
            Plan::Transcode(to) => {
                // (The transcoded stream has no such audio.)
                self.open_view(to);
                return None;
            }
            Plan::LeaveOut => {
                self.discontinuity |= entry.discontinuity;
                return None;
            }
            Plan::Pass if !video && self.view.is_some() && !is_made(&entry.frame.config) => {
                self.close_view(entry);
                return None;
            }
            Plan::Pass => {}
        }
        *(if video { &mut self.video } else { &mut self.audio }) = Some(entry.frame.dts);
        Some(mark(&entry, std::mem::take(&mut self.discontinuity)))
    }

    /// Whether an entry is for this reader.
    fn joins(&mut self, entry: &Arc<Entry>) -> bool {
        let frame = &entry.frame;
        let last = if frame.is_video() { self.video } else { self.audio };
        let joined = match &mut self.join {
            Join::Joined => return true,
            Join::Live(past) => entry.start && frame.dts > *past,
            // (Audio before the first that was handed out is older than the video that was.)
            Join::Resume(_) if last.or(self.video).or(self.audio).is_some_and(|last| frame.dts <= last) => {
                self.join = Join::Resume(true);
                return false;
            }
            // Entries in between were dropped already, or there are none.
            Join::Resume(seen) => {
                self.jumped |= !*seen && entry.start;
                *seen || entry.start
            }
            Join::At(at) => {
                let same = frame.dts == at.frame.dts && Arc::ptr_eq(&frame.config, &at.frame.config);
                let later = entry.start && frame.dts > at.frame.dts;
                self.jumped |= later && !same;
                same || later
            }
        };
        if joined {
            self.join = Join::Joined;
        }
        joined
    }

    fn open_view(&mut self, to: AudioTarget) {
        let view = Derived::of(&self.stream, TranscodedAudio { carried: self.want.audio, to });
        let began = self.video.or(self.audio).is_some();
        let (join, start) = match self.start {
            _ if began => (Join::Resume(false), Start::Oldest),
            // The transcoded stream begins in the past, and this reader wants only what is live.
            Start::Live => (Join::Live(self.stream.newest().unwrap_or(Micros::MIN)), Start::Key),
            start => (Join::Joined, start),
        };
        self.join = join;
        self.switch(view.cursor(start));
        self.view = Some(view);
    }

    /// Goes back to the stream's own audio, from `at` on.
    fn close_view(&mut self, at: Arc<Entry>) {
        self.join = Join::At(at);
        self.switch(self.stream.subscribe(Start::Oldest));
        self.view = None;
    }

    fn switch(&mut self, cursor: Subscriber) {
        self.jumped |= self.cursor.take_skip();
        self.skipped += self.cursor.skipped();
        self.cursor = cursor;
    }
}

/// Whether this is the configuration of transcoded audio.
fn is_made(config: &Arc<Config>) -> bool {
    AudioTarget::ALL.iter().any(|target| target.made(config))
}

#[cfg(test)]
mod tests;
