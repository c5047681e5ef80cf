//! Any datagrams to both sides of a DTLS handshake: no panic, no endless loop.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&size, rest)) = data.split_first() else { return };
    let (damage, foreign) = rest.split_at(usize::from(size).min(rest.len()));
    fuzz::edges::webrtc::dtls(damage, foreign);
});
