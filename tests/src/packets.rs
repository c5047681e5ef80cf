//! Lists a stream's packets as reported by ffmpeg, and compares two such lists.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::flv::{self, Tag};

/// One demuxed packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Decode time in microseconds.
    pub dts: i64,
    /// Presentation time in microseconds.
    pub pts: i64,
    /// Size and checksum of its bytes.
    pub bytes: (usize, String),
}

/// The packets of both tracks in the received order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packets {
    /// The video track.
    pub video: Vec<Packet>,
    /// The audio track.
    pub audio: Vec<Packet>,
}

/// The bytes of a packet that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// All bytes: FLV and RTMP carry the same ones.
    Whole,
    /// For MPEG-TS: H.264 slices as Annex B without parameter sets, SEI and delimiters, AAC without ADTS
    /// headers.
    H264Slices,
    /// The same for H.265.
    H265Slices,
}

impl View {
    /// Returns ffmpeg's output options for "print each packet, do not decode".
    pub fn options(self) -> Vec<&'static str> {
        let mut options = vec!["-map", "0:v?", "-map", "0:a?", "-c", "copy", "-copyts"];
        let video = match self {
            Self::Whole => None,
            Self::H264Slices => Some("h264_mp4toannexb,filter_units=remove_types=6-9"),
            Self::H265Slices => Some("hevc_mp4toannexb,filter_units=remove_types=32-40"),
        };
        if let Some(filter) = video {
            options.extend(["-bsf:v", filter, "-bsf:a", "aac_adtstoasc"]);
        }
        options.extend(["-f", "framecrc", "-flush_packets", "1", "-"]);
        options
    }
}

impl Packets {
    /// Returns the packets of a file.
    #[track_caller]
    pub fn of_file(file: &Path, view: View) -> Self {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-i"]).arg(file).args(view.options()).stdin(Stdio::null());
        let output = ffmpeg.output().unwrap_or_else(|error| panic!("cannot start ffmpeg: {error}"));
        assert!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
        Self::parse(&String::from_utf8_lossy(&output.stdout))
    }

    /// Returns the frames in FLV tags; the checksums differ from ffmpeg's.
    pub fn of_tags<'a>(tags: impl IntoIterator<Item = &'a Tag>) -> Self {
        let mut packets = Self::default();
        for tag in tags.into_iter().filter(|tag| tag.is_frame()) {
            let (composition, data) = tag.frame();
            let mut hasher = DefaultHasher::new();
            data.hash(&mut hasher);
            let dts = i64::from(tag.time) * 1_000;
            let pts = dts + i64::from(composition) * 1_000;
            let packet = Packet { dts, pts, bytes: (data.len(), format!("{:x}", hasher.finish())) };
            if tag.kind == flv::VIDEO { packets.video.push(packet) } else { packets.audio.push(packet) }
        }
        packets
    }

    /// Parses the output of ffmpeg's `framecrc` so far, without an unfinished last line.
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        let mut packets = Self::default();
        // Per stream index: time base, and whether it is video.
        let mut streams: Vec<(i64, i64, bool)> = Vec::new();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            if let Some((index, base)) = field(line, "#tb ") {
                let (num, den) = base.split_once('/').expect("a time base is a fraction");
                streams.resize(streams.len().max(index + 1), (1, 1, false));
                streams[index].0 = num.parse().expect("a number");
                streams[index].1 = den.parse().expect("a number");
            } else if let Some((index, kind)) = field(line, "#media_type ") {
                streams[index].2 = kind == "video";
            } else if !line.starts_with('#') {
                let fields: Vec<&str> = line.split(',').map(str::trim).collect();
                let [index, dts, pts, _duration, size, crc, ..] = fields[..] else { continue };
                let (num, den, video) = streams[index.parse::<usize>().expect("a stream index")];
                let micros = |ticks: &str| ticks.parse::<i64>().expect("a time") * 1_000_000 * num / den;
                let bytes = (size.parse().expect("a size"), crc.to_owned());
                let packet = Packet { dts: micros(dts), pts: micros(pts), bytes };
                if video { packets.video.push(packet) } else { packets.audio.push(packet) }
            }
        }
        packets
    }
}

