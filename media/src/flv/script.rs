//! Script tags: `onMetaData`.

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
    Ok(Some(Metadata {
        has_audio: has("hasAudio", "audiocodecid"),
        has_video: has("hasVideo", "videocodecid"),
        width: number("width").map(|n| n as u32),
        height: number("height").map(|n| n as u32),
        frame_rate: number("framerate").filter(|&rate| rate > 0.0),
        encoder: data.get("encoder").and_then(Value::as_str).map(str::to_owned),
    }))
}
