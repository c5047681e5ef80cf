//! Writes frames as a transport stream, with the packet writer of the crate `mpeg2ts`.

use std::sync::Arc;

use mpeg2ts::es::{StreamId, StreamType};
use mpeg2ts::pes::PesHeader;
use mpeg2ts::time::{ClockReference, Timestamp};
use mpeg2ts::ts::payload::{Bytes as Payload, Pat, Pes, Pmt};
use mpeg2ts::ts::{
    AdaptationField, ContinuityCounter, Descriptor, EsInfo, Pid, ProgramAssociation,
    TransportScramblingControl, TsHeader, TsPacket, TsPacketWriter, TsPayload, VersionNumber, WriteTsPacket,
};

use super::units;
use super::{FORMAT, PACKET};
use crate::config::{Codec, Config, Track};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::time::{MILLI, Micros, to_ticks};

const PMT: u16 = 0x1000;
const VIDEO: u16 = 0x100;
const AUDIO: u16 = 0x101;
/// Distance of the clock (PCR) behind the dts, so that audio which waited for its PES packet is not late.
const CLOCK_LEAD: Micros = 700 * MILLI;
/// Maximum duration of the audio frames that share a PES packet.
const BUNDLE_TIME: Micros = 100 * MILLI;
/// Maximum size in bytes of the audio frames that share a PES packet.
const BUNDLE_SIZE: usize = 4096;
/// Maximum gap between audio frames that share a PES packet: only the time of the first frame is written.
const BUNDLE_SLACK: Micros = 800;

/// Audio frames that will share a PES packet.
#[derive(Debug, Default)]
struct Bundle {
    data: Vec<u8>,
    start: Micros,
    end: Micros,
}

/// Writes one program with at most one video and one audio stream.
///
/// H.264 and H.265 get an access unit delimiter, and their parameter sets before every key frame. AAC gets
/// ADTS headers, Opus gets control headers. Up to 100 ms of audio share a PES packet, so call
/// [`Muxer::flush`] at the end. A track's first frame and each change of its configuration write new tables
/// (a new PMT version).
#[derive(Debug, Default)]
pub struct Muxer {
    video: Option<Arc<Config>>,
    audio: Option<Arc<Config>>,
    version: VersionNumber,
    counters: [ContinuityCounter; 4],
    bundle: Bundle,
    unit: Vec<u8>,
    written: bool,
}

/// An index of `Muxer::counters`.
#[derive(Clone, Copy)]
enum Counter {
    Pat,
    Pmt,
    Video,
    Audio,
}

impl Muxer {
    /// Creates a muxer without tracks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether this muxer supports `codec`.
    pub const fn supports(codec: Codec) -> bool {
        stream_type(codec).is_some()
    }

    /// Sets the tracks and writes the tables. Tracks with unsupported codecs are left out.
    pub fn start(&mut self, tracks: &[&Arc<Config>], out: &mut Vec<u8>) {
        self.flush(out);
        let find = |track| {
            let fits = |c: &&&Arc<Config>| c.track() == track && Self::supports(c.codec);
            tracks.iter().find(fits).map(|c| Arc::clone(c))
        };
        let (video, audio) = (find(Track::Video), find(Track::Audio));
        if self.written && (self.video != video || self.audio != audio) {
            self.version.increment();
        }
        (self.video, self.audio) = (video, audio);
        self.tables(out);
    }

    /// Writes PAT and PMT, which a receiver needs first: at the start of every segment. Writes nothing if
    /// there are no tracks.
    pub fn tables(&mut self, out: &mut Vec<u8>) {
        if self.video.is_none() && self.audio.is_none() {
            return;
        }
        self.written = true;
        let pat = Pat {
            transport_stream_id: 1,
            version_number: VersionNumber::new(),
            table: vec![ProgramAssociation { program_num: 1, program_map_pid: pid(PMT) }],
        };
        self.section(Pid::PAT, Counter::Pat, TsPayload::Pat(pat), out);
        let info = |config: &Option<Arc<Config>>, pid: Pid| {
            let config = config.as_ref()?;
            let (stream_type, _) = stream_type(config.codec)?;
            let descriptors = units::descriptors(config);
            let descriptors = descriptors.into_iter().map(|(tag, data)| Descriptor { tag, data }).collect();
            Some(EsInfo { stream_type, elementary_pid: pid, descriptors })
        };
        let pmt = Pmt {
            program_num: 1,
            pcr_pid: Some(pid(if self.video.is_some() { VIDEO } else { AUDIO })),
            version_number: self.version,
            program_info: Vec::new(),
            es_info: [info(&self.video, pid(VIDEO)), info(&self.audio, pid(AUDIO))]
                .into_iter()
                .flatten()
                .collect(),
        };
        self.section(PMT, Counter::Pmt, TsPayload::Pmt(pmt), out);
    }