fn field<'a>(line: &'a str, name: &str) -> Option<(usize, &'a str)> {
    let (index, value) = line.strip_prefix(name)?.split_once(": ")?;
    Some((index.parse().ok()?, value))
}

/// Returns the position of `seen` in `sent`, or why there is none. Every packet must have the same bytes, in
/// order, with none missing between first and last, times shifted by one offset, and non-decreasing decode
/// times.
///
/// `tolerance` (microseconds) allows for the rounding of a coarser clock in between.
pub fn aligned(sent: &[Packet], seen: &[Packet], tolerance: i64) -> Result<Aligned, String> {
    let Some(first) = seen.first() else { return Err("no packet came".into()) };
    let skipped = sent
        .iter()
        .position(|packet| packet.bytes == first.bytes)
        .ok_or("the first packet that came was never sent")?;
    let offset = first.dts - sent[skipped].dts;
    for (n, (sent, seen)) in sent[skipped..].iter().zip(seen).enumerate() {
        if sent.bytes != seen.bytes {
            return Err(format!("packet {n} differs: sent {sent:?}, seen {seen:?}"));
        }
        let (dts, pts) = (seen.dts - sent.dts - offset, seen.pts - sent.pts - offset);
        if dts.abs() > tolerance || pts.abs() > tolerance {
            return Err(format!("packet {n} moved by {dts} µs (dts) and {pts} µs (pts)"));
        }
    }
    if let Some(n) = seen.windows(2).position(|pair| pair[1].dts < pair[0].dts) {
        return Err(format!("the decode time falls after packet {n}: {:?}", &seen[n..n + 2]));
    }
    Ok(Aligned { skipped, missing: (sent.len() - skipped).saturating_sub(seen.len()), offset })
}

/// See [`aligned`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aligned {
    /// Number of packets sent before the first one seen.
    pub skipped: usize,
    /// Number of packets sent after the last one seen.
    pub missing: usize,
    /// Microseconds added to every time.
    pub offset: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(times: &[i64]) -> Vec<Packet> {
        times.iter().map(|&t| Packet { dts: t, pts: t, bytes: (1, format!("{t}")) }).collect()
    }

    #[test]
    fn a_lost_a_changed_and_a_moved_packet_are_found() {
        let sent = packets(&[0, 33_000, 66_000, 100_000]);
        let mut seen: Vec<_> = sent[1..].to_vec();
        seen.iter_mut().for_each(|p| (p.dts, p.pts) = (p.dts + 7, p.pts + 7));
        assert_eq!(aligned(&sent, &seen, 0), Ok(Aligned { skipped: 1, missing: 0, offset: 7 }));
        let mut lost = seen.clone();
        lost.remove(1);
        assert!(aligned(&sent, &lost, 0).is_err());
        let mut moved = seen.clone();
        moved[2].pts += 2_000;
        assert!(aligned(&sent, &moved, 1_000).is_err());
        assert!(aligned(&sent, &[], 0).is_err());
    }

    #[test]
    fn reads_framecrc_and_leaves_an_unfinished_line() {
        let text = "#tb 0: 1/1000\n#media_type 0: video\n#tb 1: 1/44100\n#media_type 1: audio\n\
                    0, 5, 7, 33, 10, 0xaa\n1, 44100, 44100, 1024, 3, 0xbb\n0, 38, 40, 33, 1";
        let packets = Packets::parse(text);
        assert_eq!(packets.video, [Packet { dts: 5_000, pts: 7_000, bytes: (10, "0xaa".into()) }]);
        assert_eq!(packets.audio[0].dts, 1_000_000);
    }
}
