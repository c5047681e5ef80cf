//! `lianmai`: the command line.

mod console;
mod health;
mod token;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use gateway::serve::Reload;
use gateway::settings::{self, Loaded, Settings};
use gateway::{log, secret_file, serve};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A live video gateway: publish over RTMP, WebRTC (WHIP) and FLV, watch over WebRTC (WHEP), FLV, HLS and RTMP
#[derive(Debug, Parser)]
#[command(name = "lianmai", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway
    Serve(Options),
    /// Show the settings
    // Not named `Settings`: clap gives a variant's fields a group of its name, and the struct has one.
    #[command(name = "config")]
    Show {
        /// Print every setting with its description as a TOML file
        #[arg(long, required = true)]
        print: bool,
        #[command(flatten)]
        settings: Options,
    },
    /// Ask a running gateway whether it is alive; ends with status 1 if not
    Health(Options),
    /// Make a link that logs a browser in to the console, and print it
    Console(console::Args),
    /// Make a token that allows to publish or play a stream, and print it
    Token(token::Args),
}

#[derive(Debug, clap::Args)]
#[group(skip)]
struct Options {
    /// File with the settings; by default ./lianmai.toml, if it exists
    #[arg(long, env = "LIANMAI_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

fn main() -> ExitCode {
    // Before anything else: a SIGHUP that comes early must not end the process.
    let early = std::env::args_os().nth(1).is_some_and(|command| command == "serve").then(early_hangup);
    let command = Cli::command().styles(Styles::styled().header(AnsiColor::Green.on_default().bold()));
    let matches = command.get_matches();
    let done = match matches.subcommand() {
        Some(("serve", matches)) => {
            let file = settings::file(matches.get_one::<PathBuf>("config").map(PathBuf::as_path));
            settings_of(matches).and_then(|loaded| run(loaded, matches, file, early))
        }
        Some(("config", matches)) => settings_of(matches).map(|loaded| {
            for name in &loaded.unknown {
                eprintln!("lianmai: the variable {name} sets nothing");
            }
            print!("{}", settings::print(&loaded.settings));
        }),
        Some(("health", matches)) => settings_of(matches)
            .and_then(|loaded| health::run(&loaded.settings))
            .map(|line| println!("{line}")),
        Some(("token", matches)) => token(matches),
        Some(("console", matches)) => console(matches),
        _ => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            eprintln!("lianmai: {words}");
            ExitCode::FAILURE
        }
    }
}

fn token(matches: &ArgMatches) -> Result<(), String> {
    let args = token::Args::from_arg_matches(matches).map_err(|error| error.to_string())?;
    // Nothing else is printed, so that a shell can use the output.
    println!("{}", token::run(&args)?);
    Ok(())
}

fn console(matches: &ArgMatches) -> Result<(), String> {
    let args = console::Args::from_arg_matches(matches).map_err(|error| error.to_string())?;
    let link = console::run(&args)?;
    println!("{link}");
    if link.contains("//HOST") {
        eprintln!("HOST stands for this machine's name or address; --url names another one.");
    }
    Ok(())
}

fn settings_of(matches: &ArgMatches) -> Result<Loaded, String> {
    let file = matches.get_one::<PathBuf>("config").map(PathBuf::as_path);
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    settings::from_matches(matches, file, variables).map_err(|error| error.to_string())
}

/// The runtime of the gateway, and the signal that reloads its settings.
type Early = io::Result<(Runtime, Signal)>;

/// Starts to listen for SIGHUP.
fn early_hangup() -> Early {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let inside = runtime.enter();
    let hangup = signal(SignalKind::hangup())?;
    drop(inside);
    Ok((runtime, hangup))
}

fn run(
    loaded: Loaded,
    matches: &ArgMatches,
    file: Option<PathBuf>,
    early: Option<Early>,
) -> Result<(), String> {
    let Loaded { settings, unknown } = loaded;
    // Files of the ACME library must also be readable by their owner only.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let log = log::install(&settings.log);
    for name in unknown {
        tracing::warn!(
            name,
            "variable ignored: it sets nothing, `lianmai config --print` lists the settings"
        );
    }
    if let Some(file) = file {
        let path = std::path::absolute(&file).unwrap_or(file);
        tracing::info!(file = %path.display(), public = settings.public, open = settings.auth.open, "settings file read");
        if settings.hold_keys() && secret_file::is_readable_by_all(&path) {
            tracing::warn!(file = %path.display(), "all users of this machine can read the settings file: close it if it holds a secret or a key");
        }
    }
    let early = early.unwrap_or_else(early_hangup);
    let (runtime, hangup) = early.map_err(|error| error.to_string())?;
    let again = matches.clone();
    let reload =
        Reload { settings: Box::new(move || settings_of(&again).map(|loaded| loaded.settings)), log };
    runtime.block_on(serve::run_with_reload(settings, reload, hangup)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
