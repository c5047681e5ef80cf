//! A rule of the settings or the API: which streams come from where.

use std::fmt;
use std::path::PathBuf;

use super::settings::{FileRule, PullRule, PullSettings};
use super::source::SourceAddress;
use crate::core::auth::StreamPattern;
use crate::core::hub::StreamName;
use crate::remote::{AddressError, Hidden, Template};

/// Maximum number of files of one stream.
const MAX_FILES: usize = 1000;

/// A valid rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) streams: StreamPattern,
    pub(super) from: RuleFrom,
    pub(super) always: bool,
}

/// Where the streams of a rule come from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RuleFrom {
    /// Another server, with the token for it.
    Remote(Template, Hidden),
    /// Files of this machine.
    Files(Vec<PathBuf>),
}

impl RuleFrom {
    /// Returns where this stream comes from.
    pub(super) fn of(&self, stream: &StreamName) -> Result<SourceAddress, AddressError> {
        Ok(match self {
            Self::Remote(template, token) => SourceAddress::Remote(template.fill(stream)?, token.clone()),
            Self::Files(files) => SourceAddress::Files(files.clone()),
        })
    }
}

impl fmt::Display for RuleFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(template, _) => template.fmt(f),
            Self::Files(files) => SourceAddress::Files(files.clone()).fmt(f),
        }
    }
}

impl Rule {
    /// Checks a pull. The error names its streams, not its address.
    pub(super) fn of_pull(rule: &PullRule) -> Result<Self, String> {
        let error = |text: &str| format!("pull of {:?}: {text}", rule.stream);
        let streams = StreamPattern::try_from(rule.stream.clone()).map_err(error)?;
        let address = match &streams {
            StreamPattern::One(name) => rule.from.fill(name),
            _ if rule.always => return Err(error("a pull that is always on is for one stream")),
            _ => rule.from.check(),
        };
        let address = address.map_err(|wrong| error(&wrong.to_string()))?;
        if !rule.token.is_empty() && !address.is_whep() {
            return Err(error("a token is for WHEP addresses only"));
        }
        let from = RuleFrom::Remote(rule.from.clone(), rule.token.clone());
        Ok(Self { streams, from, always: rule.always })
    }

    /// Checks files.
    fn of_files(rule: &FileRule) -> Result<Self, String> {
        let error = |text: &str| format!("file of {:?}: {text}", rule.stream);
        let name = StreamName::parse(&rule.stream).map_err(|wrong| error(&wrong.to_string()))?;
        let files = rule.path.all();
        if files.is_empty() || files.len() > MAX_FILES {
            return Err(error(&format!("a stream has 1 to {MAX_FILES} files")));
        }
        if let Some(missing) = files.iter().find(|file| !file.is_file()) {
            return Err(error(&format!("{} is not a file", missing.display())));
        }
        Ok(Self { streams: StreamPattern::One(name), from: RuleFrom::Files(files), always: !rule.on_demand })
    }

    /// Checks all rules of the settings.
    pub(super) fn all(settings: &PullSettings) -> Result<Vec<Self>, String> {
        settings.pull.iter().map(Self::of_pull).chain(settings.file.iter().map(Self::of_files)).collect()
    }

    /// Returns the rule as the API takes it; `None` for files, which only the settings have.
    pub(super) fn to_pull(&self) -> Option<PullRule> {
        let RuleFrom::Remote(from, token) = &self.from else { return None };
        let (from, token) = (from.clone(), token.clone());
        Some(PullRule { stream: self.streams.to_string(), from, token, always: self.always })
    }
}
