//! Publishers: ffmpeg, and our own over WebSocket for cases that ffmpeg does not support.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::flv::{self, Tag};
use crate::process::Process;
use crate::ws;

/// Starts ffmpeg, which sends `file` in real time to `url` (`rtmp://…`, or `http://….flv` by POST).
#[track_caller]
pub fn ffmpeg(file: &Path, url: &str) -> Process {
    Process::start(command(file, &[]).args(["-f", "flv"]).arg(url))
}

/// The same in a loop, with continuous timestamps.
#[track_caller]
pub fn ffmpeg_forever(file: &Path, url: &str) -> Process {
    Process::start(command(file, &["-stream_loop", "-1"]).args(["-f", "flv"]).arg(url))
}

fn command(file: &Path, input: &[&str]) -> Command {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "warning", "-re"]).args(input).arg("-i").arg(file);
    ffmpeg.args(["-map", "0:v?", "-map", "0:a?", "-c", "copy"]);
    ffmpeg.args(["-flvflags", "no_duration_filesize", "-method", "POST", "-chunked_post", "1"]);
    ffmpeg
}

/// Sends FLV tags over a WebSocket at the pace of their timestamps. Dropping it ends publishing.
#[derive(Debug)]
pub struct WsPublisher {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl WsPublisher {
    /// Sends a header with `flags`, then `tags` at `rate` times their speed.
    #[track_caller]
    pub fn start(url: &str, flags: u8, tags: Vec<Tag>, rate: f64) -> Self {
        let mut socket = ws::connect(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let start = Instant::now();
            let from = tags.first().map_or(0, |tag| tag.time);
            let mut pending = flv::header(flags).to_vec();
            for tag in tags {
                let at = Duration::from_millis(u64::from(tag.time.saturating_sub(from)));
                if let Some(wait) = at.div_f64(rate).checked_sub(start.elapsed()) {
                    thread::sleep(wait);
                }
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                pending.extend(tag.bytes());
                // Message boundaries are arbitrary, like a browser's: here in the middle of a tag.
                let cut = if tag.body.len() > 20 { pending.len() - 9 } else { pending.len() };
                let message: Vec<u8> = pending.drain(..cut).collect();
                if socket.send(ws::Message::binary(message)).is_err() {
                    return;
                }
            }
            let _ = socket.send(ws::Message::binary(pending));
            let _ = socket.close(None);
            // The server answers the close message; its content is irrelevant.
            while socket.read().is_ok() {}
        });
        Self { stop, thread: Some(thread) }
    }

    /// Returns whether everything was sent, or the server closed the connection.
    pub fn ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for WsPublisher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
