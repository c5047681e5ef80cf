//! Loads the settings: a flag beats a variable, a variable beats the file, the file beats the default.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use toml::{Table, Value};

use super::Settings;
use crate::secret_file;

/// Settings file in the current folder, read unless `--config` names another.
const DEFAULT_FILE: &str = "lianmai.toml";
/// Prefix of all variables.
const PREFIX: &str = "LIANMAI_";
/// The variable that names the file; it is not a setting itself.
const CONFIG: &str = "LIANMAI_CONFIG";
/// Parts of the names of variables that Kubernetes and `docker --link` make for every service, also for one that is
/// called `lianmai`.
const SERVICE_PARTS: [&str; 4] = ["_SERVICE_HOST", "_SERVICE_PORT", "_TCP", "_UDP"];

/// The settings that were read.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Variables that begin like settings and are none. Other programs may have set them.
    pub unknown: Vec<String>,
}

/// The error of settings that cannot be read; its text names the key.
#[derive(Debug)]
pub enum LoadError {
    /// The file could not be read.
    File(PathBuf, io::Error),
    /// The file is not TOML, or a key is unknown or of the wrong type.
    Toml(PathBuf, Box<toml::de::Error>),
    /// A key of the file that is not a setting.
    Unknown(PathBuf, String),
    /// A key of the file whose value does not fit.
    Value(PathBuf, String, Box<toml::de::Error>),
    /// A bug: the flags do not describe the struct.
    Flags(clap::Error),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, e) => write!(f, "cannot read {}: {e}", path.display()),
            Self::Toml(path, e) => write!(f, "in {}: {e}", path.display()),
            Self::Unknown(path, key) => write!(
                f,
                "in {}: there is no setting `{key}`; `lianmai config --print` lists the settings",
                path.display()
            ),
            Self::Value(path, key, e) => write!(f, "in {}: {key}: {}", path.display(), e.message()),
            Self::Flags(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for LoadError {}

/// Returns the file from which settings are read, if it exists.
pub fn file(named: Option<&Path>) -> Option<PathBuf> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    path.exists().then(|| path.to_path_buf())
}

/// Returns the settings of a parsed command line (which clap has merged with the variables), combined with those
/// of the file. `file` is the value of `--config`; `variables` are the names in the environment.
pub fn from_matches(
    matches: &ArgMatches,
    file: Option<&Path>,
    variables: impl Iterator<Item = String>,
) -> Result<Loaded, LoadError> {
    let parsed = Settings::from_arg_matches(matches).map_err(LoadError::Flags)?;
    let all = to_table(&parsed);
    let is_unknown = |name: &String| {
        let key = name.strip_prefix(PREFIX).map(str::to_ascii_lowercase);
        key.is_some_and(|key| !all.contains_key(&key)) && name != CONFIG && !is_of_a_service(name)
    };
    let unknown = variables.filter(is_unknown).collect();
    let (path, mut table) = read(file)?;
    check(&table, &all, &path)?;
    for (key, value) in all {
        let set =
            matches!(matches.value_source(&key), Some(ValueSource::CommandLine | ValueSource::EnvVariable));
        if set || !table.contains_key(&key) {
            table.insert(key, value);
        }
    }
    let settings = Value::Table(table).try_into().map_err(|e| LoadError::Toml(path, Box::new(e)))?;
    Ok(Loaded { settings, unknown })
}

/// Returns whether a variable has a name that Kubernetes gives it.
fn is_of_a_service(name: &str) -> bool {
    name.ends_with("_PORT") || SERVICE_PARTS.iter().any(|part| name.contains(part))
}

/// Finds the first key of the file that is unknown, or whose value does not fit. The error of the whole table would
/// not name it.
fn check(table: &Table, all: &Table, path: &Path) -> Result<(), LoadError> {
    for (key, value) in table {
        if !all.contains_key(key) {
            return Err(LoadError::Unknown(path.to_path_buf(), key.clone()));
        }
        let mut with = all.clone();
        with.insert(key.clone(), value.clone());
        if let Err(e) = Value::Table(with).try_into::<Settings>() {
            return Err(LoadError::Value(path.to_path_buf(), key.clone(), Box::new(e)));
        }
    }
    Ok(())
}

/// Returns the settings without a command line: variables beat the file.
pub fn from_surroundings(
    file: Option<&Path>,
    variables: impl Iterator<Item = String>,
) -> Result<Loaded, LoadError> {
    let command = Settings::augment_args(Command::new("lianmai").no_binary_name(true));
    let matches = command.try_get_matches_from(Vec::<String>::new()).map_err(LoadError::Flags)?;
    from_matches(&matches, file, variables)
}

/// Reads the file. Only the default file may be missing.
fn read(file: Option<&Path>) -> Result<(PathBuf, Table), LoadError> {
    let path = file.unwrap_or(Path::new(DEFAULT_FILE)).to_path_buf();
    let text = match secret_file::read_settings(&path, file.is_none()) {
        Ok(text) => text,
        Err(e) if file.is_none() && e.kind() == io::ErrorKind::NotFound => return Ok((path, Table::new())),
        Err(e) => return Err(LoadError::File(path, e)),
    };
    match text.parse().and_then(flat) {
        Ok(table) => Ok((path, table)),
        Err(e) => Err(LoadError::Toml(path, Box::new(e))),
    }
}

/// Flattens tables: `[auth] jwks = …` and `auth.jwks = …` become `auth_jwks`.
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

/// Returns the keys and values of the struct.
pub(super) fn to_table(config: &Settings) -> Table {
    // A struct of numbers, texts and lists always has a TOML form.
    Table::try_from(config).unwrap_or_default()
}
