//! `cargo xtask …`: the only entry point a person must know.

mod bench;
mod bundle;
mod dist;
mod fuzz;
mod hashed;
mod package;
mod pot;
mod run;
mod sh;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask build               the browser package into player-wasm/dist
cargo xtask dist                the WordPress plugin, target/dist/lianmai.zip
cargo xtask run [-- FLAGS…]     builds everything and starts the gateway with its demo stream;
                                FLAGS go to `lianmai serve`
cargo xtask pot                 the plugin's words for translators, target/languages/lianmai.pot
cargo xtask test                every check and test, as CI runs them
cargo xtask fuzz SECONDS [TARGET…]
                                each fuzz target (or those named) for so many seconds
cargo xtask bench [PART…]       figures: cpu, latency, join, stalled, rtp, transcode, https,
                                whep, browser
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    let done = match args.first().map(String::as_str) {
        Some("build") if rest.is_empty() => package::build().map(|_| ()),
        Some("dist") if rest.is_empty() => dist::build().map(|_| ()),
        Some("dist") if rest.len() == 2 => dist::build_from(rest[0].as_ref(), rest[1].as_ref()).map(|_| ()),
        Some("pot") if rest.is_empty() => pot::build(),
        Some("run") => run::run(rest),
        Some("test") if rest.is_empty() => test::run(),
        Some("fuzz") => fuzz::run(rest),
        Some("bench") => bench::run(rest),
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(())
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\nxtask: {why}");
            ExitCode::FAILURE
        }
    }
}
