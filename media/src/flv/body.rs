//! Converts tag bodies, which are also RTMP's message payloads, to frames.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::FORMAT;
use super::multitrack;
use super::script::Metadata;
use super::tag::{self, Kind, Tag};
use crate::codec::access_unit::{AccessUnit, Assembler, Piece};
use crate::codec::nal::{self, EntryPoint};
use crate::codec::{self, aac, av1, h264, h265, mp3, opus, vpx};
use crate::config::{Audio, Codec, Config, Format, Track};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::time::{MILLI, Micros, Unwrapper};

/// Maximum number of audio frames that wait behind a video frame: a little more than a second.
const MAX_BEHIND: usize = 64;
/// Maximum size in bytes of these audio frames: a little more than a second of uncompressed audio.
const MAX_BEHIND_BYTES: usize = 1 << 20;

/// Converts the bodies of FLV tags, or the payloads of RTMP messages, to frames.
///
/// The demuxer keeps the configurations, and unwraps the 32-bit timestamps of each track separately, because some
/// encoders use one clock per track. After an error the next tag may be good: only the faulty tag is lost. A
/// tag may complete no frame, one or several. Call [`BodyDemuxer::next`] until it returns `None` before the
/// next tag.
#[derive(Debug)]
pub struct BodyDemuxer {
    /// Timestamp unwrappers of video and audio.
    clocks: [Unwrapper<32>; 2],
    audio: Option<Arc<Config>>,
    video: Option<Arc<Config>>,
    /// The newest video sequence header as received: encoders repeat it, even after in-band changes.
    sequence: Bytes,
    /// Size in bytes of the NAL units' length prefixes.
    nal_length: usize,
    /// Whether the stream has had a frame whose content (not only its tag) marks a key frame.
    entered: bool,
    /// Whether there are tracks other than the default ones. They are not read.
    other_tracks: bool,
    /// Assembles H.264 and H.265 access units from several tags.
    units: Assembler,
    /// Audio that waits behind an incomplete video frame, to keep the order.
    behind: VecDeque<Frame>,
    ready: VecDeque<Frame>,
}

impl Default for BodyDemuxer {
    fn default() -> Self {
        Self::new()
    }
}

impl BodyDemuxer {
    /// Creates a demuxer for a stream from a server, whose tags hold whole frames.
    pub fn new() -> Self {
        Self::with(Assembler::trusting())
    }

    /// Creates a demuxer for a publisher's stream. Some encoders send the parts of a frame in separate tags,
    /// so the first frame is held back to find out ([`crate::codec::access_unit`]).
    pub fn for_publisher() -> Self {
        Self::with(Assembler::learning())
    }

    fn with(units: Assembler) -> Self {
        Self {
            clocks: [Unwrapper::new(), Unwrapper::new()],
            audio: None,
            video: None,
            sequence: Bytes::new(),
            // The value used by encoders that send frames before, or without, a sequence header.
            nal_length: 4,
            entered: false,
            other_tracks: false,
            units,
            behind: VecDeque::new(),
            ready: VecDeque::new(),
        }
    }

    /// Returns the next completed frame.
    #[allow(clippy::should_implement_trait, reason = "it is no iterator: none is not the end")]
    pub fn next(&mut self) -> Option<Frame> {
        self.ready.pop_front()
    }

    /// Returns whether a video frame waits for its next part, or for the proof that it is whole.
    pub const fn holds(&self) -> bool {
        self.units.holds()
    }

    /// Passes on the waiting video frame: nothing more arrives, or not in time.
    pub fn flush(&mut self) {
        let held = self.holds();
        self.units.flush();
        self.pass_on(held);
    }

    /// Returns whether there are tracks other than the default ones (Enhanced RTMP's multitrack). They are
    /// skipped.
    pub const fn has_other_tracks(&self) -> bool {
        self.other_tracks
    }

    /// Returns the newest audio configuration.
    pub const fn audio_config(&self) -> Option<&Arc<Config>> {
        self.audio.as_ref()
    }

    /// Returns the newest video configuration.
    pub const fn video_config(&self) -> Option<&Arc<Config>> {
        self.video.as_ref()
    }

