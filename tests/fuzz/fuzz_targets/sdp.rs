//! Any offer: an answer or a refusal, and then an ICE restart. A panic in str0m counts as a failure: the
//! gateway has to refuse such an offer first.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match mode % 3 {
        0 => fuzz::edges::webrtc::fragment(text),
        mode => fuzz::edges::webrtc::offer(text, mode == 1),
    }
});
