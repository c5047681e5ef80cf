//! The request for a mix: the JSON of the API.

use media::time::Micros;
use serde::{Deserialize, Serialize};

use super::compose::{Colour, Layout, MAX_MARGIN, MAX_SOURCES, check_size};
use crate::core::name::StreamName;
use crate::core::text::quoted;

/// Maximum number of inputs of a mix.
pub const MAX_INPUTS: usize = MAX_SOURCES;
/// Maximum number of characters of an input's name.
const MAX_NAME: usize = 60;
/// Maximum number of characters of the last card.
const MAX_CARD: usize = 100;
/// Range of frame rates.
const RATES: std::ops::RangeInclusive<u32> = 1..=60;
/// Range of bit rates of the video, in kbit/s.
const BITRATES: std::ops::RangeInclusive<u32> = 100..=20_000;
/// Range of an input's gain, in dB.
const GAINS: std::ops::RangeInclusive<i32> = -60..=20;
/// The background that is the image of the settings.
pub(super) const IMAGE: &str = "image";
/// Bits per pixel of a mix without a bit rate in its request.
const BITS_PER_PIXEL: f64 = 0.09;

/// One input of a mix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputRequest {
    /// The stream, as `app/stream`. It may start and end at any time.
    pub stream: String,
    /// The name that is shown; empty: the last part of the stream's name.
    #[serde(default)]
    pub name: String,
    /// The gain of the audio in dB, from -60 to 20.
    #[serde(default)]
    pub gain: i32,
    /// Whether the audio is left out.
    #[serde(default)]
    pub muted: bool,
    /// Whether the input is not shown. It is still heard.
    #[serde(default)]
    pub hidden: bool,
    /// Whether the input is a shared screen.
    #[serde(default)]
    pub screen: bool,
    /// Whether the input's camera is off: its name card is shown.
    #[serde(default)]
    pub camera_off: bool,
    /// Whether the mix without this input's own audio is published as `OUTPUT~INPUT`, for a host who listens to it.
    #[serde(default)]
    pub minus: bool,
}

impl InputRequest {
    /// Creates an input with the default properties.
    pub fn new(stream: &str) -> Self {
        Self {
            stream: stream.to_owned(),
            name: String::new(),
            gain: 0,
            muted: false,
            hidden: false,
            screen: false,
            camera_off: false,
            minus: false,
        }
    }

    /// Returns the name that is shown.
    pub fn shown_name(&self) -> &str {
        let last = || self.stream.rsplit('/').next().unwrap_or_default();
        if self.name.is_empty() { last() } else { &self.name }
    }
}

/// An input as the API accepts it: the stream's name alone, or with its properties.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "an input is the name of a stream, or an object with stream, name, gain (a whole number), muted, hidden, screen, \
                 camera_off and minus"
)]
enum AnyInput {
    Name(String),
    Full(InputRequest),
}

fn inputs<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<InputRequest>, D::Error> {
    let all = Vec::<AnyInput>::deserialize(from)?;
    let full = |input| match input {
        AnyInput::Name(stream) => InputRequest::new(&stream),
        AnyInput::Full(input) => input,
    };
    Ok(all.into_iter().map(full).collect())
}

/// A mix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixRequest {
    /// The inputs, in the order in which they are shown.
    #[serde(deserialize_with = "inputs")]
    pub inputs: Vec<InputRequest>,
    /// The stream that is published, as `app/stream`.
    pub output: String,
    /// The arrangement of the inputs.
    #[serde(default)]
    pub layout: Layout,
    /// The stream that counts as the speaker, whoever speaks; empty: the one that speaks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub spotlight: String,
    /// The width in pixels, an even number; 0: as the settings say.
    #[serde(default)]
    pub width: u32,
    /// The height in pixels, an even number; 0: as the settings say.
    #[serde(default)]
    pub height: u32,
    /// Pictures per second; 0: as the settings say.
    #[serde(default)]
    pub rate: u32,
    /// The bit rate of the video in kbit/s; 0: chosen by the size and the rate.
    #[serde(default)]
    pub bitrate: u32,
    /// Whether the names of the inputs are shown.
    #[serde(default = "yes")]
    pub names: bool,
    /// Whether the input that speaks has a border.
    #[serde(default = "yes")]
    pub border: bool,
    /// Whether a change of the layout takes 200 ms; otherwise it is a cut.
    #[serde(default = "yes")]
    pub fade: bool,
    /// Margin that stays free, in per cent: of the width at the sides, of the height above and below.
    #[serde(default)]
    pub margin: u32,
    /// The background: `#rrggbb`, or `image` for the picture of the setting `mix_background`.
    #[serde(default = "background")]
    pub background: String,
}

const fn yes() -> bool {
    true
}
fn background() -> String {
    "#14181f".to_owned()
}

