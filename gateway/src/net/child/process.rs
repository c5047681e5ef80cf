//! A running child process with its pipes.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::pin::pin;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::Instrument as _;

use super::{Limits, start};

/// Size of an enlarged pipe in bytes: the largest that Linux permits without privileges.
const LARGE_PIPE: usize = 1 << 20;
/// Maximum number of lines of the error output that are kept, and of characters of each.
const MAX_LINES: usize = 6;
const MAX_LINE: usize = 200;
/// Maximum number of bytes of the error output that wait for the end of their line.
const MAX_TEXT: usize = 4096;
/// Time to wait for the error output and the exit status after the output has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The result of [`Process::progress`].
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// The child has written to its output; the bytes are in the buffer.
    Read,
    /// All waiting input has been written: there is room for more.
    Written,
    /// The child has ended, or closed a pipe.
    End,
    /// The child neither reads its input nor writes output.
    Hangs,
}

/// A child process. Dropping it kills the child.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// Input that is not yet written. The user of this type bounds it.
    waiting: VecDeque<Bytes>,
    /// Time without reading or writing after which the child is considered to hang.
    patience: Duration,
    /// The time of the last reading or writing.
    active: Instant,
    lines: Arc<Mutex<VecDeque<String>>>,
    log: JoinHandle<()>,
}

impl Process {
    /// Starts `program` from PATH. The child hangs when it has not read its input nor written output for `patience`.
    ///
    /// # Errors
    /// The program is not in PATH ([`io::ErrorKind::NotFound`]), cannot be started, or cannot be limited.
    pub fn start(program: &str, args: Vec<String>, limits: Limits, patience: Duration) -> io::Result<Self> {
        let mut child = start(program, args, limits)?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let lines = Arc::default();
        let log = tokio::spawn(log(stderr, Arc::clone(&lines)).in_current_span());
        let active = Instant::now();
        Ok(Self { child, stdin, stdout, waiting: VecDeque::new(), patience, active, lines, log })
    }

    /// Enlarges the pipe to the child's input. It stays as it is if the system does not permit this.
    pub fn enlarge_input(&self) {
        enlarge(&self.stdin);
    }

    /// Enlarges the pipe from the child's output. It stays as it is if the system does not permit this.
    pub fn enlarge_output(&self) {
        enlarge(&self.stdout);
    }

    /// Returns the child's process id; `None` after its end was seen.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns the number of pieces of input that are not yet written completely.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Adds input.
    pub fn push(&mut self, bytes: Bytes) {
        if self.waiting.is_empty() {
            self.active = Instant::now();
        }
        self.waiting.push_back(bytes);
    }

    /// Writes waiting input and reads output into `buffer`, which must have room. Cancel-safe.
    pub async fn progress(&mut self, buffer: &mut impl BufMut) -> Progress {
        let hangs = sleep_until(self.active + self.patience);
        let busy = !self.waiting.is_empty();
        let progress = tokio::select! {
            biased;
            read = self.stdout.read_buf(buffer) => match read {
                Ok(1..) => Progress::Read,
                Ok(0) | Err(_) => Progress::End,
            },
            written = write(&mut self.stdin, &mut self.waiting, &mut self.active) => match written {
                Ok(()) => Progress::Written,
                Err(_) => Progress::End,
            },
            () = pin!(hangs), if busy => Progress::Hangs,
        };
        if progress != Progress::Hangs {
            self.active = Instant::now();
        }
        progress
    }

    /// Waits, for a short time, for the exit status and the last lines of the error output. Cancel-safe.
    pub async fn last_words(&mut self) -> (Option<ExitStatus>, Vec<String>) {
        let status = timeout(LAST_WORDS, self.child.wait()).await.ok().and_then(Result::ok);
        if !self.log.is_finished() {
            let _ = timeout(LAST_WORDS, &mut self.log).await;
        }
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        (status, lines.iter().cloned().collect())
    }
}

fn enlarge(pipe: &impl AsFd) {
    // The system has a limit for each user.
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, LARGE_PIPE);
}

