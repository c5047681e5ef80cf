//! The three faces in one: flag over variable over file over default.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use toml::{Table, Value};

use super::Settings;

/// Read when it is in the current folder and `--config` names no other.
const DEFAULT_FILE: &str = "lianmai.toml";
/// What every variable starts with.
const PREFIX: &str = "LIANMAI_";
/// Variables that are no setting: which file to read, and what to log.
const OTHERS: [&str; 2] = ["LIANMAI_CONFIG", "LIANMAI_LOG"];

/// Why the settings could not be read, in words that name the key.
#[derive(Debug)]
pub enum LoadError {
    /// The file could not be read.
    File(PathBuf, io::Error),
    /// The file is not TOML, or a key is unknown or of the wrong type.
    Toml(PathBuf, Box<toml::de::Error>),
    /// A `LIANMAI_*` variable that sets nothing.
    Variable(String),
    /// A bug: the flags do not describe the struct.
    Flags(clap::Error),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, e) => write!(f, "cannot read {}: {e}", path.display()),
            Self::Toml(path, e) => write!(f, "in {}: {e}", path.display()),
            Self::Variable(name) => {
                write!(f, "the variable {name} sets nothing; `lianmai config --print` lists what can be set")
            }
            Self::Flags(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for LoadError {}

/// The file that settings are read from, if there is one.
pub fn file(named: Option<&Path>) -> Option<PathBuf> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    path.exists().then(|| path.to_path_buf())
}

/// The settings of a parsed command line (which clap has merged with the variables), laid over the
/// file's. `file` is what `--config` named; `variables` are the names in the environment.
pub fn from_matches(
    matches: &ArgMatches,
    file: Option<&Path>,
    variables: impl Iterator<Item = String>,
) -> Result<Settings, LoadError> {
    let parsed = Settings::from_arg_matches(matches).map_err(LoadError::Flags)?;
    let all = to_table(&parsed);
    for name in variables {
        let known = OTHERS.contains(&name.as_str())
            || name.strip_prefix(PREFIX).is_none_or(|key| all.contains_key(&key.to_ascii_lowercase()));
        if !known {
            return Err(LoadError::Variable(name));
        }
    }
    let (path, mut table) = read(file)?;
    for (key, value) in all {
        let set =
            matches!(matches.value_source(&key), Some(ValueSource::CommandLine | ValueSource::EnvVariable));
        if set || !table.contains_key(&key) {
            table.insert(key, value);
        }
    }
    Value::Table(table).try_into().map_err(|e| LoadError::Toml(path, Box::new(e)))
}

/// The settings without a command line: variables over the file.
pub fn from_surroundings(
    file: Option<&Path>,
    variables: impl Iterator<Item = String>,
) -> Result<Settings, LoadError> {
    let command = Settings::augment_args(Command::new("lianmai").no_binary_name(true));
    let matches = command.try_get_matches_from(Vec::<String>::new()).map_err(LoadError::Flags)?;
    from_matches(&matches, file, variables)
}

/// The file's keys. Only the default file may be missing.
fn read(file: Option<&Path>) -> Result<(PathBuf, Table), LoadError> {
    let path = file.unwrap_or(Path::new(DEFAULT_FILE)).to_path_buf();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if file.is_none() && e.kind() == io::ErrorKind::NotFound => return Ok((path, Table::new())),
        Err(e) => return Err(LoadError::File(path, e)),
    };
    match text.parse().and_then(flat) {
        Ok(table) => Ok((path, table)),
        Err(e) => Err(LoadError::Toml(path, Box::new(e))),
    }
}

/// `[auth] jwks = …`, which is `auth.jwks`, is `auth_jwks`.
fn flat(table: Table) -> Result<Table, toml::de::Error> {
    use serde::de::Error as _;
    let mut all = Table::new();
    for (name, value) in table {
        let entries = match value {
            Value::Table(inner) => inner.into_iter().map(|(key, v)| (format!("{name}_{key}"), v)).collect(),
            value => vec![(name, value)],
        };
        for (key, value) in entries {
            if all.contains_key(&key) {
                return Err(toml::de::Error::custom(format!("`{key}` is set twice")));
            }
            all.insert(key, value);
        }
    }
    Ok(all)
}

/// The struct's keys and values.
pub(super) fn to_table(config: &Settings) -> Table {
    // A struct of numbers, texts and lists always has a TOML form.
    Table::try_from(config).unwrap_or_default()
}

/// What holds when nothing is set; variables are not looked at.
pub(super) fn defaults() -> Settings {
    let command = Settings::augment_args(Command::new("lianmai").no_binary_name(true))
        .mut_args(|arg| arg.env(clap::builder::Resettable::Reset));
    let matches = command.get_matches_from(Vec::<String>::new());
    Settings::from_arg_matches(&matches).unwrap_or_else(|e| e.exit())
}
