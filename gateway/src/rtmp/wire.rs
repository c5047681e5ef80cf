//! Writes frames as RTMP messages: the same bytes for every player of a stream.

use bytes::Bytes;
use media::flv::mux;
use media::time::Micros;
use media::{Config, Frame, Track};

use super::message::{STREAM, Writer, kind};
use crate::derive::batch::{Tracks, WireFormat, WireMuxer};

/// A stream as RTMP messages, for players to whom the session has announced its chunk size.
pub const FORMAT: WireFormat = WireFormat { name: "rtmp", muxer: || Box::new(Messages(Writer::announced())) };

/// Writes RTMP messages.
#[derive(Debug)]
struct Messages(Writer);

impl Messages {
    fn sequence_header(&mut self, config: &Config, dts: Micros, out: &mut Vec<u8>) {
        let body = mux::config_body(config);
        if !body.is_empty() {
            self.0.write(message_kind(config.track()), mux::timestamp(dts), STREAM, body, out);
        }
    }
}

impl WireMuxer for Messages {
    fn prelude(&mut self, tracks: &Tracks, dts: Micros, out: &mut Vec<u8>) {
        self.metadata(tracks, out);
        for config in tracks.video.iter().chain(&tracks.audio) {
            self.sequence_header(config, dts, out);
        }
    }

    fn config(&mut self, config: &Config, tracks: &Tracks, dts: Micros, out: &mut Vec<u8>) {
        self.metadata(tracks, out);
        self.sequence_header(config, dts, out);
    }

    /// Metadata always have time 0: at any other time, ffmpeg treats them as a text track.
    fn metadata(&mut self, tracks: &Tracks, out: &mut Vec<u8>) {
        let (video, audio) = (tracks.video.as_deref(), tracks.audio.as_deref());
        let body = mux::described_body(video, audio, tracks.own_fields());
        self.0.write(kind::DATA, 0, STREAM, body, out);
    }

    fn message(&mut self, message: &[u8], dts: Micros, out: &mut Vec<u8>) {
        let body = Bytes::copy_from_slice(message);
        self.0.write(kind::DATA, mux::timestamp(dts), STREAM, body, out);
    }

    fn frame(&mut self, frame: &Frame, out: &mut Vec<u8>) {
        let timestamp = mux::timestamp(frame.dts);
        self.0.write(message_kind(frame.track()), timestamp, STREAM, mux::frame_body(frame), out);
    }
}

const fn message_kind(track: Track) -> u8 {
    match track {
        Track::Audio => kind::AUDIO,
        Track::Video => kind::VIDEO,
    }
}
