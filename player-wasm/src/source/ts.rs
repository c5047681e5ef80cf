//! MPEG-TS: HLS segments, or one endless response.

use bytes::Bytes;
use media::ts::{self, Demuxer};

use super::{Event, Source, of_error};

impl Source for Demuxer {
    fn push(&mut self, bytes: Bytes) {
        Self::push(self, bytes);
    }

    fn flush(&mut self) {
        Self::flush(self);
    }

    fn next(&mut self) -> Option<Event> {
        Some(match Self::next(self)? {
            Ok(ts::Event::Tracks { video, audio }) => {
                Event::Promise { video: video.is_some(), audio: audio.is_some() }
            }
            Ok(ts::Event::Frame(frame)) => Event::Frame(frame),
            Err(error) => of_error(&error),
        })
    }
}
