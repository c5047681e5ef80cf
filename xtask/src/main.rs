//! `cargo xtask …`: the entry point for all development tasks.

mod bench;
mod bundle;
mod check;
mod dist;
mod fuzz;
mod hashed;
mod node;
mod nodes;
mod package;
mod parts;
mod pot;
mod run;
mod sh;
mod steps;
mod suites;
mod test;
mod tools;

use std::process::ExitCode;

use package::Purpose;

const HELP: &str = "\
cargo xtask run [--dev] [-- FLAGS…]
                                build everything and start the gateway with its demo stream;
                                FLAGS go to `lianmai serve`; `-- --nodes 3`: a cluster of three
                                gateways and nats-server; --dev: scripts with source maps and
                                a debug build, which serves each new `build --dev` at once
cargo xtask check               format, lints, house rules, types, PHP style: before every commit
cargo xtask fix                 correct what rustfmt, clippy and PHP_CodeSniffer can correct
cargo xtask test [PART [FILTER…]]
                                every check and test, as CI runs them, or one part
                                (`cargo xtask test help` lists the parts)
cargo xtask tools               install the programs that tests use (Debian, as root), or list them
cargo xtask build [--dev]       build the browser package into player-wasm/dist; --dev: readable
                                scripts with source maps
cargo xtask dist [plugin|server|static]
                                build what users install into target/dist: the WordPress plugin
                                (.zip), and the gateway (.tar.gz, .deb); static: a program with its
                                C library inside
cargo xtask pot                 collect the plugin's texts for translators, target/languages/lianmai.pot
cargo xtask fuzz SECONDS [TARGET…]
                                run each fuzz target (or those named) for so many seconds
cargo xtask simulate [NODES STREAMS]
                                lose nodes of a large cluster in virtual time, and print look-ups,
                                trees, bytes and freezes
cargo xtask bench [PART…]       measure: cpu, latency, join, stalled, rtp, transcode, compose,
                                https, whep, rooms, mix, forward, record, cluster, browser, loss,
                                rooms-browser, console
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    let done = match args.first().map(String::as_str) {
        Some("build") if rest.is_empty() => package::build().map(|_| ()),
        Some("build") if rest == ["--dev"] => package::build_for(Purpose::Development).map(|_| ()),
        Some("dist") => dist::run(rest),
        Some("pot") if rest.is_empty() => pot::build(),
        Some("run") => run::run(rest),
        Some("check") if rest.is_empty() => check::run(),
        Some("fix") if rest.is_empty() => check::fix(),
        Some("test") => test::run(rest),
        Some("tools") if rest.is_empty() => tools::install(),
        Some("fuzz") => fuzz::run(rest),
        Some("simulate") => bench::simulate(rest),
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
