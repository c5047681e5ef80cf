//! Datagrams from anywhere: which peer they are for.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::edges::udp::demux(data));
