//! Settings of slates.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::core::auth::StreamPattern;
use crate::flags;

/// Maximum number of slates in the settings.
const MAX_SLATES: usize = 64;

/// Settings of slates.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct SlateSettings {
    /// Image or clip that continues streams while their publishers are away, as STREAMS=FILE: 'live/*=/srv/soon.png'. In
    /// the settings file, a table [[slate]] each
    #[arg(long, env = "LIANMAI_SLATE", value_name = "STREAMS=FILE", value_parser = parse, help_heading = "Slate")]
    pub slate: Vec<SlateRule>,

    /// Seconds after which a slate ends its stream if the publisher has not come back
    #[arg(
        long,
        env = "LIANMAI_SLATE_LIMIT",
        value_name = "SECONDS",
        default_value_t = 600,
        help_heading = "Slate"
    )]
    pub slate_limit: u64,
}

impl Default for SlateSettings {
    fn default() -> Self {
        flags::defaults()
    }
}

/// A slate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlateRule {
    /// The streams: `live/x`, `live/*` or `*`.
    pub stream: String,
    /// The image or clip.
    pub path: PathBuf,
}

impl SlateSettings {
    /// Checks the slates, before anything starts.
    ///
    /// # Errors
    /// A slate is not valid; the text says why.
    pub fn check(&self) -> Result<(), String> {
        if self.slate.len() > MAX_SLATES {
            return Err(format!("there may be at most {MAX_SLATES} slates"));
        }
        for rule in &self.slate {
            rule.pattern().map_err(|error| format!("slate of {:?}: {error}", rule.stream))?;
            if !rule.path.is_file() {
                return Err(format!("slate of {:?}: {} is not a file", rule.stream, rule.path.display()));
            }
        }
        Ok(())
    }
}

impl SlateRule {
    /// Returns the pattern of the streams.
    pub(super) fn pattern(&self) -> Result<StreamPattern, &'static str> {
        StreamPattern::try_from(self.stream.clone())
    }
}

fn parse(text: &str) -> Result<SlateRule, String> {
    let (stream, path) = text.split_once('=').ok_or("a slate is STREAMS=FILE, as in live/*=/srv/soon.png")?;
    Ok(SlateRule { stream: stream.trim().to_owned(), path: path.trim().into() })
}
