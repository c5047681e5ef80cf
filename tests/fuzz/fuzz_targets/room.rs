//! Messages of clients in any order, joins, leaves and streams, into the state of a room.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::rooms::happen(data));
