//! `cargo xtask bench [PART…]`: cost and speed of the server, compared with known figures of other servers.
//! Nothing here passes or fails: it prints figures and their targets.

mod cluster;
mod compose;
mod cpu;
mod forward;
mod https;
mod join;
mod lag;
mod latency;
mod mix;
mod nginx;
mod record;
mod rooms;
mod rtp;
mod stalled;
mod stream;
mod transcode;
mod whep;

use std::time::Duration;

/// Duration of each measurement.
const WINDOW: Duration = Duration::from_secs(20);

fn main() {
    let parts: [(&str, fn()); 15] = [
        ("cpu", cpu::run),
        ("latency", latency::run),
        ("join", join::run),
        ("stalled", stalled::run),
        ("rtp", rtp::run),
        ("transcode", transcode::run),
        ("compose", compose::run),
        ("whep", whep::run),
        ("https", https::run),
        ("rooms", rooms::run),
        ("mix", mix::run),
        ("forward", forward::run),
        ("record", record::run),
        ("cluster", cluster::run),
        ("claims", cluster::claims),
    ];
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = wanted.iter().find(|name| parts.iter().all(|(part, _)| part != name)) {
        let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
        eprintln!("{unknown} is none of {}", names.join(", "));
        std::process::exit(2);
    }
    if cfg!(debug_assertions) {
        println!("This is a debug build: its figures mean nothing.");
    }
    for (name, run) in parts {
        if wanted.is_empty() || wanted.iter().any(|part| part == name) {
            println!("\n== {name} ==");
            run();
        }
    }
}

/// Returns the value below which `share` (0 to 1) of the times are, in milliseconds.
fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    let at = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
    times.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}
