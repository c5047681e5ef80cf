//! Settings of pulls.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags;
use crate::remote::{Hidden, Template};

/// Settings of pulls.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct PullSettings {
    /// Streams to take from another server when somebody wants to watch them, as STREAMS=ADDRESS:
    /// 'live/*=rtmp://host/live/{stream}'. In the settings file, a table [[pull]] each
    #[arg(long, env = "LIANMAI_PULL", value_name = "STREAMS=ADDRESS", value_parser = parse,
          help_heading = "Forward and pull")]
    pub pull: Vec<PullRule>,

    /// Files to play in a loop as a stream, as STREAM=FILE,FILE: FLV, MPEG-TS, and what ffmpeg reads. In the settings
    /// file, a table [[file]] each
    #[arg(long, env = "LIANMAI_FILE", value_name = "STREAM=FILE", value_parser = parse_file,
          help_heading = "Forward and pull")]
    pub file: Vec<FileRule>,

    /// Streams that are pulled at the same time
    #[arg(
        long,
        env = "LIANMAI_PULL_MAX",
        value_name = "N",
        default_value_t = 100,
        help_heading = "Forward and pull"
    )]
    pub pull_max: usize,

    /// Seconds after which a pull on demand ends when nobody watches its stream any more
    #[arg(
        long,
        env = "LIANMAI_PULL_LINGER",
        value_name = "SECONDS",
        default_value_t = 15,
        help_heading = "Forward and pull"
    )]
    pub pull_linger: u64,
}

impl Default for PullSettings {
    fn default() -> Self {
        flags::defaults()
    }
}

/// A pull: which streams come from where. The address may hold a key, so it is never shown whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PullRule {
    /// The streams: `live/x`, `live/*` or `*`.
    pub stream: String,
    /// The address, in which `{app}` and `{stream}` stand for the parts of the stream's name.
    pub from: Template,
    /// The bearer token for a WHEP server; empty: none.
    #[serde(default, skip_serializing_if = "Hidden::is_empty")]
    pub token: Hidden,
    /// Whether the stream is pulled at all times, not only when somebody wants to watch it.
    #[serde(default)]
    pub always: bool,
}

/// Files that are played as a stream, one after the other and again, until somebody else publishes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRule {
    /// The stream.
    pub stream: String,
    /// The files.
    pub path: Paths,
    /// Whether the files are played only while somebody watches.
    #[serde(default)]
    pub on_demand: bool,
}

/// One file, or a list of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Paths {
    /// One file.
    One(PathBuf),
    /// A list.
    Many(Vec<PathBuf>),
}

impl Paths {
    /// Returns the files.
    pub fn all(&self) -> Vec<PathBuf> {
        match self {
            Self::One(path) => vec![path.clone()],
            Self::Many(paths) => paths.clone(),
        }
    }
}

fn parse_file(text: &str) -> Result<FileRule, String> {
    let (stream, files) =
        text.split_once('=').ok_or("a file is STREAM=FILE, as in live/loop=/srv/loop.flv")?;
    let path = Paths::Many(files.split(',').map(PathBuf::from).collect());
    Ok(FileRule { stream: stream.trim().to_owned(), path, on_demand: false })
}

/// Parses a pull of the command line. This never fails, because the error would repeat the key: [`super::Pulls`]
/// checks it.
#[expect(clippy::unnecessary_wraps, reason = "clap's parsers return a result")]
fn parse(text: &str) -> Result<PullRule, std::convert::Infallible> {
    let (stream, from) = text.split_once('=').unwrap_or((text, ""));
    Ok(PullRule {
        stream: stream.trim().to_owned(),
        from: Template::new(from.trim()),
        token: Hidden::default(),
        always: false,
    })
}
