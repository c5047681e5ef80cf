//! WebSocket data from a viewer, in chunks of any size (the first byte).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some((size, bytes)) = data.split_first() {
        fuzz::edges::flv::listen(bytes, usize::from(*size));
    }
});
