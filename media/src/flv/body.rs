//! Tag bodies, which are RTMP's message payloads as well, to frames.

use std::sync::Arc;

use bytes::Bytes;

use super::FORMAT;
use super::script::Metadata;
use super::tag::{self, Kind, Tag};
use crate::codec::nal::{self, Entry};
use crate::codec::{self, av1, h264, h265, mp3, opus, vpx};
use crate::config::{Audio, Codec, Config, Format, Track};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::time::{MILLI, Unwrapper};

/// Turns the bodies of FLV tags, or the payloads of RTMP messages, into frames.
///
/// It keeps the configurations and unwraps the 32-bit timestamps: of each track apart, for some encoders
/// have a clock for each. After an error the next tag may be good: nothing else is lost.
#[derive(Debug, Clone)]
pub struct BodyDemuxer {
    /// The clocks of video and audio.
    clocks: [Unwrapper<32>; 2],
    audio: Option<Arc<Config>>,
    video: Option<Arc<Config>>,
    /// The newest video sequence header as sent: encoders repeat it, after in-band changes too.
    sequence: Bytes,
    /// Bytes of the NAL units' length prefixes.
    nal_length: usize,
    /// A picture came that says itself that decoding may start there.
    entered: bool,
}

impl Default for BodyDemuxer {
    fn default() -> Self {
        Self::new()
    }
}

impl BodyDemuxer {
    /// A demuxer at the start of a stream.
    pub const fn new() -> Self {
        Self {
            clocks: [Unwrapper::new(), Unwrapper::new()],
            audio: None,
            video: None,
            sequence: Bytes::new(),
            // What encoders use that send frames before, or without, a sequence header.
            nal_length: 4,
            entered: false,
        }
    }

    /// The newest audio configuration.
    pub const fn audio_config(&self) -> Option<&Arc<Config>> {
        self.audio.as_ref()
    }

    /// The newest video configuration.
    pub const fn video_config(&self) -> Option<&Arc<Config>> {
        self.video.as_ref()
    }

    /// Reads an audio tag's body. None for a sequence header, an end of sequence or an empty body.
    pub fn audio(&mut self, timestamp_ms: u32, body: Bytes) -> Result<Option<Frame>> {
        let tag = tag::audio(&body)?;
        let data = body.slice(tag.at.min(body.len())..);
        if tag.kind == Kind::Skip || data.is_empty() {
            return Ok(None);
        }
        if tag.kind == Kind::Sequence {
            // MP3 needs none, so what stands in one does not matter.
            if tag.codec != Codec::Mp3 {
                set(&mut self.audio, codec::config_of(tag.codec, data)?);
            }
            return Ok(None);
        }
        match tag.codec {
            Codec::PcmAlaw | Codec::PcmMulaw => {
                // FLV has no rate for G.711: it is telephone sound.
                let format = Format::Audio(Audio { sample_rate: 8_000, channels: 1 + (body[0] & 1) });
                set(&mut self.audio, Config { codec: tag.codec, format, description: Bytes::new() });
            }
            Codec::Mp3 => set(&mut self.audio, mp3::Header::parse(&data)?.config()),
            Codec::Opus if self.audio.as_ref().is_none_or(|config| config.codec != Codec::Opus) => {
                // A head can be left out: what every encoder sends is two channels or one.
                set(&mut self.audio, opus::config_of_channels(1 + u8::from(opus::is_stereo(&data))));
            }
            _ => {}
        }
        let Some(config) = self.audio.as_ref().filter(|config| config.codec == tag.codec).cloned() else {
            return Err(Error::invalid(FORMAT, 0, "audio frame before its sequence header"));
        };
        Ok(Some(self.frame(config, timestamp_ms, tag, data)))
    }

