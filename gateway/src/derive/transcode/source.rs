//! What an edge reads.

use std::sync::Arc;

use media::time::Micros;
use media::{Config, Track};

use super::replace::{Replace, ToAac, ToOpus, mark};
use super::view::{Held, View};
use super::{Sound, Way, config};
use crate::core::hub::{Entry, Start, Stream, Subscriber};

/// A stream's entries, with sound that an edge can carry; in place of [`Stream::subscribe`].
///
/// Where the sound need not be transcoded it is a cursor into the stream's own ring. It changes over,
/// in either direction, when another publisher comes with another codec.
#[derive(Debug)]
pub struct Source {
    stream: Arc<Stream>,
    sound: Sound,
    start: Start,
    cursor: Subscriber,
    /// The view that is read in place of the stream.
    view: Option<Held>,
    join: Join,
    /// The newest times handed out, by track.
    video: Option<Micros>,
    audio: Option<Micros>,
    /// An entry that began something new was not handed out: the next one says so.
    discontinuity: bool,
    jumped: bool,
    /// Missed before the present cursor.
    skipped: u64,
}

/// What of a ring is not for this reader.
#[derive(Debug)]
enum Join {
    /// All is.
    Joined,
    /// Up to this time it is the past.
    Live(Micros),
    /// It had what is not newer than its own last from another ring; whether that was seen here too.
    Resume(bool),
    /// It had everything before this entry.
    At(Arc<Entry>),
}

impl Source {
    /// Reads `stream` from `start` on, for an edge that carries `sound`. Inside a tokio runtime.
    pub fn new(stream: &Arc<Stream>, sound: Sound, start: Start) -> Self {
        let mut source = Self {
            stream: stream.clone(),
            sound,
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
        let transcoded = |config: Arc<Config>| sound.way(config.codec) == Way::Transcoded;
        if stream.config(Track::Audio).is_some_and(transcoded) {
            source.open_view();
        }
        source
    }

    /// The next entry; [`None`] when the stream is over. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Arc<Entry>> {
        loop {
            let entry = self.cursor.next().await?;
            if let Some(entry) = self.take(entry) {
                return Some(entry);
            }
        }
    }

    /// The next entry, if it is there already.
    pub fn try_next(&mut self) -> Option<Arc<Entry>> {
        loop {
            let entry = self.cursor.try_next()?;
            if let Some(entry) = self.take(entry) {
                return Some(entry);
            }
        }
    }

    /// Entries missed so far because the reader was too slow.
    pub fn skipped(&self) -> u64 {
        self.skipped + self.cursor.skipped()
    }

    /// Whether entries were missed since the last call.
    pub fn take_skip(&mut self) -> bool {
        self.cursor.take_skip() | std::mem::take(&mut self.jumped)
    }

    /// The newest configuration of a track as it is handed out here.
    pub fn config(&self, track: Track) -> Option<Arc<Config>> {
        config(&self.stream, self.sound, track)
    }

    /// Whether its sound is transcoded, and so comes a little later than the stream's own.
    pub const fn transcodes(&self) -> bool {
        self.view.is_some()
    }

    fn take(&mut self, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        if !self.joins(&entry) {
            return None;
        }
        let video = entry.frame.is_video();
        if !video {
            match (self.sound.way(entry.frame.config.codec), &self.view) {
                (Way::Transcoded, _) => {
                    // (The view hands out nothing of this kind.)
                    self.open_view();
                    return None;
                }
                (Way::Nothing, _) => {
                    self.discontinuity |= entry.discontinuity;
                    return None;
                }
                (Way::Direct, Some(_)) if !self.sound.made(&entry.frame.config) => {
                    self.close_view(entry);
                    return None;
                }
                (Way::Direct, _) => {}
            }
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
            // (Sound before the first that was handed out is older than the pictures that were.)
            Join::Resume(_) if last.or(self.video).or(self.audio).is_some_and(|last| frame.dts <= last) => {
                self.join = Join::Resume(true);
                return false;
            }
            // What lies between was dropped already, or there is nothing between.
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

    fn open_view(&mut self) {
        let view = match self.sound {
            Sound::Aac => View::<Replace<ToAac>>::of(&self.stream),
            Sound::Opus => View::<Replace<ToOpus>>::of(&self.stream),
        };
        let began = self.video.or(self.audio).is_some();
        let (join, start) = match self.start {
            _ if began => (Join::Resume(false), Start::Oldest),
            // It begins in the past, which is not what comes next.
            Start::Live => (Join::Live(self.stream.newest().unwrap_or(Micros::MIN)), Start::Key),
            start => (Join::Joined, start),
        };
        self.join = join;
        self.switch(view.ring.cursor(start));
        self.view = Some(view);
    }

    /// The stream's own sound is good again, from `at` on.
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

#[cfg(test)]
mod tests;
