use std::sync::Arc;

use bytes::Bytes;
use media::{Audio, Config, Format};

use super::*;

fn config(codec: Codec, channels: u8) -> Arc<Config> {
    let format = Format::Audio(Audio { sample_rate: 8_000, channels });
    Arc::new(Config { codec, format, description: Bytes::new() })
}

/// Encodes and decodes a click at `at`. Returns the position of the loudest sample.
fn click(to: AudioTarget, channels: usize, at: usize) -> usize {
    let mut encoder = encoder(to, channels).unwrap();
    let mut decoder = decoder(&to.output(channels)).unwrap();
    let size = encoder.frame();
    let mut out = Pcm::new(0, channels);
    for start in (0..8 * size).step_by(size) {
        let plane: Vec<f32> = (start..start + size).map(|n| if n == at { 0.9 } else { 0.0 }).collect();
        let packet = encoder.encode(&vec![&plane[..]; channels]).unwrap();
        decoder.decode(&packet, &mut out).unwrap();
    }
    assert_eq!((out.rate, out.len()), (RATE, 8 * size));
    let loudest =
        |plane: &Vec<f32>| (0..plane.len()).max_by(|&a, &b| plane[a].abs().total_cmp(&plane[b].abs()));
    loudest(&out.planes[channels - 1]).unwrap()
}

#[test]
fn encoders_delay_as_they_say() {
    for to in AudioTarget::ALL {
        for channels in [1, 2] {
            let delay = encoder(to, channels).unwrap().delay();
            for at in [3000, 3500] {
                let found = click(to, channels, at);
                assert!(found.abs_diff(at + delay) <= 2, "{to:?} x {channels}: {at} came out at {found}");
            }
        }
    }
}

#[test]
fn the_configurations_are_those_of_the_encoders() {
    for channels in [1, 2] {
        let encoder = syom::Encoder::new(RATE, channels, &syom::EncodeOptions::raw()).unwrap();
        let config = AudioTarget::Aac.output(channels);
        assert_eq!(config.description, encoder.asc());
        assert_eq!(media::codec::config_of(Codec::Aac, config.description.clone()), Ok((*config).clone()));
    }
}

#[test]
fn g711_is_a_curve_of_two_signs() {
    let decode = |codec, codes: &[u8]| {
        let mut out = Pcm::new(0, 1);
        decoder(&config(codec, 1)).unwrap().decode(codes, &mut out).unwrap();
        assert_eq!(out.rate, 8_000);
        out.planes[0].iter().map(|s| (s * 32768.0) as i32).collect::<Vec<_>>()
    };
    // The loudest, the softest and one between, of each sign (ITU-T G.191's tables).
    assert_eq!(
        decode(Codec::PcmMulaw, &[0x80, 0x00, 0xff, 0x7f, 0xbc, 0x3c]),
        [32124, -32124, 0, 0, 2364, -2364]
    );
    assert_eq!(
        decode(Codec::PcmAlaw, &[0xaa, 0x2a, 0xd5, 0x55, 0xb4, 0x34]),
        [32256, -32256, 8, -8, 8960, -8960]
    );
    let mut out = Pcm::new(0, 2);
    decoder(&config(Codec::PcmMulaw, 2)).unwrap().decode(&[0x80, 0x00, 0x80], &mut out).unwrap();
    assert_eq!((out.planes[0].len(), out.planes[1].len()), (1, 1));
    assert!(out.planes[0][0] > 0.9 && out.planes[1][0] < -0.9);
}

#[test]
fn a_call_that_panics_is_told_apart() {
    assert_eq!(guarded(|| Ok(1)), Some(Ok(1)));
    assert_eq!(guarded(|| Err::<(), _>(Broken)), Some(Err(Broken)));
    assert_eq!(guarded(|| -> Result<(), Broken> { panic!("a test's panic") }), None);
}
