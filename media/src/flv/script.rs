//! Script tags: `onMetaData`, and the messages of applications.

use bytes::Bytes;

use super::amf0::{self, Value};
use crate::error::Result;

/// What a publisher's `onMetaData` promises. Encoders are often wrong in it: the frames decide.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// It names an audio codec, or says that there is none.
    pub has_audio: Option<bool>,
    /// It names a video codec, or says that there is none.
    pub has_video: Option<bool>,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Pictures per second.
    pub frame_rate: Option<f64>,
    /// The encoder's name.
    pub encoder: Option<String>,
    /// All that it says and that is worth passing on, within [`MAX_FIELDS`] and [`MAX_FIELD_BYTES`].
    pub fields: Vec<(String, Value)>,
}

/// No more of a publisher's own metadata is passed on.
pub const MAX_FIELDS: usize = 64;
/// No more bytes of it, in AMF0.
pub const MAX_FIELD_BYTES: usize = 8 << 10;
/// A longer message of an application is not passed on.
pub const MAX_MESSAGE: usize = 16 << 10;

/// What describes a file, not a live stream.
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

/// The body of a script tag that is a message of an application to its viewers (`onTextData`, `onCuePoint`, or a name
/// of its own), as it can be passed on. None for `onMetaData`, for what only servers are told, for what has no name,
/// and for more than [`MAX_MESSAGE`].
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
    // What cannot be read would break the viewers' parsers.
    while !rest.is_empty() {
        amf0::read(&mut rest).ok()?;
    }
    (!ours && body.len() - at <= MAX_MESSAGE).then(|| body.slice(at..))
}

impl Metadata {
    /// Reads a script tag's body; none when it is something else than `onMetaData`.
    ///
    /// # Errors
    /// What is no AMF0.
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
    // A codec id counts as a promise; "hasAudio" is asked first. Some write an id of 0 for "none",
    // which for audio is a codec too (PCM), though one that nobody sends.
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