/// Changes of a running mix. An absent field stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MixChange {
    /// The inputs, in the order in which they are shown.
    #[serde(deserialize_with = "some_inputs")]
    pub inputs: Option<Vec<InputRequest>>,
    /// The arrangement of the inputs.
    pub layout: Option<Layout>,
    /// The stream that counts as the speaker; empty: the one that speaks.
    pub spotlight: Option<String>,
    /// Whether the names of the inputs are shown.
    pub names: Option<bool>,
    /// Whether the input that speaks has a border.
    pub border: Option<bool>,
    /// Whether a change of the layout takes 200 ms.
    pub fade: Option<bool>,
    /// Margin in per cent.
    pub margin: Option<u32>,
    /// The background.
    pub background: Option<String>,
    /// The bit rate of the video in kbit/s.
    pub bitrate: Option<u32>,
}

fn some_inputs<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Vec<InputRequest>>, D::Error> {
    inputs(from).map(Some)
}

impl MixRequest {
    /// Creates a mix with the default properties.
    pub fn new(output: &str, streams: &[&str]) -> Self {
        Self {
            inputs: streams.iter().map(|stream| InputRequest::new(stream)).collect(),
            output: output.to_owned(),
            layout: Layout::default(),
            spotlight: String::new(),
            width: 0,
            height: 0,
            rate: 0,
            bitrate: 0,
            names: true,
            border: true,
            fade: true,
            margin: 0,
            background: background(),
        }
    }

    /// Returns the mix with these values where it has none of its own.
    #[must_use]
    pub fn or(self, (width, height): (u32, u32), rate: u32) -> Self {
        let or = |own: u32, other: u32| if own == 0 { other } else { own };
        Self {
            width: or(self.width, width),
            height: or(self.height, height),
            rate: or(self.rate, rate),
            ..self
        }
    }

    /// Checks all values, which must be filled in: see [`MixRequest::or`].
    ///
    /// # Errors
    /// A text that names the first field that is not valid, and the allowed values.
    pub fn check(&self) -> Result<(), String> {
        let name = |what: &str, name: &str| {
            let parsed = StreamName::parse(name).map_err(|error| format!("{what} {name:?}: {error}"))?;
            if parsed.as_str() == name {
                Ok(parsed)
            } else {
                Err(format!("{what} {name:?} is not app/stream"))
            }
        };
        let output = name("output", &self.output)?;
        if self.inputs.len() > MAX_INPUTS {
            return Err(format!(
                "a mix has at most {MAX_INPUTS} inputs, and these are {}",
                self.inputs.len()
            ));
        }
        for (index, input) in self.inputs.iter().enumerate() {
            let stream = name("the input", &input.stream)?;
            if stream == output {
                return Err(format!("{:?} is the output, so it cannot be an input", input.stream));
            }
            if self.inputs[..index].iter().any(|other| other.stream == input.stream) {
                return Err(format!("{:?} is an input twice", input.stream));
            }
            if !GAINS.contains(&input.gain) {
                return Err(format!(
                    "the gain of {:?} is {} dB; -60 to 20 are possible",
                    input.stream, input.gain
                ));
            }
            if input.name.chars().count() > MAX_NAME {
                return Err(format!("the name of {:?} has more than {MAX_NAME} characters", input.stream));
            }
            if input.minus {
                let name = self.minus_name(input)?;
                let taken = |other: &InputRequest| {
                    other.stream == name.as_str()
                        || (other.minus
                            && other.stream != input.stream
                            && self.minus_name(other) == Ok(name.clone()))
                };
                if self.inputs.iter().any(taken) {
                    return Err(format!(
                        "minus: two inputs of this mix would use the name {:?}",
                        name.as_str()
                    ));
                }
            }
        }
        check_size(self.width, self.height).map_err(|error| error.to_string())?;
        if !RATES.contains(&self.rate) {
            return Err(format!("rate {}: pictures per second are 1 to 60", self.rate));
        }
        if self.bitrate != 0 && !BITRATES.contains(&self.bitrate) {
            return Err(format!("bitrate {}: kbit/s are 100 to 20000, or 0", self.bitrate));
        }
        if self.margin > u32::from(MAX_MARGIN) {
            return Err(format!("margin {}: per cent are 0 to {MAX_MARGIN}", self.margin));
        }
        if self.background != IMAGE && self.background.parse::<Colour>().is_err() {
            return Err(format!("background {} is neither #rrggbb nor image", quoted(&self.background)));
        }
        self.layout.check(self.width, self.height).map_err(|error| format!("layout: {error}"))
    }

