//! Decodes one key frame.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use media::Track;
use media::mp4::{Sample, fragment, init_segment};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::core::hub::{FrameEntry, Start, Stream};
use crate::net::child::{Limits, start};
use crate::web::problem::Problem;

/// Time to wait for a key frame, and for ffmpeg.
const KEY_WAIT: Duration = Duration::from_secs(3);
const CHILD_WAIT: Duration = Duration::from_secs(10);
/// Maximum width of a picture; wider video is scaled down.
const WIDTH: u32 = 1280;
/// Maximum size of a picture in bytes.
pub(super) const MAX_PICTURE: usize = 512 << 10;
/// Limits of ffmpeg: a frame is decoded in less than a second.
const LIMITS: Limits = Limits { cpu_seconds: 10, ..Limits::CODEC };

/// Returns a picture of the stream's newest key frame.
pub(super) async fn of(stream: &Stream) -> Result<Bytes, Problem> {
    let not_found = |text: &str| Problem::new(StatusCode::NOT_FOUND, text);
    if !stream.has(Track::Video) && stream.newest().is_some() && !stream.promises(Track::Video) {
        return Err(not_found("the stream has no video"));
    }
    let mut cursor = stream.subscribe(Start::Key);
    let key = async {
        loop {
            let entry = cursor.next().await?;
            if entry.start && entry.frame.is_video() {
                return Some(entry);
            }
        }
    };
    let entry = timeout(KEY_WAIT, key).await.ok().flatten();
    let entry = entry.ok_or_else(|| not_found("the stream has no key frame yet: try again later"))?;
    let file = file(&entry).ok_or_else(|| not_found("there are no pictures of this video codec"))?;
    match timeout(CHILD_WAIT, decode(&file)).await {
        Ok(Ok(picture)) => Ok(picture),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            Err(not_found("ffmpeg is not installed on the server, so there are no pictures"))
        }
        Ok(Err(error)) => {
            tracing::debug!(stream = %stream.name(), %error, "picture not decoded");
            Err(Problem::new(StatusCode::BAD_GATEWAY, "the picture cannot be decoded"))
        }
        Err(_) => Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, "the picture is not decoded in time")),
    }
}

/// Returns an MP4 file of one frame.
fn file(entry: &FrameEntry) -> Option<Vec<u8>> {
    let frame = &entry.frame;
    let mut out = init_segment(&[(1, &*frame.config)]).ok()?.to_vec();
    let sample = Sample { dts: 0, pts: 0, duration: 40_000, key: true, data: &frame.data };
    fragment(&mut out, 1, 1, &[sample]);
    Some(out)
}

/// Decodes the first frame of an MP4 file with ffmpeg.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] without ffmpeg; other kinds if it returns no picture.
async fn decode(file: &[u8]) -> io::Result<Bytes> {
    let scale = format!("scale='min({WIDTH},iw)':-2");
    let args = "-hide_banner -nostdin -loglevel quiet -threads 1 -f mp4 -i pipe:0 -frames:v 1 -an -q:v 5 -f mjpeg -vf";
    let args = args.split(' ').chain([&*scale, "pipe:1"]).map(str::to_owned).collect();
    let mut child = start("ffmpeg", args, LIMITS)?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    // It writes no messages.
    drop(child.stderr.take());
    let write = async move {
        // It may end before it has read everything.
        let _ = stdin.write_all(file).await;
        drop(stdin);
    };
    let mut picture = Vec::new();
    let mut limited = stdout.take(MAX_PICTURE as u64 + 1);
    let (_, read) = tokio::join!(write, limited.read_to_end(&mut picture));
    read?;
    drop(limited);
    let _ = child.wait().await;
    if picture.len() > MAX_PICTURE || !picture.starts_with(&[0xff, 0xd8]) {
        return Err(io::Error::other(format!("ffmpeg returns {} bytes that are no picture", picture.len())));
    }
    Ok(picture.into())
}
