use bytes::Bytes;
use media::codec::h264;
use media::flv::mux;

use super::hostile::{DATA, FRAMES, HEADERS};
use super::*;

/// From x264, baseline, 640x360.
const SPS: &[u8] = &[
    0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x2f, 0xf9, 0x70, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00,
    0x00, 0x03, 0x00, 0x3c, 0x0f, 0x16, 0x2e, 0x48,
];
const PPS: &[u8] = &[0x68, 0xcb, 0x83, 0xcb, 0x20];

const IDR: &[u8] = DATA[0];

fn video(ingest: &mut Ingest, body: &[u8]) -> Result<Option<Input>> {
    let read = ingest.read(Event::Video(40, Bytes::copy_from_slice(body)));
    ingest.flush();
    let input = ingest.next();
    assert!(ingest.next().is_none());
    read.map(|()| input)
}

/// Returns classic and enhanced bodies of every codec with this data.
fn bodies(data: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    FRAMES.into_iter().map(|head| [head, data].concat())
}

#[test]
fn frames_before_any_header_are_errors_and_nothing_more() {
    // The last one contains AV1's sequence header.
    for data in &DATA[..DATA.len() - 1] {
        let mut ingest = Ingest::new();
        for body in bodies(data) {
            let read = video(&mut ingest, &body);
            assert!(!matches!(read, Ok(Some(_))), "{body:02x?}: {read:?}");
        }
        assert_eq!(ingest.frames(), 0);
    }
}

#[test]
fn frames_behind_a_header_that_cannot_be_read_are_errors_and_nothing_more() {
    for header in HEADERS {
        let mut ingest = Ingest::new();
        let _ = video(&mut ingest, header);
        for body in bodies(IDR) {
            let read = video(&mut ingest, &body);
            assert!(!matches!(read, Ok(Some(_))), "{header:02x?}, {body:02x?}: {read:?}");
        }
        assert!(ingest.bad() > 0, "{header:02x?}");
    }
}

#[test]
fn parameter_sets_in_band_are_enough_without_a_header() {
    let mut ingest = Ingest::default();
    let mut body = b"\x17\x01\0\0\0".to_vec();
    for nal in [SPS, PPS, &IDR[4..]] {
        body.extend_from_slice(&(nal.len() as u32).to_be_bytes());
        body.extend_from_slice(nal);
    }
    let Ok(Some(Input::Frame(frame))) = video(&mut ingest, &body) else { panic!("no frame") };
    assert!(frame.key && frame.data == IDR);
    assert_eq!(frame.config.video().map(|video| (video.width, video.height)), Some((640, 360)));
}

#[test]
fn a_header_that_comes_late_or_again_changes_nothing_for_the_worse() {
    let mut ingest = Ingest::new();
    let picture = [b"\x17\x01\0\0\0", IDR].concat();
    assert!(video(&mut ingest, &picture).is_err());
    assert!(video(&mut ingest, b"\x17\0\0\0\0\x01").is_err());
    let config = h264::config_from_parameter_sets(&[SPS], &[PPS]).expect("a configuration");
    let header = mux::config_body(&config);
    assert!(matches!(video(&mut ingest, &header), Ok(None)));
    assert!(matches!(video(&mut ingest, &picture), Ok(Some(Input::Frame(_)))));
    assert!(video(&mut ingest, b"\x17\0\0\0\0\x01").is_err());
    assert!(matches!(video(&mut ingest, &picture), Ok(Some(Input::Frame(_)))));
    assert_eq!((ingest.frames(), ingest.bad()), (2, 3));
}
