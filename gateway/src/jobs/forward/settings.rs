//! Settings of forwards.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags;
use crate::remote::{Hidden, Template};

/// Settings of forwards.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct ForwardSettings {
    /// Streams to send to another server, as STREAMS=ADDRESS: 'live/*=rtmps://host/app/{stream}'. In the settings file,
    /// a table [[forward]] each, where other users of this machine do not see the key
    #[arg(long, env = "LIANMAI_FORWARD", value_name = "STREAMS=ADDRESS", value_parser = parse,
          help_heading = "Forward and pull")]
    pub forward: Vec<ForwardRule>,

    /// Connections to other servers for forwards at the same time
    #[arg(
        long,
        env = "LIANMAI_FORWARD_MAX",
        value_name = "N",
        default_value_t = 100,
        help_heading = "Forward and pull"
    )]
    pub forward_max: usize,
}

impl Default for ForwardSettings {
    fn default() -> Self {
        flags::defaults()
    }
}

/// A forward: which streams are sent where. The address may hold a key, so it is never shown whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardRule {
    /// The streams: `live/x`, `live/*` or `*`.
    pub stream: String,
    /// The address, in which `{app}` and `{stream}` stand for the parts of the stream's name.
    pub to: Template,
    /// The bearer token for a WHIP server; empty: none.
    #[serde(default, skip_serializing_if = "Hidden::is_empty")]
    pub token: Hidden,
}

/// Parses a forward of the command line. This never fails, because the error would repeat the key: [`super::Forwards`]
/// checks it.
#[expect(clippy::unnecessary_wraps, reason = "clap's parsers return a result")]
fn parse(text: &str) -> Result<ForwardRule, std::convert::Infallible> {
    let (stream, to) = text.split_once('=').unwrap_or((text, ""));
    Ok(ForwardRule {
        stream: stream.trim().to_owned(),
        to: Template::new(to.trim()),
        token: Hidden::default(),
    })
}
