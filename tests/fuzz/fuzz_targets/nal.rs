//! H.264, H.265 and AV1 access units in every framing, their parameter sets, and audio headers.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media::codec::{aac, av1, h264, h265, mp3, nal, opus, vpx};
use media::{Codec, Config, Result};

type Take = fn(Bytes, Option<&Config>) -> Result<(Option<Config>, Bytes)>;

fuzz_target!(|data: &[u8]| {
    let Some((&first, data)) = data.split_first() else { return };
    let _ = (h264::Sps::parse(data), h265::Sps::parse(data), av1::SequenceHeader::parse(data));
    let _ = (aac::Adts::parse(data), mp3::Header::parse(data), opus::samples(data));
    let _ = (vpx::size(Codec::Vp8, data), vpx::size(Codec::Vp9, data));
    let unit = Bytes::copy_from_slice(data);
    let _ = av1::without_delimiter(unit.clone());
    if let Ok(Some(config)) = av1::config_in_band(data, None) {
        assert_eq!(av1::config_in_band(data, Some(&config)), Ok(None));
    }

    let au = nal::annex_b_to_length_prefixed(data);
    assert_eq!(nal::annex_b(data).count(), nal::length_prefixed(&au).count());
    let size = usize::from(first) % 4 + 1;
    for au in [au, nal::normalise("h264", unit, size).unwrap_or_default()] {
        let _ = (h264::entry_point(&au), h265::entry_point(&au));
        for take in [h264::take_parameter_sets as Take, h265::take_parameter_sets] {
            if let Ok((config, rest)) = take(au.clone(), None) {
                assert!(rest.len() <= au.len());
                assert!(config.is_none_or(|config| take(au.clone(), Some(&config)).is_ok()));
            }
        }
    }
});
