//! `lianmai config --print`: the settings as a commented TOML file.

use std::fmt::Write as _;

use clap::{Args, Command};

use super::{Settings, load};

/// Returns `config` as TOML, each key below its `--help` text.
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
        let _ = write!(out, "\n# {help}\n{key} = {value}\n");
    }
    out
}
