//! Converts settings structs to lists of flags.
//!
//! Each part of the gateway keeps its settings in its own struct, in its folder. Each field is a flag, a
//! `LIANMAI_*` variable and a key of `lianmai.toml`, all with the same name; its doc comment is the text of
//! `--help` and of `lianmai config --print`. `settings` puts these structs together.

mod listen;
mod network;

use std::convert::Infallible;
use std::path::PathBuf;

use clap::builder::{BoolishValueParser, Resettable};
use clap::{Args, Command};

pub use listen::Listen;
pub use network::{BadNetwork, Network};

/// Parses a switch that is also a key: `--demo`, `--demo=false`, `LIANMAI_DEMO=1`, `demo = true`.
pub fn switch() -> BoolishValueParser {
    BoolishValueParser::new()
}

/// Parses a path. clap's own parser refuses the empty path, which here means "none".
///
/// # Errors
/// None: every text is a path.
pub fn path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(PathBuf::from(text))
}

/// Returns the defaults of a struct of settings, without the environment.
pub fn defaults<T: Args>() -> T {
    let command = T::augment_args(Command::new("lianmai").no_binary_name(true))
        .mut_args(|arg| arg.env(Resettable::Reset));
    let matches = command.get_matches_from(Vec::<String>::new());
    T::from_arg_matches(&matches).unwrap_or_else(|e| e.exit())
}
