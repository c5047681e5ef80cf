//! Writes the FLV tags that all viewers of a stream share.

use bytes::Bytes;
use media::flv::mux;
use media::time::Micros;
use media::{Config, Frame, Track};

use crate::core::hub::Stream;
use crate::derive::batch::{Tracks, WireFormat, WireMuxer};

/// A stream as FLV tags.
pub(super) const FORMAT: WireFormat = WireFormat { name: "flv", muxer: || Box::new(Tags) };

/// Writes FLV tags.
#[derive(Debug)]
struct Tags;

impl WireMuxer for Tags {
    fn prelude(&mut self, tracks: &Tracks, dts: Micros, out: &mut Vec<u8>) {
        let (video, audio) = (tracks.video.as_deref(), tracks.audio.as_deref());
        self.metadata(tracks, out);
        for config in [video, audio].into_iter().flatten() {
            out.extend_from_slice(&mux::config_tag(config, dts));
        }
    }

    fn config(&mut self, config: &Config, _: &Tracks, dts: Micros, out: &mut Vec<u8>) {
        out.extend_from_slice(&mux::config_tag(config, dts));
    }

    fn metadata(&mut self, tracks: &Tracks, out: &mut Vec<u8>) {
        let (video, audio) = (tracks.video.as_deref(), tracks.audio.as_deref());
        let body = mux::described_body(video, audio, tracks.own_fields());
        // At any time other than 0, ffmpeg takes metadata for a text track.
        out.extend_from_slice(&mux::script_tag(&body, 0));
    }

    fn message(&mut self, message: &[u8], dts: Micros, out: &mut Vec<u8>) {
        out.extend_from_slice(&mux::script_tag(message, dts));
    }

    fn frame(&mut self, frame: &Frame, out: &mut Vec<u8>) {
        out.extend_from_slice(&mux::frame_tag(frame));
    }
}

/// Returns the file header. It announces the tracks that the stream has or will have: some players ignore
/// tracks that are not announced.
pub(super) fn header(stream: &Stream) -> Bytes {
    mux::header(stream.promises(Track::Audio), stream.promises(Track::Video))
}
