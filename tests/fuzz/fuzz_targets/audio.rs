//! AAC, Opus and G.711 decoders with any configuration and any packets. The first byte selects the codec and
//! the number of output channels, the second is the length of the configuration; then packets follow, each
//! after its length.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media::codec::{aac, opus};
use media::{Audio, Codec, Config, Format};

fuzz_target!(|data: &[u8]| {
    let [mode, length, rest @ ..] = data else { return };
    let (description, mut rest) = rest.split_at(usize::from(*length).min(rest.len()));
    let description = Bytes::copy_from_slice(description);
    let config = match mode & 3 {
        0 => aac::config_from_asc(description).ok(),
        1 => Some(opus::config_of_channels(1 + (mode >> 2 & 1))),
        2 => Some(Config { description, ..opus::config_of_channels(2) }),
        _ => Some(Config {
            codec: if mode & 4 == 0 { Codec::PcmAlaw } else { Codec::PcmMulaw },
            format: Format::Audio(Audio { sample_rate: 8000, channels: 1 + (mode >> 3 & 1) }),
            description,
        }),
    };
    let Some(config) = config else { return };
    let packets = std::iter::from_fn(|| {
        let [high, low, after @ ..] = rest else { return None };
        let length = usize::from(u16::from_be_bytes([high & 7, *low]));
        let (packet, after) = after.split_at(length.min(after.len()));
        rest = after;
        Some(packet)
    });
    fuzz::derive::transcode::decode(&config, 1 + usize::from(mode >> 7), packets.take(64));
});