/// Writes all waiting input. Never resolves while there is none.
async fn write(
    stdin: &mut ChildStdin,
    waiting: &mut VecDeque<Bytes>,
    active: &mut Instant,
) -> io::Result<()> {
    if waiting.is_empty() {
        return std::future::pending().await;
    }
    while let Some(front) = waiting.front_mut() {
        let written = stdin.write(front).await?;
        *active = Instant::now();
        front.advance(written);
        if front.is_empty() {
            waiting.pop_front();
        }
    }
    Ok(())
}

/// Logs the child's error output and keeps its last lines.
async fn log(mut stderr: ChildStderr, kept: Arc<Mutex<VecDeque<String>>>) {
    let mut text = Vec::with_capacity(MAX_TEXT);
    while stderr.read_buf(&mut (&mut text).limit(MAX_TEXT)).await.is_ok_and(|read| read > 0) {
        while let Some(end) = text.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            keep(&line, &kept);
        }
        if text.len() >= MAX_TEXT {
            keep(&std::mem::take(&mut text), &kept);
        }
    }
    keep(&text, &kept);
}

fn keep(line: &[u8], kept: &Mutex<VecDeque<String>>) {
    let line = String::from_utf8_lossy(line);
    let line: String = line.trim().chars().filter(|c| !c.is_control()).take(MAX_LINE).collect();
    if line.is_empty() {
        return;
    }
    tracing::debug!(%line, "child process wrote");
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() == MAX_LINES {
        kept.pop_front();
    }
    kept.push_back(line);
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;

    fn shell(script: &str, patience: Duration) -> Process {
        Process::start("sh", vec!["-c".to_owned(), script.to_owned()], Limits::CODEC, patience).unwrap()
    }

    #[tokio::test]
    async fn it_passes_bytes_both_ways_and_reports_the_end() {
        let mut process = shell("cat; echo first >&2; echo last >&2; exit 3", Duration::from_secs(30));
        let mut read = BytesMut::new();
        process.push(Bytes::from_static(b"lian"));
        process.push(Bytes::from_static(b"mai"));
        while read.len() < 7 {
            assert!(matches!(process.progress(&mut read).await, Progress::Read | Progress::Written));
        }
        assert_eq!((&read[..], process.waiting()), (&b"lianmai"[..], 0));
        drop(std::mem::replace(&mut process.stdin, shell("cat", Duration::MAX).stdin));
        assert_eq!(process.progress(&mut read).await, Progress::End);
        let (status, lines) = process.last_words().await;
        assert_eq!(status.unwrap().code(), Some(3));
        assert_eq!(lines, ["first", "last"]);
    }

    #[tokio::test]
    async fn error_output_is_bounded_whatever_it_is() {
        let mut process =
            shell("yes 0123456789 | head -c 100000 | tr -d '\\n' >&2; echo >&2; echo end >&2", LAST_WORDS);
        let mut read = BytesMut::new();
        assert_eq!(process.progress(&mut read).await, Progress::End);
        let (_, lines) = process.last_words().await;
        assert_eq!(lines.len(), MAX_LINES);
        assert!(lines.iter().all(|line| line.len() <= MAX_LINE), "{lines:?}");
        assert_eq!(lines.last().unwrap(), "end");
    }

    #[tokio::test]
    async fn a_child_that_does_not_read_hangs_and_one_without_input_does_not() {
        let patience = Duration::from_millis(100);
        let mut process = shell("sleep 30", patience);
        let mut read = BytesMut::new();
        assert!(timeout(patience * 3, process.progress(&mut read)).await.is_err(), "it has nothing to read");
        process.push(Bytes::from(vec![0; 4 * LARGE_PIPE]));
        let since = Instant::now();
        assert_eq!(process.progress(&mut read).await, Progress::Hangs);
        assert!(since.elapsed() >= patience);
        assert_eq!(process.waiting(), 1);
    }

    #[tokio::test]
    async fn an_enlarged_pipe_takes_a_megabyte() {
        let mut process = shell("sleep 30", Duration::from_secs(30));
        process.enlarge_input();
        process.enlarge_output();
        process.push(Bytes::from(vec![0; LARGE_PIPE]));
        assert_eq!(process.progress(&mut BytesMut::new()).await, Progress::Written);
    }
}
