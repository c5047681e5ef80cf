//! `cargo xtask run -- --nodes N`: a cluster on this machine, with nats-server and N gateways.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::sh::{Result, at, target, which};

/// Number of gateways that may be started: each has listeners and threads of its own.
const NODES: std::ops::RangeInclusive<usize> = 2..=16;
/// Time for which a program may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// Interval at which the programs are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Removes `--nodes N` from the flags. Returns the number; `None` if the flags have none.
pub(crate) fn of_flags(flags: &mut Vec<String>) -> Result<Option<usize>> {
    let Some(place) = flags.iter().position(|flag| flag == "--nodes") else { return Ok(None) };
    let number = flags.get(place + 1).and_then(|number| number.parse().ok());
    let number = number
        .filter(|number| NODES.contains(number))
        .ok_or_else(|| format!("--nodes needs a number from {} to {}", NODES.start(), NODES.end()))?;
    flags.drain(place..place + 2);
    Ok(Some(number))
}

/// A program that is ended with this.
struct Running(String, Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.1.kill();
        let _ = self.1.wait();
    }
}

/// Starts the programs, and waits until one of them ends. The first gateway has the usual ports, the others have free ports.
/// Each has a demo stream of its own.
pub(crate) fn run(binary: &Path, nodes: usize, flags: &[String]) -> Result {
    let server = which("nats-server")
        .ok_or("a cluster needs nats-server: `cargo xtask tools` installs it on Debian, as root")?;
    let folder = target().join("cluster");
    at(folder.display(), fs::create_dir_all(&folder))?;
    let mut running = Vec::new();
    let mut nats = Command::new(server);
    nats.args(["--addr", "127.0.0.1", "--port", "-1", "--ports_file_dir"]).arg(&folder);
    let nats = start("nats-server", &mut nats)?;
    let ports = folder.join(format!("nats-server_{}.ports", nats.1.id()));
    running.push(nats);
    wait_for(&ports, &mut running)?;
    let url = address(&at(ports.display(), fs::read_to_string(&ports))?)?;
    let secret = secret()?;
    for n in 1..=nodes {
        let name = format!("node-{n}");
        let ready = folder.join(format!("{name}.json"));
        // A file of the last run is no sign of this one.
        let _ = fs::remove_file(&ready);
        let mut gateway = Command::new(binary);
        gateway.arg("serve").args(["--node", &name]).arg("--data").arg(folder.join(&name));
        gateway.arg("--ready-file").arg(&ready);
        gateway.env("LIANMAI_CLUSTER", &url).env("LIANMAI_CLUSTER_SECRET", &secret);
        gateway.arg("--demo");
        if n > 1 {
            for listener in ["--rtmp", "--http", "--https", "--webrtc"] {
                gateway.args([listener, "127.0.0.1:0"]);
            }
        }
        gateway.args(flags);
        println!("\n== {name} ==");
        running.push(start(&name, &mut gateway)?);
        wait_for(&ready, &mut running)?;
    }
    println!("\nA stream that you publish to one of them plays on all. Ctrl+C ends all.");
    loop {
        check(&mut running)?;
        sleep(LOOK_EVERY);
    }
}

fn start(name: &str, command: &mut Command) -> Result<Running> {
    Ok(Running(name.to_owned(), at(format_args!("cannot start {name}"), command.spawn())?))
}

/// Waits until a program has written a file.
fn wait_for(file: &PathBuf, running: &mut [Running]) -> Result {
    let started = Instant::now();
    // The file may exist before its content does.
    while fs::metadata(file).map_or(true, |file| file.len() == 0) {
        check(running)?;
        if started.elapsed() > START_TIMEOUT {
            return Err(format!("{} was not written within {} s", file.display(), START_TIMEOUT.as_secs()));
        }
        sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Returns an error if a program has ended.
fn check(running: &mut [Running]) -> Result {
    for Running(name, child) in running {
        if let Some(status) = at(&name, child.try_wait())? {
            return Err(format!("{name} ended with {status}, so the cluster ends"));
        }
    }
    Ok(())
}

/// Returns the address in a ports file of nats-server.
fn address(ports: &str) -> Result<String> {
    let ports: serde_json::Value =
        serde_json::from_str(ports).map_err(|error| format!("the ports file of nats-server: {error}"))?;
    let url = ports.pointer("/nats/0").and_then(|url| url.as_str());
    url.map(str::to_owned).ok_or_else(|| "the ports file of nats-server has no address".to_owned())
}

/// Returns a secret for this run.
fn secret() -> Result<String> {
    let mut bytes = [0; 16];
    let mut random = at("/dev/urandom", fs::File::open("/dev/urandom"))?;
    at("/dev/urandom", std::io::Read::read_exact(&mut random, &mut bytes))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
