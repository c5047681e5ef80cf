//! H.264 and H.265 access units in every framing, and their parameter sets.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media::codec::{aac, h264, nal};

fuzz_target!(|data: &[u8]| {
    let Some((&first, data)) = data.split_first() else { return };
    let _ = h264::Sps::parse(data);
    let _ = aac::Adts::parse(data);
    let au = nal::annex_b_to_length_prefixed(data);
    assert_eq!(nal::annex_b(data).count(), nal::length_prefixed(&au).count());
    let size = usize::from(first) % 4 + 1;
    for au in [au, nal::normalise("h264", Bytes::copy_from_slice(data), size).unwrap_or_default()] {
        let _ = h264::entry_point(&au);
        if let Ok((config, rest)) = h264::take_parameter_sets(au.clone(), None) {
            assert!(rest.len() <= au.len());
            if let Some(config) = config {
                let again = h264::take_parameter_sets(au, Some(&config));
                assert!(again.is_ok());
            }
        }
    }
});