    /// Writes one frame.
    ///
    /// # Errors
    /// A codec that transport streams do not support, or a frame that does not match its configuration.
    /// Nothing is written then.
    pub fn frame(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Result<()> {
        let Some((_, stream_id)) = stream_type(frame.config.codec) else {
            return Err(Error::unsupported(FORMAT, 0, "codec"));
        };
        let mut unit = std::mem::take(&mut self.unit);
        unit.clear();
        let duration = units::write(frame, &mut unit);
        if let Ok(duration) = duration {
            self.configure(&frame.config, out);
            match frame.track() {
                Track::Video => {
                    self.pes(Counter::Video, stream_id, (frame.dts, frame.pts), frame.key, &unit, out)
                }
                Track::Audio => self.bundle(frame.dts, duration, &unit, out),
            }
        }
        self.unit = unit;
        duration.map(|_| ())
    }

    /// Writes a PES packet of the audio stream with arbitrary bytes.
    #[cfg(test)]
    pub(super) fn raw_audio(&mut self, time: Micros, data: &[u8], out: &mut Vec<u8>) {
        self.pes(Counter::Audio, StreamId::AUDIO_MIN, (time, time), true, data, out);
    }

    /// Writes the audio that waits for more frames of its PES packet.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        let mut data = std::mem::take(&mut self.bundle.data);
        if let Some((_, id)) = self.audio.as_ref().and_then(|c| stream_type(c.codec))
            && !data.is_empty()
        {
            let start = self.bundle.start;
            self.pes(Counter::Audio, id, (start, start), self.video.is_none(), &data, out);
        }
        data.clear();
        self.bundle.data = data;
    }

    fn configure(&mut self, config: &Arc<Config>, out: &mut Vec<u8>) {
        let current = if config.track() == Track::Video { &self.video } else { &self.audio };
        if current.as_ref().is_some_and(|c| Arc::ptr_eq(c, config) || c == config) {
            return;
        }
        self.flush(out);
        match config.track() {
            Track::Video => self.video = Some(Arc::clone(config)),
            Track::Audio => self.audio = Some(Arc::clone(config)),
        }
        if self.written {
            self.version.increment();
        }
        self.tables(out);
    }

    fn bundle(&mut self, dts: Micros, duration: Micros, unit: &[u8], out: &mut Vec<u8>) {
        let bundle = &self.bundle;
        let fits = (dts - bundle.end).abs() <= BUNDLE_SLACK
            && dts + duration - bundle.start <= BUNDLE_TIME
            && bundle.data.len() + unit.len() <= BUNDLE_SIZE;
        if !fits {
            self.flush(out);
        }
        let bundle = &mut self.bundle;
        if bundle.data.is_empty() {
            (bundle.start, bundle.end) = (dts, dts);
        }
        bundle.data.extend_from_slice(unit);
        bundle.end += duration;
    }

