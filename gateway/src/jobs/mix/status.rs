//! The state of a running mix: what the API shows.

use serde::Serialize;

/// The state of an input.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputStatus {
    /// The stream.
    pub stream: String,
    /// `live`: shown as it comes; `card`: the name card is shown; `waiting`: there is no such stream; `failed`: the
    /// video cannot be decoded.
    pub state: &'static str,
    /// Why the video cannot be decoded.
    pub failure: Option<String>,
    /// Pictures per second that were shown in the last second.
    pub fps: u32,
    /// Number of pictures that were shown.
    pub pictures: u64,
    /// Number of pictures of the mix that showed the same picture of the input as the one before.
    pub repeats: u64,
    /// Delay that the mix adds to the input, in milliseconds.
    pub delay_ms: i64,
    /// Number of frames and audio packets that were left out: the decoder was too slow, or they came too late or broken.
    pub drops: u64,
    /// Audio level of the last 100 ms in dBov: -127 (silent) to 0.
    pub level: i8,
    /// Number of restarts of the decoder.
    pub decoder_restarts: u64,
}

/// The state of a mix.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MixStatus {
    /// The inputs, in the order of the request.
    pub inputs: Vec<InputStatus>,
    /// Pictures per second that were encoded in the last second.
    pub fps: u32,
    /// Number of pictures that were encoded.
    pub pictures: u64,
    /// Width of the video in pixels.
    pub width: u32,
    /// Height of the video in pixels.
    pub height: u32,
    /// CPU time per second of the mix and its child processes, in per cent of a core.
    pub cpu_percent: u32,
    /// CPU time of the mix and its child processes since it began, in milliseconds.
    pub cpu_ms: u64,
    /// Time from a picture to its encoded frame, in milliseconds.
    pub encoder_ms: u32,
    /// Number of pictures that were left out, because the encoder or the machine was too slow.
    pub drops: u64,
    /// The quality, which is lowered while the machine is too slow.
    pub quality: &'static str,
    /// Number of steps of the quality below the full one.
    pub quality_steps: usize,
    /// What is too slow, so that the quality is lower or pictures are left out.
    pub limited_by: Option<&'static str>,
    /// Number of restarts of the encoder.
    pub encoder_restarts: u64,
    /// Audio level of the mix in dBov: -127 (silent) to 0.
    pub level: i8,
    /// Number of viewers.
    pub viewers: usize,
    /// Time since the mix began, in milliseconds.
    pub live_ms: u64,
}

impl Default for MixStatus {
    /// Returns the state of a mix that has not begun.
    fn default() -> Self {
        Self {
            inputs: Vec::new(),
            fps: 0,
            pictures: 0,
            width: 0,
            height: 0,
            cpu_percent: 0,
            cpu_ms: 0,
            encoder_ms: 0,
            drops: 0,
            quality: "full",
            quality_steps: 0,
            limited_by: None,
            encoder_restarts: 0,
            level: -127,
            viewers: 0,
            live_ms: 0,
        }
    }
}