    /// Reads an audio tag's body. A sequence header, an end of sequence or an empty body creates no frame.
    ///
    /// # Errors
    /// A codec that is not supported, or a malformed body.
    pub fn audio(&mut self, timestamp_ms: u32, body: Bytes) -> Result<()> {
        let Some(body) = self.default_track(Track::Audio, body)? else { return Ok(()) };
        let tag = tag::audio(&body)?;
        let data = body.slice(tag.at.min(body.len())..);
        if tag.kind == Kind::Skip || data.is_empty() {
            return Ok(());
        }
        if tag.kind == Kind::Sequence {
            // MP3 needs no sequence header, so its content is ignored.
            if tag.codec != Codec::Mp3 {
                set(&mut self.audio, codec::config_of(tag.codec, data)?);
            }
            return Ok(());
        }
        match tag.codec {
            Codec::PcmAlaw | Codec::PcmMulaw => {
                // FLV has no sample rate for G.711: it is always 8 kHz.
                let format = Format::Audio(Audio { sample_rate: 8_000, channels: 1 + (body[0] & 1) });
                set(&mut self.audio, Config { codec: tag.codec, format, description: Bytes::new() });
            }
            Codec::Mp3 => set(&mut self.audio, mp3::Header::parse(&data)?.config()),
            Codec::Aac => {
                if let Some(units) = aac::units(&data, self.audio.as_deref())? {
                    self.adts(timestamp_ms, tag, units);
                    return Ok(());
                }
            }
            Codec::Opus if self.audio.as_ref().is_none_or(|config| config.codec != Codec::Opus) => {
                // The OpusHead may be missing. All known encoders send one or two channels.
                set(&mut self.audio, opus::config_of_channels(1 + u8::from(opus::is_stereo(&data))));
            }
            _ => {}
        }
        let Some(config) = self.audio.as_ref().filter(|config| config.codec == tag.codec).cloned() else {
            return Err(Error::invalid(FORMAT, 0, "audio frame before its sequence header"));
        };
        let (dts, pts) = self.time(timestamp_ms, tag);
        self.push_audio(Frame { number: 0, config, dts, pts, key: tag.key, data });
        Ok(())
    }

    /// Reads a video tag's body. A sequence header, an end of sequence, or a body without a picture creates
    /// no frame. The first part of a frame may have to wait for the others.
    ///
    /// # Errors
    /// A codec that is not supported, or a malformed body.
    pub fn video(&mut self, timestamp_ms: u32, body: Bytes) -> Result<()> {
        let held = self.holds();
        let read = self.video_tag(timestamp_ms, body);
        self.pass_on(held);
        read
    }

    fn default_track(&mut self, track: Track, body: Bytes) -> Result<Option<Bytes>> {
        let read = multitrack::default_track(track, body)?;
        self.other_tracks |= read.others;
        Ok(read.body)
    }

    fn video_tag(&mut self, timestamp_ms: u32, body: Bytes) -> Result<()> {
        let Some(body) = self.default_track(Track::Video, body)? else { return Ok(()) };
        let tag = tag::video(&body)?;
        let mut data = body.slice(tag.at.min(body.len())..);
        if tag.kind == Kind::Skip || data.is_empty() {
            return Ok(());
        }
        if tag.kind == Kind::Sequence {
            self.units.end();
            return self.sequence_header(tag.codec, data);
        }
        match tag.codec {
            Codec::H264 | Codec::H265 => return self.units(timestamp_ms, tag, data),
            Codec::Av1 => {
                data = av1::without_delimiter(data);
                if let Ok(Some(config)) = av1::config_in_band(&data, self.video.as_deref()) {
                    set(&mut self.video, config);
                }
            }
            codec => self.set_size(codec, &data),
        }
        if data.is_empty() {
            return Ok(());
        }
        let config = self.video_config_of(tag.codec)?;
        let (dts, pts) = self.time(timestamp_ms, tag);
        // A frame of another codec may be waiting.
        self.flush();
        self.ready.push_back(Frame { number: 0, config, dts, pts, key: tag.key, data });
        Ok(())
    }

    /// Reads a script tag's body, with or without RTMP's `@setDataFrame`. Returns `None` for anything else
    /// than `onMetaData`.
    pub fn script(&mut self, body: Bytes) -> Result<Option<Metadata>> {
        Metadata::read(&body)
    }

    /// Adds AAC frames with ADTS headers. Their headers take precedence over a sequence header.
    fn adts(&mut self, timestamp_ms: u32, tag: Tag, units: Vec<aac::Unit>) {
        let (mut dts, _) = self.time(timestamp_ms, tag);
        for aac::Unit { config, data } in units {
            set(&mut self.audio, config);
            let Some(config) = self.audio.clone() else { return };
            let duration = codec::audio_duration(&config, &data).unwrap_or_default();
            self.push_audio(Frame { number: 0, config, dts, pts: dts, key: tag.key, data });
            dts += duration;
        }
    }