    fn pes(
        &mut self,
        counter: Counter,
        id: u8,
        (dts, pts): (Micros, Micros),
        key: bool,
        data: &[u8],
        out: &mut Vec<u8>,
    ) {
        let with_clock = matches!(counter, Counter::Video) || self.video.is_none();
        let adaptation_field = (with_clock || key).then(|| AdaptationField {
            discontinuity_indicator: false,
            random_access_indicator: key,
            es_priority_indicator: false,
            pcr: with_clock.then(|| clock(dts - CLOCK_LEAD)),
            opcr: None,
            splice_countdown: None,
            transport_private_data: Vec::new(),
            extension: None,
        });
        let header = PesHeader {
            stream_id: StreamId::new(id),
            priority: false,
            data_alignment_indicator: true,
            copyright: false,
            original_or_copy: false,
            pts: Some(timestamp(pts)),
            dts: (dts != pts).then(|| timestamp(dts)),
            escr: None,
        };
        let fields = if dts != pts { 10 } else { 5 };
        // The length excludes itself; 0 means that it does not fit 16 bits.
        let pes_packet_len = u16::try_from(3 + fields + data.len()).unwrap_or(0);
        let adaptation = adaptation_field.as_ref().map_or(0, |a| if a.pcr.is_some() { 8 } else { 2 });
        let room = PACKET - 4 - adaptation - 9 - fields;
        let (first, rest) = data.split_at(data.len().min(room));
        let pes = |data| TsPayload::PesStart(Pes { header, pes_packet_len, data });
        let pid = if matches!(counter, Counter::Video) { VIDEO } else { AUDIO };
        self.packet(pid, counter, adaptation_field, payload(first).map(pes), out);
        for piece in rest.chunks(PACKET - 4) {
            self.packet(pid, counter, None, payload(piece).map(TsPayload::PesContinuation), out);
        }
    }

    /// Writes one packet with a table.
    fn section(&mut self, pid: u16, counter: Counter, table: TsPayload, out: &mut Vec<u8>) {
        let at = out.len();
        self.packet(pid, counter, None, Some(table), out);
        // The writer fills packets with an adaptation field; tables should be followed by 0xff (2.4.4).
        let Some(packet) = out.get_mut(at..at + PACKET).filter(|p| p[3] & 0x20 != 0) else { return };
        let begin = 5 + usize::from(packet[4]);
        packet[3] &= !0x20;
        packet.copy_within(begin.., 4);
        packet[PACKET - (begin - 4)..].fill(0xff);
    }

    fn packet(
        &mut self,
        id: u16,
        counter: Counter,
        adaptation_field: Option<AdaptationField>,
        payload: Option<TsPayload>,
        out: &mut Vec<u8>,
    ) {
        let counter = &mut self.counters[counter as usize];
        let header = TsHeader {
            transport_error_indicator: false,
            transport_priority: false,
            pid: pid(id),
            transport_scrambling_control: TransportScramblingControl::NotScrambled,
            continuity_counter: *counter,
        };
        counter.increment();
        let packet = TsPacket { header, adaptation_field, payload };
        let written = TsPacketWriter::new(out).write_ts_packet(&packet);
        debug_assert!(written.is_ok(), "a packet that does not fit: {written:?}");
    }
}

/// Returns stream type (ISO/IEC 13818-1 table 2-34) and PES stream id.
const fn stream_type(codec: Codec) -> Option<(StreamType, u8)> {
    Some(match codec {
        Codec::H264 => (StreamType::H264, StreamId::VIDEO_MIN),
        Codec::H265 => (StreamType::H265, StreamId::VIDEO_MIN),
        Codec::Aac => (StreamType::AdtsAac, StreamId::AUDIO_MIN),
        Codec::Mp3 => (StreamType::Mpeg1Audio, StreamId::AUDIO_MIN),
        Codec::Opus => (StreamType::Mpeg2PacketizedData, StreamId::PRIVATE_STREAM_1),
        _ => return None,
    })
}

/// Values out of range become 0; all constants are in range.
fn pid(id: u16) -> Pid {
    Pid::new(id).unwrap_or(Pid::from(0))
}

/// A piece of packet size always fits.
fn payload(piece: &[u8]) -> Option<Payload> {
    Payload::new(piece).ok()
}

fn ticks(time: Micros) -> u64 {
    to_ticks(time, 90_000) as u64 & Timestamp::MAX
}

fn timestamp(time: Micros) -> Timestamp {
    Timestamp::new(ticks(time)).unwrap_or(Timestamp::from(0))
}

fn clock(time: Micros) -> ClockReference {
    ClockReference::new(ticks(time) * 300).unwrap_or(ClockReference::from(0))
}
