//! Connections that never send anything.

use std::fs;
use std::net::TcpStream;
use std::process::Command;

use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::FlvViewer;

use crate::{LIMIT, Watched};

/// Raises this process's limit of open files, which the gateway inherits; returns the new limit.
fn raise_open_files(wanted: u64) -> u64 {
    let pid = std::process::id().to_string();
    let limit = format!("--nofile={wanted}:{wanted}");
    let _ = Command::new("prlimit").args(["--pid", &pid, &limit]).status();
    let limits = fs::read_to_string("/proc/self/limits").expect("Linux tells the limits");
    let line =
        limits.lines().find(|line| line.starts_with("Max open files")).expect("open files are limited");
    line.split_whitespace().nth(3).and_then(|n| n.parse().ok()).unwrap_or(u64::MAX)
}

#[test]
fn ten_thousand_idle_connections() {
    let limit = raise_open_files(11_000);
    let count = 10_000.min(limit.saturating_sub(500));
    if count < 10_000 {
        println!("the limit of open files is {limit}: only {count} connections");
    }
    // No connection may time out before all are open, however slow the machine is.
    let mut watched = Watched::start(&["--header-timeout", "120"]);
    let (rtmp, http) = (watched.gateway.rtmp(), watched.gateway.http());
    let idle: Vec<TcpStream> = (0..count)
        .map(|n| {
            TcpStream::connect(if n % 2 == 0 { rtmp } else { http })
                .unwrap_or_else(|error| panic!("connection {n}: {error}"))
        })
        .collect();
    // While they are open, the next client is served.
    let late = FlvViewer::http(http, "/live/good.flv");
    late.wait_frames(VIDEO, 30, LIMIT);
    assert!(watched.gateway.connections() as u64 > count, "they were not let in");
    // At most 16 kB for each connection.
    watched.assert_untouched(count * 16 * 1024);
    drop(idle);
}
