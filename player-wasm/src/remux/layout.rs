//! Replaces the program config element of AAC, which browsers do not support, by a channel configuration with
//! the same meaning, if there is one.
//!
//! A decoder derives the channels of a configuration from the order of the elements. Another order has no
//! configuration, even for common channels: FFmpeg's 5.1(side), for example, is a pair, two single channels
//! and a pair.

use media::Config;
use media::bits::BitReader;
use media::codec::aac::{self, Adts, AudioSpecificConfig};

/// Returns the same audio with a channel configuration; `None` if it has one already or there is no
/// equivalent.
pub(super) fn standard(config: &Config) -> Option<Config> {
    let asc = AudioSpecificConfig::parse(&config.description).ok()?;
    if asc.channel_config != 0 || asc.sbr || asc.core_samples != 1024 {
        return None;
    }
    // Five bits of object type, four of rate, four of channels, three flags: ADTS has only such rates.
    let mut adts = Adts::of(config).ok()?;
    let mut bits = BitReader::new("aac", config.description.get(2..)?);
    // Instance tag, object type, rate.
    bits.skip(4 + 2 + 4).ok()?;
    let mut number = |count| bits.bits(count).ok();
    let [front, side, back, lfe] = [number(4)?, number(4)?, number(4)?, number(2)?];
    let (_, coupling) = (number(3)?, number(4)?);
    for skipped in [4, 4, 3] {
        if number(1)? == 1 {
            number(skipped)?;
        }
    }
    // Channel pairs and single channels, in the order of the audio's own elements.
    let mut elements = Vec::new();
    for _ in 0..front + side + back {
        elements.push(number(1)? == 1);
        number(4)?;
    }
    const ONE: bool = false;
    const PAIR: bool = true;
    adts.channel_config = match (&*elements, lfe, front, coupling) {
        ([ONE], 0, 1, 0) => 1,
        ([PAIR], 0, 1, 0) => 2,
        ([ONE, PAIR], 0, 2, 0) => 3,
        ([ONE, PAIR, ONE], 0, 2, 0) => 4,
        ([ONE, PAIR, PAIR], 0, 2, 0) => 5,
        ([ONE, PAIR, PAIR], 1, 2, 0) => 6,
        ([ONE, PAIR, PAIR, PAIR], 1, 3, 0) => 7,
        _ => return None,
    };
    aac::config_from_asc(adts.asc().to_vec().into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An AudioSpecificConfig of AAC-LC at 48 kHz with a program config element.
    fn config(front: &[u8], side: &[u8], back: &[u8], lfe: usize) -> Config {
        let mut bits = String::from("00010" /* LC */) + "0011" + "0000" + "000";
        bits += "0000"; // instance tag
        bits += "01";
        bits += "0011";
        bits += &format!("{:04b}{:04b}{:04b}{lfe:02b}0000000000", front.len(), side.len(), back.len());
        for (tag, pair) in front.iter().chain(side).chain(back).enumerate() {
            bits += &format!("{pair}{tag:04b}");
        }
        bits += &"0000".repeat(lfe);
        while !bits.len().is_multiple_of(8) {
            bits.push('0');
        }
        bits += "00000000";
        let bytes: Vec<u8> = bits
            .as_bytes()
            .chunks(8)
            .map(|b| u8::from_str_radix(std::str::from_utf8(b).unwrap(), 2).unwrap())
            .collect();
        aac::config_from_asc(bytes.into()).unwrap()
    }

    #[test]
    fn standard_layouts_get_their_channel_configuration() {
        for (front, side, back, lfe, expected) in [
            (&[0][..], &[][..], &[][..], 0, Some(1)),
            (&[1], &[], &[], 0, Some(2)),
            (&[0, 1], &[], &[], 0, Some(3)),
            (&[0, 1], &[], &[0], 0, Some(4)),
            (&[0, 1], &[1], &[], 0, Some(5)),
            (&[0, 1], &[1], &[], 1, Some(6)),
            (&[0, 1], &[], &[1], 1, Some(6)),
            (&[0, 1, 1], &[], &[1], 1, Some(7)),
            // Two front and two back channels: quadraphonic audio has no channel configuration.
            (&[1], &[], &[1], 0, None),
            (&[0, 1], &[1], &[1], 1, None),
            (&[0, 1], &[1], &[], 2, None),
            // FFmpeg's 5.0(side), 5.1(side), 6.0, 2.1 and 3.1.
            (&[1, 0], &[1], &[], 0, None),
            (&[1, 0], &[0], &[1], 0, None),
            (&[1, 0], &[1], &[0], 0, None),
            (&[1], &[], &[], 1, None),
            (&[1, 0], &[], &[], 1, None),
        ] {
            let config = config(front, side, back, lfe);
            let found = standard(&config).map(|new| {
                let asc = AudioSpecificConfig::parse(&new.description).unwrap();
                assert_eq!(new.audio(), config.audio());
                asc.channel_config
            });
            assert_eq!(found, expected, "{front:?} {side:?} {back:?} {lfe}");
        }
    }

    #[test]
    fn what_has_a_configuration_or_is_cut_off_stays_as_it_is() {
        let usual = aac::config_from_asc(vec![0x11, 0x90].into()).unwrap();
        assert_eq!(standard(&usual), None);
        let mut cut = config(&[0, 1], &[1], &[], 1);
        cut.description = cut.description.slice(..6);
        assert_eq!(standard(&cut), None);
    }
}
