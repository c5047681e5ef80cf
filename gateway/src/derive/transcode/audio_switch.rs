//! Reads a stream with audio that the reader can carry.

use std::sync::Arc;

use media::time::Micros;
use media::{Config, Track, TrackId};

use super::replace::with_mark;
use super::view::TranscodedAudio;
use super::want::Plan;
use super::{AudioTarget, Want};
use crate::core::hub::{FrameEntry, Start, Stream, Subscriber};
use crate::derive::derived::{Derived, Holder};

/// Reads a stream's entries with audio that the reader can carry; replaces [`Stream::subscribe`].
///
/// While no audio has to be transcoded, this is a cursor into the stream's own ring. When a publisher with
/// another audio codec comes, it switches to the derived stream with transcoded audio, or back.
#[derive(Debug)]
pub(super) struct AudioSwitch {
    stream: Arc<Stream>,
    want: Want,
    start: Start,
    cursor: Subscriber,
    /// The derived stream, while it is read instead of the stream.
    view: Option<Holder<TranscodedAudio>>,
    join: Join,
    /// The newest returned time of each track.
    video: Option<Micros>,
    audio: Option<Micros>,
    /// Whether the next entry is marked as a discontinuity, because the entry that had the mark was not returned.
    discontinuity: bool,
    /// Whether entries were missed while switching, since the last [`AudioSwitch::take_skip`].
    jumped: bool,
    /// Number of entries that earlier cursors missed.
    skipped: u64,
}

/// The entries that the reader leaves out after it has switched to another ring.
#[derive(Debug)]
enum Join {
    /// No entries.
    Joined,
    /// Entries up to this time, because the reader wants only live frames.
    Live(Micros),
    /// Entries that are not newer than the last one that was returned from the other ring. The flag tells
    /// whether this ring had such an entry; if not, entries are missing in between.
    Resume(bool),
    /// Entries before this one, because they were returned from the other ring.
    At(Arc<FrameEntry>),
}

impl AudioSwitch {
    /// Reads `stream` from `start` on. Must be called inside a tokio runtime.
    pub(super) fn new(stream: &Arc<Stream>, want: &Want, start: Start) -> Self {
        let mut reader = Self {
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
            reader.open_view(to);
        }
        reader
    }

    /// Waits for the next entry. Returns [`None`] when the stream has ended. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Arc<FrameEntry>> {
        loop {
            let entry = self.cursor.next().await?;
            if let Some(entry) = self.accept(entry) {
                return Some(entry);
            }
        }
    }

    /// Returns the next entry if it is available.
    pub(super) fn try_next(&mut self) -> Option<Arc<FrameEntry>> {
        loop {
            let entry = self.cursor.try_next()?;
            if let Some(entry) = self.accept(entry) {
                return Some(entry);
            }
        }
    }

    /// Returns the number of entries missed so far because the reader was too slow.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped + self.cursor.skipped()
    }

    /// Returns whether entries were missed since the last call.
    pub(super) fn take_skip(&mut self) -> bool {
        self.cursor.take_skip() | std::mem::take(&mut self.jumped)
    }

    /// Returns the newest configuration of a track, as the reader receives it.
    pub(super) fn config(&self, track: impl Into<TrackId>) -> Option<Arc<Config>> {
        self.want.config(&self.stream, track)
    }

    /// Returns whether the audio is transcoded, and therefore a little later than the stream's own.
    pub(super) const fn transcodes(&self) -> bool {
        self.view.is_some()
    }

    fn accept(&mut self, entry: Arc<FrameEntry>) -> Option<Arc<FrameEntry>> {
        if !self.is_for_reader(&entry) {
            return None;
        }
        let video = entry.frame.is_video();
        match self.want.plan(entry.frame.config.codec) {
            Plan::Transcode(to) => {
                // Does not repeat: the derived stream contains no audio that has to be transcoded.
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
        Some(with_mark(&entry, std::mem::take(&mut self.discontinuity)))
    }

    /// Returns whether the entry is for this reader, and not left out after a switch.
    fn is_for_reader(&mut self, entry: &Arc<FrameEntry>) -> bool {
        let frame = &entry.frame;
        let last = if frame.is_video() { self.video } else { self.audio };
        let joined = match &mut self.join {
            Join::Joined => return true,
            Join::Live(past) => entry.start && frame.dts > *past,
            // A track of which nothing was returned yet resumes after the other track.
            Join::Resume(_) if last.or(self.video).or(self.audio).is_some_and(|last| frame.dts <= last) => {
                self.join = Join::Resume(true);
                return false;
            }
            // Without an old entry in this ring, it has evicted the entries in between, or there were none. Then the
            // reader resumes where a decoder can start.
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
            // The derived stream begins with cached frames, but this reader wants only live ones.
            Start::Live => (Join::Live(self.stream.newest().unwrap_or(Micros::MIN)), Start::Key),
            start => (Join::Joined, start),
        };
        self.join = join;
        self.switch(view.cursor(start));
        self.view = Some(view);
    }

    /// Goes back to the stream's own audio, from `at` on.
    fn close_view(&mut self, at: Arc<FrameEntry>) {
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

/// Returns whether this is a configuration of transcoded audio.
fn is_made(config: &Arc<Config>) -> bool {
    AudioTarget::ALL.iter().any(|target| target.made(config))
}

#[cfg(test)]
mod tests;
