//! The first bytes of a connection: only a plain GET of an FLV stream bypasses the HTTP library.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::http::head(data));
