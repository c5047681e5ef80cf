//! `lianmai config --print`: the settings as a commented TOML file.

use std::fmt::Write as _;

use clap::{Args, Command};
use toml::Value;

use super::{Settings, load};

/// The settings that are secrets. `ice_server` and `cluster` are if they have a
/// password, and `hook` if it has a query.
pub(super) const SECRETS: [&str; 11] = [
    "secret",
    "play_secret",
    "operator_secret",
    "hook_secret",
    "publish_url_key",
    "play_url_key",
    "cluster_secret",
    "cdn_key",
    "hls_key",
    "store_access_key",
    "store_secret_key",
];

/// The settings whose addresses may hold keys.
const ADDRESSES: [&str; 2] = ["forward", "pull"];

/// Returns `config` as TOML, each key below its `--help` text. Secrets are not shown: the output often ends in a file
/// that everybody can read.
pub fn print(config: &Settings) -> String {
    let command = Settings::augment_args(Command::new("lianmai"));
    let values = load::to_table(config);
    let mut out = String::from(
        "# Lianmai's settings. Each is also a flag (--max-streams) and a variable (LIANMAI_MAX_STREAMS);\n\
         # a flag beats a variable, a variable beats this file.\n",
    );
    for arg in command.get_arguments() {
        let key = arg.get_id().as_str();
        let Some(value) = values.get(key) else { continue };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        // A text written to a String does not fail.
        let _ = if is_secret(key, value) {
            write!(out, "\n# {help}\n# {key} = is set, but not shown: add it by hand\n")
        } else {
            write!(out, "\n# {help}\n{key} = {value}\n")
        };
    }
    out
}

/// Returns the settings as JSON, with secrets replaced by `…`.
pub fn shown(config: &Settings) -> serde_json::Value {
    let values = load::to_table(config).into_iter();
    let shown = values.map(|(key, value)| {
        let hidden = is_secret(&key, &value);
        let value = if hidden { Ok("…".into()) } else { serde_json::to_value(value) };
        (key, value.unwrap_or_default())
    });
    serde_json::Value::Object(shown.collect())
}

/// Returns whether one of the settings is not shown.
pub(super) fn holds_secret(config: &Settings) -> bool {
    load::to_table(config).iter().any(|(key, value)| is_secret(key, value))
}

fn is_secret(key: &str, value: &Value) -> bool {
    SECRETS.contains(&key) && value.as_str().is_some_and(|text| !text.is_empty())
        || ADDRESSES.contains(&key) && value.as_array().is_some_and(|list| !list.is_empty())
        || (key == "ice_server" || key == "cluster") && value.to_string().contains('@')
        || (key == "hook" || key == "auth_jwks") && value.to_string().contains('?')
}
