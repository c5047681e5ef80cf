//! Any datagrams: assigning them to a peer.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::edges::udp::demux(data));
