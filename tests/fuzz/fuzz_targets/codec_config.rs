//! Decoder descriptions: the first byte selects the codec.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media::Codec;

const CODECS: [Codec; 7] =
    [Codec::H264, Codec::H265, Codec::Av1, Codec::Vp8, Codec::Vp9, Codec::Aac, Codec::Opus];

fuzz_target!(|data: &[u8]| {
    let Some((&first, description)) = data.split_first() else { return };
    let codec = CODECS[usize::from(first) % CODECS.len()];
    if let Ok(config) = media::codec::config_of(codec, Bytes::copy_from_slice(description)) {
        assert_eq!(config.codec, codec);
        let _ = config.codec_string();
        let init = media::mp4::init_segment(&[(1, &config)]);
        assert!(init.is_ok() || codec == Codec::Opus, "{init:?}");
        // An accepted description is accepted again, with the same meaning.
        assert_eq!(media::codec::config_of(codec, config.description.clone()), Ok(config));
    }
});
