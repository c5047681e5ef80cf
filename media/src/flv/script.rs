//! Script tags: `onMetaData`, and messages of applications.

use bytes::Bytes;

use super::amf0::{self, Value};
use crate::error::Result;

/// A publisher's `onMetaData`. Encoders often fill it in wrongly, so the frames take precedence.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// Whether the publisher announces audio, if it says so.
    pub has_audio: Option<bool>,
    /// Whether the publisher announces video, if it says so.
    pub has_video: Option<bool>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Frames per second.
    pub frame_rate: Option<f64>,
    /// The encoder's name.
    pub encoder: Option<String>,
    /// The fields to pass on to viewers, within [`MAX_FIELDS`] and [`MAX_FIELD_BYTES`].
    pub fields: Vec<(String, Value)>,
}

/// Maximum number of a publisher's metadata fields that are passed on.
pub const MAX_FIELDS: usize = 64;
/// Maximum size in bytes of these fields in AMF0.
pub const MAX_FIELD_BYTES: usize = 8 << 10;
/// Maximum size in bytes of an application's message; longer ones are not passed on.
pub const MAX_MESSAGE: usize = 16 << 10;

/// Fields that describe a file, not a live stream.
const OF_FILES: [&str; 8] = [
    "duration",
    "filesize",
    "keyframes",
    "hasKeyframes",
    "lasttimestamp",
    "lastkeyframetimestamp",
    "datasize",
    "canSeekToEnd",
];

/// Returns the body of a script tag that is an application's message to its viewers (`onTextData`,
/// `onCuePoint`, or a custom name), in the form to pass on. Returns `None` for `onMetaData`, for messages
/// that only servers need, for messages without a name, and for messages over [`MAX_MESSAGE`].
pub fn message(body: &Bytes) -> Option<Bytes> {
    let mut rest = &body[..];
    let mut name = amf0::read(&mut rest).ok()?;
    let mut at = 0;
    if name.as_str() == Some("@setDataFrame") {
        at = body.len() - rest.len();
        name = amf0::read(&mut rest).ok()?;
    }
    let name = name.as_str()?;
    let ours = name.is_empty() || name.starts_with(['@', '|']) || name == "onMetaData";
    // Malformed values would break the viewers' parsers.
    while !rest.is_empty() {
        amf0::read(&mut rest).ok()?;
    }
    (!ours && body.len() - at <= MAX_MESSAGE).then(|| body.slice(at..))
}

impl Metadata {
    /// Reads a script tag's body; `None` if it is not `onMetaData`.
    ///
    /// # Errors
    /// A body that is not AMF0.
    pub fn read(body: &[u8]) -> Result<Option<Self>> {
        read(body)
    }
}

fn read(mut body: &[u8]) -> Result<Option<Metadata>> {
    if body.is_empty() {
        return Ok(None);
    }
    let mut name = amf0::read(&mut body)?;
    if name.as_str() == Some("@setDataFrame") {
        name = amf0::read(&mut body)?;
    }
    if name.as_str() != Some("onMetaData") {
        return Ok(None);
    }
    if body.is_empty() {
        return Ok(Some(Metadata::default()));
    }
    let data = amf0::read(&mut body)?;
    let number = |name| data.get(name).and_then(Value::as_number).filter(|n| n.is_finite());
    // A codec id also announces a track; "hasAudio" takes precedence. Some encoders write the id 0 for
    // "none". For audio, 0 is a codec too (PCM), but no encoder sends it.
    let has = |flag: &str, codec: &str| {
        data.get(flag).and_then(Value::as_bool).or_else(|| match data.get(codec)? {
            Value::Number(id) => Some(*id > 0.0),
            Value::String(name) => Some(!name.is_empty()),
            _ => None,
        })
    };
    let mut total = 0;
    let fields = data.properties().unwrap_or_default().iter().filter(|(name, value)| {
        let mut bytes = Vec::new();
        amf0::write(&mut bytes, value);
        let size = name.len() + 2 + bytes.len();
        let fits = !name.is_empty() && !OF_FILES.contains(&name.as_str()) && total + size <= MAX_FIELD_BYTES;
        total += if fits { size } else { 0 };
        fits
    });
    let fields = fields.take(MAX_FIELDS).cloned().collect();
    Ok(Some(Metadata {
        fields,
        has_audio: has("hasAudio", "audiocodecid"),
        has_video: has("hasVideo", "videocodecid"),
        width: number("width").map(|n| n as u32),
        height: number("height").map(|n| n as u32),
        frame_rate: number("framerate").filter(|&rate| rate > 0.0),
        encoder: data.get("encoder").and_then(Value::as_str).map(str::to_owned),
    }))
}
