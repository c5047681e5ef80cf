//! Runs ffmpeg as a child process that re-encodes video: FLV in, FLV out.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use media::flv::{Demuxer, Event, mux};
use media::time::{MILLI, Micros, SECOND};
use media::{Frame, Video};

use crate::net::child::{Limits, Process, Progress};

/// The program, looked up in PATH.
const PROGRAM: &str = "ffmpeg";
/// Maximum size of encoded video in pixels. Width and height may be swapped.
const MAX_SIZE: (u32, u32) = (4096, 2304);
/// Time of the first frame for ffmpeg. It is not 0, so that presentation times before it stay positive: some encoders
/// send them.
const BEGIN: Micros = SECOND;
/// Interval of key frames in seconds.
const KEYS: f64 = 2.0;
/// Interval of key frames in seconds at the beginning, when viewers wait for one to switch to this video.
const FIRST_KEYS: f64 = 0.5;
/// Duration of that beginning in seconds of the stream's time.
const FIRST: f64 = 2.5;
/// Maximum number of frames whose exact times are remembered.
const REMEMBERED: usize = 1024;
/// Size in bytes of the buffer for the output. Without it, each read would take 64 bytes.
const READ: usize = 16 << 10;
/// Time without reading or writing after which an ffmpeg process is considered to hang.
const HANGS: Duration = Duration::from_secs(10);

/// The result of [`Ffmpeg::next`].
#[derive(Debug)]
pub(super) enum Made {
    /// A video frame.
    Picture(Frame),
    /// All input has been written: there is room for more.
    Room,
    /// The process has ended.
    End,
}

/// An ffmpeg process. Dropping it kills the process.
#[derive(Debug)]
pub(super) struct Ffmpeg {
    process: Process,
    read: BytesMut,
    demuxer: Demuxer,
    /// The stream time that is 0 for ffmpeg.
    zero: Micros,
    /// Exact times of the input frames by their time in milliseconds, because FLV has milliseconds only.
    exact: BTreeMap<Micros, Micros>,
}

/// Returns the arguments for an output of `rate` bits per second that begins at `from` seconds.
fn arguments(from: f64, rate: u64) -> Vec<String> {
    let keys = format!(
        "expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+if(lt(t,{:.3}),{FIRST_KEYS},{KEYS})))",
        from + FIRST
    );
    let most = rate.to_string();
    let select = format!("select=gte(t\\,{from:.3})");
    // No probing: ffmpeg would delay the frames that it reads for it, and the sequence header is enough.
    // The size in the sequence header was checked, but parameter sets inside the stream may have a larger one, hence
    // `-max_pixels`.
    let pixels = MAX_SIZE.0 * MAX_SIZE.1;
    let input = format!(
        "-v warning -nostdin -probesize 32 -analyzeduration 0 -max_pixels {pixels} -threads 1 -f flv -i pipe:0"
    );
    let video = "-an -copyts -c:v libx264 -preset veryfast -tune zerolatency -bf 0 -pix_fmt yuv420p";
    let times = "-threads 2 -enc_time_base 1/1000 -crf 23";
    let output = "-flush_packets 1 -flvflags no_duration_filesize -f flv pipe:1";
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut all = [words(&input), words(video), words(times)].concat();
    for pair in [["-vf", &select], ["-maxrate", &most], ["-bufsize", &most], ["-force_key_frames", &keys]] {
        all.extend(pair.map(str::to_owned));
    }
    all.extend(words(output));
    all
}

/// Returns whether video of this size is encoded.
pub(super) fn encodes(size: Video) -> bool {
    let (long, short) = (size.width.max(size.height), size.width.min(size.height));
    long <= MAX_SIZE.0 && short <= MAX_SIZE.1
}

impl Ffmpeg {
    /// Starts ffmpeg for the frames from `first` on. Frames that are shown before `from` are decoded but not
    /// encoded. The output has about `rate` bits per second.
    pub(super) fn start(first: &Frame, from: Micros, rate: u64) -> io::Result<Self> {
        // Whole milliseconds, so that all times are rounded in the same way.
        let zero = (first.dts - BEGIN).div_euclid(MILLI) * MILLI;
        let arguments = arguments(from.saturating_sub(zero) as f64 / SECOND as f64, rate);
        let mut process = Process::start(PROGRAM, arguments, Limits::CODEC, HANGS)?;
        process.push(mux::header(false, true));
        process.push(mux::config_tag(&first.config, BEGIN));
        Ok(Self { process, read: BytesMut::new(), demuxer: Demuxer::new(), zero, exact: BTreeMap::new() })
    }

    /// Returns whether another frame can be pushed now.
    pub(super) fn has_room(&self) -> bool {
        self.process.waiting() == 0
    }

    /// Adds the next frame, in decode order.
    pub(super) fn push(&mut self, frame: &Frame) {
        let (dts, pts) = (frame.dts - self.zero, frame.pts - self.zero);
        self.exact.insert(pts.div_euclid(MILLI), frame.pts);
        while self.exact.len() > REMEMBERED {
            self.exact.pop_first();
        }
        self.process.push(mux::frame_tag(&Frame { dts, pts, ..frame.clone() }));
    }

    /// Waits for output, or for room for input. Cancel-safe.
    pub(super) async fn next(&mut self) -> Made {
        loop {
            match self.demuxer.next() {
                Some(Ok(Event::Frame(frame))) if frame.is_video() => {
                    return Made::Picture(self.restored(frame));
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "what ffmpeg writes can't be read");
                    return Made::End;
                }
                Some(Ok(_)) => continue,
                None => {}
            }
            self.read.reserve(READ);
            match self.process.progress(&mut self.read).await {
                Progress::Read => self.demuxer.push(self.read.split().freeze()),
                Progress::Written => return Made::Room,
                Progress::End => return Made::End,
                Progress::Hangs => {
                    tracing::warn!("ffmpeg neither reads nor writes: another one follows");
                    return Made::End;
                }
            }
        }
    }

    /// Returns the frame with the exact time of the input frame.
    fn restored(&mut self, frame: Frame) -> Frame {
        let time = frame.pts.div_euclid(MILLI);
        let exact = self.exact.remove(&time).unwrap_or(time * MILLI + self.zero);
        self.exact = self.exact.split_off(&time);
        Frame { dts: exact, pts: exact, ..frame }
    }
}
