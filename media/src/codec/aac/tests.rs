use super::*;
use crate::codec::samples::hex;

#[test]
fn low_complexity_stereo() {
    let config = config_from_asc(Bytes::from_static(&[0x12, 0x10])).unwrap();
    assert_eq!(config.audio(), Some(Audio { sample_rate: 44_100, channels: 2 }));
    let header = Adts::of(&config).unwrap();
    let bytes = header.write(300);
    let read = Adts::parse(&bytes).unwrap();
    assert_eq!(read, Adts { frame_size: 307, ..header });
    assert_eq!(read.config(&[0x21], None), Ok((config, 0)));
    assert_eq!(read.sample_rate(), 44_100);
}

#[test]
fn signalled_sbr_doubles_the_rate_and_ps_the_channels() {
    // Hierarchical: AOT 29, 22.05 kHz core, mono, 44.1 kHz, AOT 2.
    let asc = AudioSpecificConfig::parse(&[0xeb, 0x8a, 0x08, 0x00]).unwrap();
    assert_eq!((asc.object_type, asc.core_rate, asc.sample_rate, asc.channels), (2, 22_050, 44_100, 2));
    assert_eq!((asc.rfc6381_type(), asc.samples()), (29, 2048));
    // Backward compatible: AOT 2, 24 kHz, stereo, then the sync extension with 48 kHz.
    let asc = AudioSpecificConfig::parse(&[0x13, 0x10, 0x56, 0xe5, 0x98]).unwrap();
    assert_eq!((asc.core_rate, asc.sample_rate, asc.channels, asc.rfc6381_type()), (24_000, 48_000, 2, 5));
}

#[test]
fn nonsense_is_refused() {
    assert!(AudioSpecificConfig::parse(&[]).is_err());
    assert!(AudioSpecificConfig::parse(&[0x16, 0x90]).is_err());
    assert!(Adts::parse(&[0xff, 0xf1, 0x50, 0x80, 0, 0x1f, 0xfc]).is_err());
}

/// FFmpeg's configuration of 5.1(side) at 48 kHz.
const SURROUND: &str = "118004c844002000c40d4c61766335392e33372e31303056e500";

#[test]
fn a_program_config_element_goes_from_asc_to_adts_and_back() {
    let config = config_from_asc(hex(SURROUND).into()).unwrap();
    assert_eq!(config.audio(), Some(Audio { sample_rate: 48_000, channels: 6 }));
    let element = program_element(&config.description).unwrap();
    let raw = [0x01, 0x40, 0x20, 0x07];
    let header = Adts::of(&config).unwrap();
    assert_eq!(header.channel_config, 0);
    let payload = [&element[..], &raw].concat();
    let (read, taken) = header.config(&payload, None).unwrap();
    assert_eq!((taken, read.audio()), (element.len(), config.audio()));
    assert_eq!(program_element(&read.description), Some(element.clone()));
    // The previous, more detailed configuration is kept. Without the element the channels are not known.
    assert_eq!(header.config(&payload, Some(&config)), Ok((config.clone(), element.len())));
    assert_eq!(header.config(&raw, Some(&config)), Ok((config.clone(), 0)));
    assert!(header.config(&raw, None).is_err());
    assert!(header.config(&element[..9], None).is_err());
    assert_eq!(program_element(&[0x12, 0x10]), None);
}

fn adts(asc: &[u8], frames: &[&[u8]]) -> Bytes {
    let header = Adts::of(&config_from_asc(Bytes::copy_from_slice(asc)).unwrap()).unwrap();
    frames.iter().flat_map(|frame| [&header.write(frame.len())[..], frame].concat()).collect()
}

#[test]
fn adts_in_the_place_of_raw_aac_is_taken_off() {
    let (stereo, mono): (&[u8], &[u8]) = (&[0x12, 0x10], &[0x11, 0x88]);
    let read = |data: &Bytes, asc: Option<&[u8]>| {
        let current = asc.map(|asc| config_from_asc(Bytes::copy_from_slice(asc)).unwrap());
        units(data, current.as_ref())
    };
    let raw = Bytes::from_static(&[0x21, 0x10, 4]);
    assert_eq!(read(&raw, Some(stereo)), Ok(None));
    assert_eq!(read(&Bytes::from_static(&[0xe0]), None), Ok(None));
    let two = read(&adts(mono, &[&raw, &[1, 2]]), Some(stereo)).unwrap().unwrap();
    assert_eq!(two.iter().map(|unit| &unit.data[..]).collect::<Vec<_>>(), [&raw[..], &[1, 2]]);
    assert!(two.iter().all(|unit| unit.config.description[..] == *mono));
    // HE-AAC can only be recognised by the sequence header.
    let he: &[u8] = &[0x13, 0x10, 0x56, 0xe5, 0x98];
    let kept = read(&adts(&[0x13, 0x10], &[&raw]), Some(he)).unwrap().unwrap();
    assert_eq!(kept[0].config.description[..], *he);
    // A header with a checksum.
    let mut long = adts(stereo, &[&[9, 9, 1, 2]]).to_vec();
    long[1] &= !1;
    assert_eq!(read(&long.into(), None).unwrap().unwrap()[0].data[..], [1, 2]);
}

#[test]
fn what_is_no_aac_is_told() {
    let whole = adts(&[0x12, 0x10], &[&[1; 20]]);
    assert!(units(&whole.slice(..20), None).is_err());
    assert!(units(&Bytes::from_static(&[0xff, 0xf1, 0xff, 0xff, 0xff, 0xff, 0xff]), None).is_err());
    let latm = [&[0x56, 0xe0, 5][..], &[0x20, 0, 0x11, 0x90, 7]].concat();
    let error = units(&latm.clone().into(), None).unwrap_err();
    assert_eq!(error.kind, crate::ErrorKind::Unsupported(Some(crate::Track::Audio), "audio in LATM"));
    assert_eq!(units(&latm[..7].to_vec().into(), None), Ok(None));
}

#[test]
fn a_message_has_so_many_adts_frames_at_most() {
    let config = config_from_asc(Bytes::from_static(&[0x12, 0x10])).unwrap();
    let frame = [&Adts::of(&config).unwrap().write(1)[..], &[0x21]].concat();
    let read = |count| units(&frame.repeat(count).into(), None);
    assert_eq!(read(MAX_UNITS).unwrap().unwrap().len(), MAX_UNITS);
    assert!(matches!(read(MAX_UNITS + 1).unwrap_err().kind, crate::error::ErrorKind::TooLarge(_)));
}
