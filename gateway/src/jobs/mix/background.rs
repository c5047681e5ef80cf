//! Reads the background image of the settings.

use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::Picture;
use crate::net::child::{self, Limits};

/// Largest image file in bytes.
const MAX_FILE: u64 = 32 << 20;
/// Longest time in which ffmpeg has to decode the image.
const DECODES_IN: Duration = Duration::from_secs(10);

/// Returns the image in this size; parts that have no room are cut off.
///
/// # Errors
/// The file cannot be read, or ffmpeg cannot decode it; the text names the file.
pub(super) async fn load(path: &Path, size: (u32, u32)) -> Result<Picture, String> {
    let named = |why: String| format!("mix_background: {}: {why}", path.display());
    let length = fs::metadata(path).map_err(|error| named(error.to_string()))?.len();
    if length > MAX_FILE {
        return Err(named(format!("the file has {length} bytes, and {MAX_FILE} are possible")));
    }
    let bytes = fs::read(path).map_err(|error| named(error.to_string()))?;
    let decoded = timeout(DECODES_IN, decode(&bytes, size)).await;
    let data = decoded.map_err(|_| named("ffmpeg takes too long".to_owned()))?;
    let data = data.map_err(|error| named(format!("ffmpeg: {error}")))?;
    Picture::new(size.0, size.1, data).ok_or_else(|| named("ffmpeg cannot decode this image".to_owned()))
}

/// Decodes an image. The result is short if ffmpeg failed.
async fn decode(image: &[u8], (width, height): (u32, u32)) -> std::io::Result<Bytes> {
    let filters = format!(
        "scale={width}:{height}:force_original_aspect_ratio=increase:out_color_matrix=bt709:out_range=tv,crop={width}:{height}"
    );
    let words =
        ["-v", "error", "-nostdin", "-threads", "1", "-i", "pipe:0", "-frames:v", "1", "-vf", &filters];
    let output = ["-pix_fmt", "yuv420p", "-f", "rawvideo", "pipe:1"];
    let args = words.into_iter().chain(output).map(str::to_owned).collect();
    let mut child = child::start("ffmpeg", args, Limits::CODEC)?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    };
    let write = async move {
        // ffmpeg may end before it has read everything.
        let _ = stdin.write_all(image).await;
    };
    let mut picture = Vec::new();
    let mut output = stdout.take(Picture::bytes(width, height) as u64);
    let (read, ()) = tokio::join!(output.read_to_end(&mut picture), write);
    read.map(|_| picture.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_image_covers_the_canvas_and_a_bad_one_is_named() {
        let folder = std::env::temp_dir().join(format!("lianmai-background-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let image = folder.join("red.png");
        let made = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-f", "lavfi", "-i", "color=c=red:size=300x100", "-frames:v", "1"])
            .arg(&image)
            .status();
        assert!(made.unwrap().success());
        let picture = load(&image, (64, 64)).await.unwrap();
        // Red in BT.709, limited range.
        let [y, u, v] = picture.planes().map(|plane| plane[plane.len() / 2]);
        assert!(y.abs_diff(63) <= 2 && u.abs_diff(102) <= 2 && v.abs_diff(240) <= 2, "{y} {u} {v}");
        let bad = folder.join("bad.png");
        fs::write(&bad, "no image").unwrap();
        for path in [&bad, &folder.join("missing.png")] {
            let error = load(path, (64, 64)).await.unwrap_err();
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
