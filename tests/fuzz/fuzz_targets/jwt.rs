//! Key sets, tokens, and claims signed by a trusted key.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else { return };
    match (mode % 3, std::str::from_utf8(rest)) {
        (0, _) => fuzz::core::auth::set(rest),
        (1, Ok(text)) => fuzz::core::auth::token(text),
        (_, Ok(text)) => fuzz::core::auth::claims(text, 1_800_000_000),
        (_, Err(_)) => {}
    }
});
