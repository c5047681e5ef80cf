//! FLV over HTTP and WebSocket.

use bytes::Bytes;
use media::flv::{self, Demuxer};
use media::time::{Micros, SECOND};

use super::{Event, Source, of_error};

impl Source for Demuxer {
    fn push(&mut self, bytes: Bytes) {
        Self::push(self, bytes);
    }

    fn failed(&self) -> bool {
        Self::failed(self)
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            match Self::next(self)? {
                Ok(flv::Event::Header { audio, video }) => return Some(Event::Promise { video, audio }),
                Ok(flv::Event::Frame(frame)) => return Some(Event::Frame(frame)),
                Ok(flv::Event::Script(body)) => {
                    if let Some(duration) = duration(&body) {
                        return Some(Event::Duration(duration));
                    }
                }
                Err(error) => return Some(of_error(&error)),
            }
        }
    }
}

/// Finds the number `duration` of `onMetaData` by its bytes: a complete AMF parser is not worth its size.
fn duration(script: &[u8]) -> Option<Micros> {
    const KEY: &[u8] = b"\0\x08duration\0";
    let at = script.windows(KEY.len()).position(|part| part == KEY)? + KEY.len();
    let seconds = f64::from_be_bytes(script.get(at..at + 8)?.try_into().ok()?);
    // At most a year.
    (seconds > 0.0 && seconds < 3.2e7).then_some((seconds * SECOND as f64) as Micros)
}
