//! Runs ffmpeg as a child process that decodes video: NUT with encoded frames in, NUT with raw pictures out.

use std::sync::Arc;

use bytes::{BufMut as _, Bytes};
use media::time::{Micros, SECOND};
use media::{Codec, Config, Frame};

use super::nut::read::{Event, Reader};
use super::nut::write::{Header, frame_header, header};
use super::{HANGS, Output, PROGRAM, Reason};
use crate::jobs::mix::Picture;
use crate::net::child::{Limits, Process, Progress};

/// Maximum size of encoded video in pixels. Width and height may be swapped.
const MAX_SIZE: (u32, u32) = (4096, 2304);
/// Maximum number of frames that wait to be written, besides those in the pipe.
const MAX_FRAMES: usize = 8;
/// Time of the first frame for ffmpeg. It is not 0, so that presentation times before it stay positive: some encoders
/// send them.
const BEGIN: Micros = 10 * SECOND;

/// Settings of a decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecoderSettings {
    /// The configuration of all frames. Another configuration needs another decoder.
    pub config: Arc<Config>,
    /// The width and height that pictures fit into; even numbers. Larger pictures are scaled down.
    pub max_size: (u32, u32),
}

/// A decoded picture. Its size is even and the same for all pictures of a decoder, and its pixels are square.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedPicture {
    /// The presentation time of its frame.
    pub pts: Micros,
    /// The picture.
    pub picture: Picture,
}

/// An ffmpeg process that decodes. Dropping it kills the process.
#[derive(Debug)]
pub struct Decoder {
    process: Process,
    codec: Codec,
    reader: Reader,
    /// The stream time that is 0 for ffmpeg. The first frame sets it.
    zero: Option<Micros>,
    end: Option<Reason>,
}

/// Returns the FourCC by which ffmpeg's NUT knows the codec; `None` for audio.
fn fourcc(codec: Codec) -> Option<[u8; 4]> {
    match codec {
        Codec::H264 => Some(*b"H264"),
        Codec::H265 => Some(*b"HEVC"),
        Codec::Av1 => Some(*b"AV01"),
        Codec::Vp8 => Some(*b"VP80"),
        Codec::Vp9 => Some(*b"VP90"),
        _ => None,
    }
}

fn arguments((width, height): (u32, u32)) -> Vec<String> {
    let pixels = MAX_SIZE.0 * MAX_SIZE.1;
    // No probing: ffmpeg would delay the frames that it reads for it. Not `-fflags nobuffer`, which drops the first one.
    let input = "-v error -nostdin -probesize 32 -analyzeduration 0 -flags low_delay";
    // The size in the configuration was checked, but parameter sets inside the stream may have a larger one, hence
    // `-max_pixels`.
    let source = format!("-max_pixels {pixels} -threads 1 -f nut -i pipe:0");
    // The display size, scaled down to fit, rounded to even numbers.
    let fit = format!("min(1\\,min({width}/(iw*sar)\\,{height}/ih))");
    let scale = format!(
        "scale=w=max(2\\,2*round(iw*sar*{fit}/2)):h=max(2\\,2*round(ih*{fit}/2)):flags=bilinear:out_range=tv"
    );
    let filters = format!("{scale},setsar=1,format=yuv420p");
    let times = "-an -copyts -fps_mode passthrough -enc_time_base 1/1000000 -filter_threads 1 -vf";
    // With more threads, the "encoder" of raw pictures would hold back one picture for each of them. Without syncpoints:
    // ffmpeg would remember each of them until it ends.
    let output = "-c:v rawvideo -threads 1 -flush_packets 1 -syncpoints none -write_index 0 -strict experimental -f nut pipe:1";
    let words = [input, &source, times, &filters, output];
    words.iter().flat_map(|words| words.split(' ')).map(str::to_owned).collect()
}

/// Returns whether video of this size is decoded. The size of VP8 and VP9 may be unknown.
fn fits(config: &Config) -> bool {
    config.video().is_some_and(|size| {
        let (long, short) = (size.width.max(size.height), size.width.min(size.height));
        long <= MAX_SIZE.0 && short <= MAX_SIZE.1
    })
}

impl Decoder {
    /// Starts ffmpeg.
    ///
    /// # Errors
    /// ffmpeg cannot be started, or the configuration is not one that it may decode.
    pub fn start(settings: &DecoderSettings) -> Result<Self, Reason> {
        let config = &settings.config;
        let fourcc = fourcc(config.codec).ok_or(Reason::CannotDecode(config.codec.name()))?;
        if !fits(config) {
            return Err(Reason::TooLarge);
        }
        let process = Process::start(PROGRAM, arguments(settings.max_size), Limits::CODEC, HANGS);
        let mut process = process.map_err(|error| Reason::not_started(&error))?;
        process.enlarge_output();
        // VP8 and VP9 have no configuration in ffmpeg.
        let described = matches!(config.codec, Codec::H264 | Codec::H265 | Codec::Av1);
        let description = if described { &config.description[..] } else { &[] };
        let size = config.video().map_or((0, 0), |size| (size.width, size.height));
        let time_base = SECOND as u32;
        process.push(header(&Header { fourcc, description, size, time_base, rate: None }));
        let reader = Reader::new(settings.max_size);
        Ok(Self { process, codec: config.codec, reader, zero: None, end: None })
    }

    /// Returns the process id; `None` when the process has ended.
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Returns whether another frame can be pushed now.
    pub fn has_room(&self) -> bool {
        // Each frame is two pieces: its header and its bytes.
        self.end.is_none() && self.process.waiting() < 2 * MAX_FRAMES
    }

    /// Adds the next frame, in decode order; the first one is a key frame. Returns false if there was no room: then
    /// the frame is not decoded.
    pub fn push(&mut self, frame: &Frame) -> bool {
        if !self.has_room() {
            return false;
        }
        let zero = *self.zero.get_or_insert(frame.dts.min(frame.pts) - BEGIN);
        let pts = frame.pts.saturating_sub(zero).max(0).cast_unsigned();
        self.process.push(frame_header(pts, frame.key, frame.data.len()));
        if !frame.data.is_empty() {
            self.process.push(Bytes::clone(&frame.data));
        }
        true
    }

    /// Waits for a picture, or for room for input. Cancel-safe.
    pub async fn next(&mut self) -> Output<DecodedPicture> {
        loop {
            if let Some(reason) = &self.end {
                return Output::End(reason.clone());
            }
            let wants = match self.reader.next() {
                Ok(Event::Picture(time, picture)) => {
                    let pts = time + self.zero.unwrap_or_default();
                    return Output::Made(DecodedPicture { pts, picture });
                }
                Ok(Event::Wants(wants)) => wants,
                Err(invalid) => {
                    self.end = Some(Reason::Failed(invalid.to_string()));
                    continue;
                }
            };
            match self.process.progress(&mut self.reader.buffer().limit(wants)).await {
                Progress::Read => {}
                Progress::Written => return Output::Room,
                Progress::End => {
                    let lacks = Reason::CannotDecode(self.codec.name());
                    self.end = Some(Reason::of(&mut self.process, &lacks).await);
                }
                Progress::Hangs => self.end = Some(Reason::Hangs),
            }
        }
    }
}
