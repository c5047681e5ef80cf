//! Runs ffmpeg as a child process that encodes pictures: NUT with raw pictures in, FLV with H.264 out.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use media::Frame;
use media::flv::{Demuxer, Event};
use media::time::{MILLI, Micros, SECOND};

use tokio::time::{Instant, timeout_at};

use super::nut::write::{Header, frame_header, header};
use super::{EncoderName, HANGS, Output, PROGRAM, Reason};
use crate::jobs::mix::Picture;
use crate::net::child::{Process, Progress};

/// Maximum interval of key frames.
const KEYS: Micros = 2 * SECOND;
/// Number of intervals after which the encoder sets a key frame by itself, counted in pictures. It is never reached.
const MAX_KEYS: u32 = 10;
/// Time units in a millisecond, see [`unit`].
const UNITS: u32 = 4;
/// Maximum number of pictures that wait to be written, besides those in the pipe.
const MAX_PICTURES: usize = 2;
/// Maximum number of pictures in the pipe and the encoder.
const MAX_INSIDE: usize = 64;
/// Size in bytes of the buffer for the output. Without it, each read would take 64 bytes.
const READ: usize = 16 << 10;
/// Longest time of one process, before FLV's milliseconds in 31 bits overflow after 24 days.
pub(super) const TERM: Micros = 20 * 24 * 3600 * SECOND;

/// Settings of an encoder. Two encoders with equal settings write equal configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderSettings {
    /// The encoder.
    pub encoder: EncoderName,
    /// Width in pixels, an even number.
    pub width: u32,
    /// Height in pixels, an even number.
    pub height: u32,
    /// Pictures per second. Pictures may be left out.
    pub rate: u32,
    /// Bits per second.
    pub bits: u64,
}

/// An ffmpeg process that encodes. Dropping it kills the process.
#[derive(Debug)]
pub struct Encoder {
    process: Process,
    settings: EncoderSettings,
    read: BytesMut,
    demuxer: Demuxer,
    /// The time that is 0 for ffmpeg, in whole milliseconds. The first picture sets it.
    zero: Option<Micros>,
    /// Exact times of the pictures in the encoder, because FLV has milliseconds only.
    inside: VecDeque<Micros>,
    last: Option<Micros>,
    last_key: Option<Micros>,
    /// The time of the last frame.
    made: Instant,
    end: Option<Reason>,
}

/// Returns the time of a picture in units of a quarter of a millisecond.
///
/// ffmpeg decides by an expression of the time whether a picture becomes a key frame, so the lowest two bits carry the
/// request. FLV's milliseconds lose it again.
fn unit(milliseconds: i64, key: bool) -> u64 {
    milliseconds.max(0).cast_unsigned() * u64::from(UNITS) + u64::from(key)
}

fn arguments(settings: &EncoderSettings) -> Vec<String> {
    let EncoderSettings { encoder, rate, bits, .. } = settings;
    let units = UNITS * 1000;
    let group = rate.saturating_mul(MAX_KEYS * (KEYS / SECOND) as u32);
    let input = "-v error -nostdin -probesize 32 -analyzeduration 0";
    let source = "-threads 1 -f nut -i pipe:0 -an -copyts -fps_mode passthrough -filter_threads 1";
    let rates = format!("-b:v {bits} -maxrate {bits} -bufsize {bits} -g {group}");
    let times = format!(
        "-enc_time_base 1/{units} -force_key_frames expr:eq(mod(round(t*{units}),{UNITS}),1) -flags +global_header"
    );
    let output = "-flush_packets 1 -flvflags no_duration_filesize -f flv pipe:1";
    let words = [input, encoder.device(), source, encoder.arguments(), &rates, &times, output];
    words.iter().flat_map(|words| words.split_whitespace()).map(str::to_owned).collect()
}