    /// Reads a video tag's body. None for a sequence header, an end of sequence, or a body without
    /// a picture.
    pub fn video(&mut self, timestamp_ms: u32, body: Bytes) -> Result<Option<Frame>> {
        let mut tag = tag::video(&body)?;
        let mut data = body.slice(tag.at.min(body.len())..);
        if tag.kind == Kind::Skip || data.is_empty() {
            return Ok(None);
        }
        if tag.kind == Kind::Sequence {
            return self.sequence_header(tag.codec, data).map(|()| None);
        }
        match tag.codec {
            Codec::H264 | Codec::H265 => {
                let h265 = tag.codec == Codec::H265;
                data = nal::normalise(tag.codec.name(), data, self.nal_length)?;
                let entry = if h265 { h265::entry_point(&data) } else { h264::entry_point(&data) };
                tag.key = self.is_key(tag.key, entry);
                if tag.key || entry == Entry::NoPicture {
                    data = self.in_band(data, h265);
                }
                if entry == Entry::NoPicture {
                    return Ok(None);
                }
            }
            Codec::Av1 => {
                data = av1::without_delimiter(data);
                if let Ok(Some(config)) = av1::config_in_band(&data, self.video.as_deref()) {
                    set(&mut self.video, config);
                }
            }
            codec => self.set_size(codec, &data),
        }
        if data.is_empty() {
            return Ok(None);
        }
        let Some(config) = self.video.as_ref().filter(|config| config.codec == tag.codec).cloned() else {
            return Err(Error::invalid(FORMAT, 0, "video frame before its sequence header"));
        };
        Ok(Some(self.frame(config, timestamp_ms, tag, data)))
    }

    /// Reads a script tag's body, with or without RTMP's `@setDataFrame`. None for anything else
    /// than `onMetaData`.
    pub fn script(&mut self, body: Bytes) -> Result<Option<Metadata>> {
        Metadata::read(&body)
    }

    fn frame(&mut self, config: Arc<Config>, timestamp_ms: u32, tag: Tag, data: Bytes) -> Frame {
        let [video, audio] = &mut self.clocks;
        let (own, other) = if config.track() == Track::Video { (video, audio) } else { (audio, video) };
        let dts = own.unwrap_near(timestamp_ms.into(), other);
        let pts = dts + i64::from(tag.composition);
        Frame { config, dts: dts * MILLI, pts: pts * MILLI, key: tag.key, data }
    }

    fn sequence_header(&mut self, codec: Codec, data: Bytes) -> Result<()> {
        if self.sequence == data && self.video.as_ref().is_some_and(|config| config.codec == codec) {
            return Ok(());
        }
        let config = codec::config_of(codec, data.clone())?;
        self.nal_length = match codec {
            Codec::H264 => h264::Avcc::parse(&data)?.length_size,
            Codec::H265 => h265::Hvcc::parse(&data)?.length_size,
            _ => 4,
        };
        self.sequence = data;
        set(&mut self.video, config);
        Ok(())
    }

    /// Whether decoding may start at a picture that its tag flags, or not, as a key frame.
    ///
    /// Some encoders flag too much and some too little. An IDR picture always is one. A flagged
    /// picture that has neither I slices nor a recovery point is believed only as long as the stream
    /// has shown nothing better (gradual refresh without a word of it).
    fn is_key(&mut self, flagged: bool, entry: Entry) -> bool {
        let real = entry == Entry::Idr || flagged && entry == Entry::Recovery;
        self.entered |= real;
        real || flagged && entry == Entry::None && !self.entered
    }

    /// Takes parameter sets out of an access unit into the configuration. Broken ones stay.
    fn in_band(&mut self, data: Bytes, h265: bool) -> Bytes {
        let take = if h265 { h265::take_parameter_sets } else { h264::take_parameter_sets };
        match take(data.clone(), self.video.as_deref()) {
            Ok((config, rest)) => {
                if let Some(config) = config {
                    set(&mut self.video, config);
                }
                rest
            }
            Err(_) => data,
        }
    }

    /// VP8 and VP9 have their size in the key frames, not in the sequence header.
    fn set_size(&mut self, codec: Codec, data: &[u8]) {
        if let (Some(config), Some(size)) = (&self.video, vpx::size(codec, data))
            && config.codec == codec
        {
            let config = Config { format: Format::Video(size), ..Config::clone(config) };
            set(&mut self.video, config);
        }
    }
}

/// A new `Arc` only for a configuration that differs.
fn set(slot: &mut Option<Arc<Config>>, config: Config) {
    if slot.as_deref() != Some(&config) {
        *slot = Some(Arc::new(config));
    }
}
