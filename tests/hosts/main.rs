//! Hosts of a room without browsers, for tests and figures in which a machine cannot run that many.
//!
//! `hosts HTTP WEBRTC ROOM [detail]`: the gateway's two addresses and the name of the room. `detail` publishes moving
//! pictures that cost a decoder what a camera's do, and not plain colours. The program reads commands from its
//! standard input, and ends with it:
//!
//! - `join NAME COLOUR HERTZ`: a host joins and publishes this colour and this tone, as camera and as small
//!   picture. It comes back by itself when it loses the gateway.
//! - `leave NAME`: the host leaves.
//!
//! It writes one JSON object a line for each event: `{"name": "Lime", "event": "live", "at": 1700000000000.5}`, where
//! `at` is when the host sent its first frame, in milliseconds since 1970; and `left`, and `lost` with its cause.

mod host;

use std::collections::HashMap;
use std::io::{BufRead as _, stdin};
use std::net::SocketAddr;

use crate::host::{Host, Place};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [http, webrtc, room, more @ ..] = &arguments[..] else { usage() };
    let (Ok(http), Ok(webrtc)) = (http.parse::<SocketAddr>(), webrtc.parse::<SocketAddr>()) else { usage() };
    let place = Place { http, webrtc, room: room.clone(), detail: more.iter().any(|word| word == "detail") };
    let mut hosts: HashMap<String, Host> = HashMap::new();
    for line in stdin().lock().lines().map_while(Result::ok) {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["join", name, colour, hertz] => {
                let hertz = hertz.parse().expect("a frequency in Hz");
                hosts.insert(name.to_owned(), Host::join(&place, name, colour, hertz));
            }
            ["leave", name] => drop(hosts.remove(name)),
            _ => panic!("no command: {line}"),
        }
    }
}

fn usage() -> ! {
    eprintln!("hosts HTTP WEBRTC ROOM [detail]");
    std::process::exit(2);
}