impl Encoder {
    /// Starts ffmpeg.
    ///
    /// # Errors
    /// ffmpeg cannot be started.
    pub fn start(settings: &EncoderSettings) -> Result<Self, Reason> {
        let process = Process::start(PROGRAM, arguments(settings), settings.encoder.limits(), HANGS);
        let mut process = process.map_err(|error| Reason::not_started(&error))?;
        process.enlarge_input();
        let (size, rate) = ((settings.width, settings.height), Some(settings.rate));
        process.push(header(&Header {
            fourcc: *b"I420",
            description: &[],
            size,
            time_base: UNITS * 1000,
            rate,
        }));
        Ok(Self {
            process,
            settings: settings.clone(),
            read: BytesMut::new(),
            demuxer: Demuxer::new(),
            zero: None,
            inside: VecDeque::new(),
            last: None,
            last_key: None,
            made: Instant::now(),
            end: None,
        })
    }

    /// Returns the process id; `None` when the process has ended.
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Returns whether another picture can be pushed now.
    pub fn has_room(&self) -> bool {
        // Each picture is two pieces: its header and its bytes.
        self.end.is_none() && self.process.waiting() < 2 * MAX_PICTURES && self.inside.len() < MAX_INSIDE
    }

    /// Adds a picture in I420. It becomes a key frame if `key` is true, if it is the first, and 2 s after the last key
    /// frame. Returns false if the picture is not encoded: there was no room, it has another size than the settings
    /// say, or its time is not a later millisecond than the time of the last picture.
    pub fn push(&mut self, picture: Bytes, time: Micros, key: bool) -> bool {
        let length = Picture::bytes(self.settings.width, self.settings.height);
        let milliseconds = time.div_euclid(MILLI);
        let later = self.last.is_none_or(|last| milliseconds > last.div_euclid(MILLI));
        if !self.has_room() || picture.len() != length || !later {
            return false;
        }
        let zero = *self.zero.get_or_insert(milliseconds);
        if milliseconds - zero > TERM / MILLI {
            self.end = Some(Reason::Term);
            return false;
        }
        let key = key || self.last_key.is_none_or(|last| time - last >= KEYS);
        if key {
            self.last_key = Some(time);
        }
        self.last = Some(time);
        self.inside.push_back(time);
        // The first picture is a key frame in any case. It needs no request, because ffmpeg's expression counts from it.
        let request = key && milliseconds > zero;
        self.process.push(frame_header(unit(milliseconds - zero, request), true, length));
        self.process.push(picture);
        true
    }

    /// Waits for a frame, or for room for pictures. Frames have exactly the times of their pictures, and no B-frames.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Output<Frame> {
        loop {
            if let Some(reason) = &self.end {
                return Output::End(reason.clone());
            }
            match self.demuxer.next() {
                Some(Ok(Event::Frame(frame))) if frame.is_video() => match self.exact(frame.pts) {
                    Some(time) => return Output::Made(Frame { dts: time, pts: time, ..frame }),
                    None => self.end = Some(Reason::Failed("frames are not in order".to_owned())),
                },
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    self.end = Some(Reason::Failed(format!("its FLV cannot be read: {error}")));
                }
                None => {
                    self.read.reserve(READ);
                    let progress = self.process.progress(&mut self.read);
                    let progress = if self.inside.len() < MAX_INSIDE {
                        progress.await
                    } else {
                        // The child has read much, but writes nothing.
                        timeout_at(self.made + HANGS, progress).await.unwrap_or(Progress::Hangs)
                    };
                    match progress {
                        Progress::Read => self.demuxer.push(self.read.split().freeze()),
                        Progress::Written => return Output::Room,
                        Progress::End => {
                            let lacks = Reason::CannotEncode(self.settings.encoder.name());
                            self.end = Some(Reason::of(&mut self.process, &lacks).await);
                        }
                        Progress::Hangs => self.end = Some(Reason::Hangs),
                    }
                }
            }
        }
    }

    /// Returns the exact time of the picture that ffmpeg calls `time`. Pictures before it gave no frame.
    fn exact(&mut self, time: Micros) -> Option<Micros> {
        let milliseconds = time.div_euclid(MILLI) + self.zero.unwrap_or_default();
        while let Some(exact) = self.inside.pop_front() {
            if exact.div_euclid(MILLI) == milliseconds {
                self.made = Instant::now();
                return Some(exact);
            }
        }
        None
    }
}