    /// Adds the NAL units of one tag.
    fn units(&mut self, timestamp_ms: u32, tag: Tag, data: Bytes) -> Result<()> {
        let h265 = tag.codec == Codec::H265;
        let mut data = nal::normalise(tag.codec.name(), data, self.nal_length)?;
        let entry = if h265 { h265::entry_point(&data) } else { h264::entry_point(&data) };
        if tag.key || matches!(entry, EntryPoint::Idr | EntryPoint::NoPicture) {
            data = self.in_band(data, h265);
        }
        if data.is_empty() {
            return Ok(());
        }
        let config = match self.video_config_of(tag.codec) {
            // There is no access unit that this could belong to.
            Err(_) if entry == EntryPoint::NoPicture => return Ok(()),
            config => config?,
        };
        let (dts, pts) = self.time(timestamp_ms, tag);
        self.units.push(Piece { config, dts, pts, flagged: tag.key, data })
    }

    fn push_audio(&mut self, frame: Frame) {
        if !self.holds() {
            return self.ready.push_back(frame);
        }
        self.behind.push_back(frame);
        let bytes: usize = self.behind.iter().map(|frame| frame.data.len()).sum();
        if self.behind.len() >= MAX_BEHIND || bytes > MAX_BEHIND_BYTES {
            self.flush();
        }
    }

    /// Outputs the completed frames: first the video frame that was `held`, then the audio that waited behind
    /// it.
    fn pass_on(&mut self, held: bool) {
        while let Some(unit) = self.units.next() {
            let picture = self.picture(unit);
            self.ready.push_back(picture);
            if held {
                self.ready.append(&mut self.behind);
            }
        }
    }

    fn picture(&mut self, unit: AccessUnit) -> Frame {
        let AccessUnit { piece, entry } = unit;
        let key = self.is_key(piece.flagged, entry);
        Frame { number: 0, config: piece.config, dts: piece.dts, pts: piece.pts, key, data: piece.data }
    }

    fn video_config_of(&self, codec: Codec) -> Result<Arc<Config>> {
        let config = self.video.as_ref().filter(|config| config.codec == codec).cloned();
        config.ok_or_else(|| Error::invalid(FORMAT, 0, "video frame before its sequence header"))
    }

    fn time(&mut self, timestamp_ms: u32, tag: Tag) -> (Micros, Micros) {
        let [video, audio] = &mut self.clocks;
        let (own, other) = if tag.codec.track() == Track::Video { (video, audio) } else { (audio, video) };
        let dts = own.unwrap_near(timestamp_ms.into(), other);
        (dts * MILLI, (dts + i64::from(tag.composition)) * MILLI)
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

    /// Returns whether decoding may start at a video frame, given the key frame flag of its tag.
    ///
    /// Some encoders set the flag on too many frames and some on too few. An IDR picture is always a key
    /// frame. A flagged picture without I slices and without a recovery point only counts while the stream
    /// has had no real key frame (gradual refresh without recovery points).
    fn is_key(&mut self, flagged: bool, entry: EntryPoint) -> bool {
        let real = entry == EntryPoint::Idr || flagged && entry == EntryPoint::Recovery;
        self.entered |= real;
        real || flagged && entry == EntryPoint::None && !self.entered
    }

    /// Moves parameter sets from an access unit into the configuration. Malformed ones stay in the access
    /// unit.
    fn in_band(&mut self, data: Bytes, h265: bool) -> Bytes {
        let take = if h265 { h265::take_parameter_sets } else { h264::take_parameter_sets };
        match take(data.clone(), self.video.as_deref()) {
            Ok((config, rest)) => {
                if rest.len() < data.len() {
                    // Parameter sets come before the first slice of a picture.
                    self.units.end();
                }
                if let Some(config) = config {
                    set(&mut self.video, config);
                }
                rest
            }
            Err(_) => data,
        }
    }

    /// Sets the size of VP8 and VP9 from a key frame: the sequence header does not contain it.
    fn set_size(&mut self, codec: Codec, data: &[u8]) {
        if let (Some(config), Some(size)) = (&self.video, vpx::size(codec, data))
            && config.codec == codec
        {
            let config = Config { format: Format::Video(size), ..Config::clone(config) };
            set(&mut self.video, config);
        }
    }
}

/// Stores `config` in a new `Arc` only if it differs.
fn set(slot: &mut Option<Arc<Config>>, config: Config) {
    if slot.as_deref() != Some(&config) {
        *slot = Some(Arc::new(config));
    }
}