    /// Returns the mix with some changes.
    ///
    /// # Errors
    /// The same as [`MixRequest::check`].
    pub fn changed(&self, change: MixChange) -> Result<Self, String> {
        let MixChange { inputs, layout, spotlight, names, border, fade, margin, background, bitrate } =
            change;
        let old = self.clone();
        let new = Self {
            inputs: inputs.unwrap_or(old.inputs),
            layout: layout.unwrap_or(old.layout),
            spotlight: spotlight.unwrap_or(old.spotlight),
            names: names.unwrap_or(old.names),
            border: border.unwrap_or(old.border),
            fade: fade.unwrap_or(old.fade),
            margin: margin.unwrap_or(old.margin),
            background: background.unwrap_or(old.background),
            bitrate: bitrate.unwrap_or(old.bitrate),
            ..old
        };
        new.check().map(|()| new)
    }

    /// Returns the name of the stream with the mix without this input's own audio.
    ///
    /// # Errors
    /// The name would not be valid.
    pub fn minus_name(&self, input: &InputRequest) -> Result<StreamName, String> {
        let own = input.stream.rsplit('/').next().unwrap_or_default();
        let name = format!("{}~{own}", self.output);
        StreamName::parse(&name).map_err(|error| format!("minus: {name:?}: {error}"))
    }

    /// Returns the bit rate of the video in bits per second.
    pub fn bits_per_second(&self) -> u64 {
        if self.bitrate > 0 {
            return u64::from(self.bitrate) * 1000;
        }
        let pixels = f64::from(self.width) * f64::from(self.height) * f64::from(self.rate);
        ((pixels * BITS_PER_PIXEL) as u64).clamp(200_000, 12_000_000)
    }

    /// Returns the duration between two pictures.
    pub fn period(&self) -> Micros {
        1_000_000 / Micros::from(self.rate)
    }
}

/// Checks the text of the last card.
///
/// # Errors
/// The text is too long.
pub(super) fn check_card(text: &str) -> Result<(), String> {
    let length = text.chars().count();
    if length > MAX_CARD {
        return Err(format!("the last card has {length} characters; {MAX_CARD} are possible"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<MixRequest, String> {
        let request: MixRequest = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let request = request.or((1280, 720), 30);
        request.check().map(|()| request)
    }

    #[test]
    fn the_shortest_request_has_sensible_defaults() {
        let mix = parse(r#"{"inputs":["live/a","live/b"],"output":"live/merge"}"#).unwrap();
        assert_eq!(mix, MixRequest::new("live/merge", &["live/a", "live/b"]).or((1280, 720), 30));
        assert_eq!((mix.width, mix.height, mix.rate, mix.bits_per_second()), (1280, 720, 30, 2_488_320));
        assert_eq!(mix.inputs[0].shown_name(), "a");
        let json = serde_json::to_string(&mix).unwrap();
        assert_eq!(parse(&json).unwrap(), mix, "a listed mix can be sent again");
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        for (json, said) in [
            (r#"{"inputs":[],"output":"merge"}"#, "output \"merge\""),
            (r#"{"inputs":["live/a","live/a"],"output":"live/m"}"#, "twice"),
            (r#"{"inputs":["live/m"],"output":"live/m"}"#, "cannot be an input"),
            (r#"{"inputs":["/live//a"],"output":"live/m"}"#, "not app/stream"),
            (r#"{"inputs":[{"stream":"live/a","gain":21}],"output":"live/m"}"#, "-60 to 20"),
            (r#"{"inputs":[],"output":"live/m","width":1281}"#, "even"),
            (r#"{"inputs":[],"output":"live/m","height":2160}"#, "1920x1080"),
            (r#"{"inputs":[],"output":"live/m","rate":61}"#, "1 to 60"),
            (r#"{"inputs":[],"output":"live/m","bitrate":5}"#, "100 to 20000"),
            (r#"{"inputs":[],"output":"live/m","margin":90}"#, "0 to 20"),
            (r#"{"inputs":[],"output":"live/m","background":"/etc/passwd"}"#, "neither"),
            (r#"{"inputs":[],"output":"live/m","colour":"red"}"#, "unknown field `colour`"),
            (r#"{"inputs":["live/a"]}"#, "output"),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(said), "{json}: {error}");
        }
        let many: Vec<String> = (0..=MAX_INPUTS).map(|n| format!("\"live/{n}\"")).collect();
        let error = parse(&format!(r#"{{"inputs":[{}],"output":"live/m"}}"#, many.join(","))).unwrap_err();
        assert!(error.contains("at most 16"), "{error}");
        assert!(check_card(&"x".repeat(101)).is_err() && check_card("Thank you").is_ok());
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let mix = MixRequest::new("live/m", &["live/a"]).or((640, 360), 25);
        let change: MixChange = serde_json::from_str(r#"{"names":false,"inputs":["live/b"]}"#).unwrap();
        let new = mix.changed(change).unwrap();
        assert_eq!(
            new,
            MixRequest { names: false, inputs: vec![InputRequest::new("live/b")], ..mix.clone() }
        );
        let change: MixChange = serde_json::from_str(r#"{"inputs":["live/m"]}"#).unwrap();
        assert!(mix.changed(change).is_err());
    }
}
