use proptest::prelude::*;

use super::*;
use crate::bits::BitWriter;
use crate::codec::samples::{H264_PPS, H264_SPS, H265_PPS, H265_SPS, H265_VPS};
use crate::time::MILLI;

const SEI: &[u8] = &[6, 5, 2, 7, 7, 0x80];
const DELIMITER: &[u8] = &[9, 0xf0];
const FILLER: &[u8] = &[12, 0xff, 0xff, 0x80];
const END: &[u8] = &[10];
const HEVC_SEI: &[u8] = &[0x4e, 1, 5, 2, 7, 7, 0x80];
const HEVC_SUFFIX: &[u8] = &[0x50, 1, 132, 2, 7, 7, 0x80];

fn progressive() -> Arc<Config> {
    Arc::new(h264::config_from_parameter_sets(&[H264_SPS], &[H264_PPS]).unwrap())
}

/// Main profile, 320x256, with frame_mbs_only_flag 0.
fn interlaced() -> Arc<Config> {
    let mut w = BitWriter::new();
    w.bits(0x674d_001e, 32);
    [0, 0, 2, 1].iter().for_each(|&v| w.ue(v)); // id, frame_num of 4 bits, order type, reference frames
    w.bits(0, 1);
    w.ue(19);
    w.ue(7);
    w.bits(0b00_1001, 6); // no frame_mbs_only, no mbaff, direct_8x8, no cropping, no VUI, stop bit
    let sps = w.into_bytes();
    assert!(!h264::Sps::parse(&sps).unwrap().frame_mbs_only);
    Arc::new(h264::config_from_parameter_sets(&[&sps], &[H264_PPS]).unwrap())
}

fn hevc() -> Arc<Config> {
    Arc::new(h265::config_from_parameter_sets(&[H265_VPS], &[H265_SPS], &[H265_PPS]).unwrap())
}

/// A slice of a frame that starts at macroblock `address`; `frame` is its number, `field` 0 none, 1 top, 2
/// bottom.
fn slice(config: &Config, idr: bool, address: u32, frame: u32, field: u32) -> Vec<u8> {
    let sps = h264::Sps::parse(h264::Avcc::parse(&config.description).unwrap().sps[0]).unwrap();
    let mut w = BitWriter::new();
    w.bits(if idr { 0x65 } else { 0x41 }, 8);
    [address, if idr { 7 } else { 5 }, 0].iter().for_each(|&v| w.ue(v));
    w.bits(frame, sps.frame_number_bits.into());
    if !sps.frame_mbs_only {
        w.bits([0, 0b10, 0b11][field as usize], if field > 0 { 2 } else { 1 });
    }
    w.bits(0xffff, 16);
    w.into_bytes()
}

fn p_slice(address: u32, frame: u32) -> Vec<u8> {
    slice(&progressive(), false, address, frame, 0)
}

fn join(nals: &[&[u8]]) -> Bytes {
    let mut out = Vec::new();
    nals.iter().for_each(|nal| push_length_prefixed(&mut out, nal));
    out.into()
}

struct Feed {
    config: Arc<Config>,
    units: Assembler,
    out: Vec<AccessUnit>,
}

impl Feed {
    fn new(config: Arc<Config>) -> Self {
        Self { config, units: Assembler::learning(), out: Vec::new() }
    }

    /// Creates a feed that has seen enough whole access units to expect them.
    fn taught(config: Arc<Config>) -> Self {
        let mut feed = Self::new(config);
        feed.units.habit = Habit::Whole;
        feed
    }

    fn push(&mut self, ms: i64, nals: &[&[u8]]) -> Result<()> {
        let (config, dts) = (self.config.clone(), ms * MILLI);
        let pushed =
            self.units.push(Piece { config, dts, pts: dts + MILLI, flagged: false, data: join(nals) });
        self.out.extend(std::iter::from_fn(|| self.units.next()));
        pushed
    }

    fn ok(&mut self, ms: i64, nals: &[&[u8]]) {
        self.push(ms, nals).expect("a good piece");
    }

    /// Returns the times in ms and the NAL units of all output.
    fn finish(mut self) -> Vec<(i64, Vec<Vec<u8>>)> {
        self.units.flush();
        self.out.extend(std::iter::from_fn(|| self.units.next()));
        let nals = |unit: &AccessUnit| length_prefixed(&unit.piece.data).map(<[u8]>::to_vec).collect();
        self.out.iter().map(|unit| (unit.piece.dts / MILLI, nals(unit))).collect()
    }
}

fn units(of: &[(i64, &[&[u8]])]) -> Vec<(i64, Vec<Vec<u8>>)> {
    of.iter().map(|(ms, nals)| (*ms, nals.iter().map(|nal| nal.to_vec()).collect())).collect()
}

#[test]
fn whole_pictures_wait_for_nothing_once_the_stream_has_shown_one() {
    let mut feed = Feed::new(progressive());
    for (n, waiting) in [(0, true), (1, false), (2, false), (3, false)] {
        feed.ok(n * 40, &[&p_slice(0, n as u32), &p_slice(99, n as u32)]);
        assert_eq!(feed.units.holds(), waiting, "picture {n}");
        assert_eq!(feed.out.len() as i64, if waiting { n } else { n + 1 });
    }
    // The output shares memory with the input.
    let data = join(&[&p_slice(0, 6)]);
    let piece = Piece { config: feed.config.clone(), dts: 240, pts: 240, flagged: true, data: data.clone() };
    feed.units.push(piece.clone()).unwrap();
    let unit = feed.units.next().unwrap();
    assert_eq!((&unit.piece, unit.piece.data.as_ptr()), (&piece, data.as_ptr()));
}

#[test]
fn slices_of_one_time_are_one_picture_from_the_first_on() {
    let mut feed = Feed::new(progressive());
    let slices: Vec<_> = (0..24).map(|n| p_slice(n % 4 * 900, n / 4)).collect();
    for (n, slice) in slices.iter().enumerate() {
        feed.ok(n as i64 / 4 * 40, &[slice]);
    }
    let got = feed.finish();
    let expect: Vec<_> = slices.chunks(4).enumerate().map(|(n, s)| (n as i64 * 40, s.to_vec())).collect();
    assert_eq!(got, expect);
}

#[test]
fn slices_that_are_stamped_as_they_are_sent_are_one_picture_too() {
    let mut feed = Feed::new(progressive());
    for n in 0..6 {
        for part in 0..3 {
            feed.ok(n * 40 + part * 7, &[&p_slice(part as u32 * 900, n as u32)]);
        }
    }
    let got = feed.finish();
    assert_eq!(
        got.iter().map(|(ms, nals)| (*ms, nals.len())).collect::<Vec<_>>(),
        [(0, 3), (40, 3), (80, 3), (120, 3), (160, 3), (200, 3)]
    );
}

#[test]
fn pictures_that_share_a_time_stay_apart() {
    // A clock that stands still, or has only seconds.
    let mut feed = Feed::new(progressive());
    (0..20).for_each(|n| feed.ok(0, &[&p_slice(0, n % 16), &p_slice(500, n % 16)]));
    assert_eq!(feed.finish().len(), 20);
    let mut feed = Feed::new(hevc());
    (0..20).for_each(|_| feed.ok(0, &[&[2, 1, 0xd0]]));
    assert_eq!(feed.finish().len(), 20);
}

#[test]
fn sei_and_delimiters_in_messages_of_their_own_reach_their_picture() {
    let (a, b, tail) = (&*p_slice(0, 1), &*p_slice(0, 2), &*p_slice(900, 2));
    // SEI before the picture causes no delay.
    let mut feed = Feed::taught(progressive());
    feed.ok(0, &[DELIMITER]);
    feed.ok(0, &[SEI]);
    feed.ok(0, &[a]);
    feed.ok(40, &[FILLER]);
    feed.ok(40, &[SEI, SEI]);
    feed.ok(40, &[DELIMITER, b]);
    assert_eq!((feed.out.len(), feed.units.holds()), (2, false));
    assert_eq!(feed.finish(), units(&[(0, &[SEI, a]), (40, &[DELIMITER, SEI, SEI, b])]));
    // SEI after the picture, with the same time.
    let mut feed = Feed::new(progressive());
    for (ms, nal) in [(0, a), (0, SEI), (40, b), (40, tail), (40, SEI), (80, a)] {
        feed.ok(ms, &[nal]);
    }
    assert_eq!(feed.finish(), units(&[(0, &[SEI, a]), (40, &[SEI, b, tail]), (80, &[a])]));
    // In the order of arrival, and after the delimiter.
    let other_sei = [SEI, &[1]].concat();
    let mut feed = Feed::new(progressive());
    feed.ok(0, &[DELIMITER, a]);
    feed.ok(0, &[SEI, &other_sei]);
    feed.ok(0, &[SEI]);
    assert_eq!(feed.finish(), units(&[(0, &[DELIMITER, SEI, &other_sei, SEI, a])]));
    // The stream starts to split access units: a late unit is kept for the next one.
    let mut feed = Feed::taught(progressive());
    for (ms, nal) in [(0, a), (0, SEI), (40, b), (40, SEI), (80, a)] {
        feed.ok(ms, &[nal]);
    }
    assert_eq!(feed.finish(), units(&[(0, &[a]), (40, &[SEI, SEI, b]), (80, &[a])]));
}

#[test]
fn h265_joins_by_its_own_flag() {
    let (a, a2, b, layer) = (&[2, 1, 0xd0][..], &[2, 1, 0x50][..], &[2, 1, 0xd1][..], &[2, 9, 0xd0][..]);
    let mut feed = Feed::new(hevc());
    for (ms, nal) in [
        (0, HEVC_SEI),
        (0, a),
        (0, a2),
        (0, HEVC_SUFFIX),
        (40, HEVC_SEI),
        (40, b),
        (43, a2),
        (80, a),
        (80, layer),
    ] {
        feed.ok(ms, &[nal]);
    }
    let expect = units(&[(0, &[HEVC_SEI, a, a2, HEVC_SUFFIX]), (40, &[HEVC_SEI, b, a2]), (80, &[a, layer])]);
    assert_eq!(feed.finish(), expect);
}

#[test]
fn two_fields_of_one_time_are_one_frame() {
    let config = interlaced();
    let top = |n| slice(&config, n == 0, 0, n, 1);
    let bottom = |n| slice(&config, false, 0, n, 2);
    let half = |n, field| slice(&config, false, 80, n, field);
    for mut feed in [Feed::new(config.clone()), Feed::taught(config.clone())] {
        for n in 0..6 {
            feed.ok(n * 40, &[&top(n as u32)]);
            feed.ok(n * 40, &[&bottom(n as u32)]);
        }
        assert!(feed.out.len() >= 5);
        assert!(feed.finish().iter().all(|(_, nals)| nals.len() == 2));
    }
    // Both fields in one message; fields of several slices; fields with their own times; frames.
    let mut feed = Feed::taught(config.clone());
    feed.ok(0, &[&top(0), &half(0, 1), &bottom(0), &half(0, 2)]);
    assert_eq!(feed.out.len(), 1, "nothing to wait for");
    for (ms, nal) in [(40, top(1)), (40, half(1, 1)), (40, bottom(1)), (40, half(1, 2))] {
        feed.ok(ms, &[&nal]);
    }
    feed.ok(80, &[&top(2)]);
    feed.ok(100, &[&bottom(2)]);
    feed.ok(120, &[&slice(&config, false, 0, 3, 0)]);
    let got: Vec<_> = feed.finish().iter().map(|(ms, nals)| (*ms, nals.len())).collect();
    assert_eq!(got, [(0, 4), (40, 4), (80, 1), (100, 1), (120, 1)]);
}

#[test]
fn the_ends_of_pictures_are_known_without_the_next_one() {
    let (a, b, tail) = (p_slice(0, 1), p_slice(0, 2), p_slice(900, 2));
    for last in [END, DELIMITER] {
        let mut feed = Feed::new(progressive());
        feed.units.habit = Habit::Split;
        feed.ok(0, &[&a]);
        feed.ok(40, &[&b]);
        feed.ok(40, &[&tail]);
        assert_eq!(feed.out.len(), 1);
        feed.ok(40, &[last]);
        assert_eq!((feed.out.len(), feed.units.holds()), (2, false));
    }
    // The caller removes parameter sets first, and reports them.
    let mut feed = Feed::new(progressive());
    feed.ok(0, &[&a]);
    feed.units.end();
    assert!(feed.units.next().is_some() && feed.units.next().is_none());
}

#[test]
fn a_slice_that_comes_too_late_is_an_error_and_a_lesson() {
    let mut feed = Feed::taught(progressive());
    feed.ok(0, &[&p_slice(0, 0)]);
    assert!(feed.push(0, &[&p_slice(900, 0)]).is_err());
    assert!(feed.push(3, &[&p_slice(1800, 0)]).is_err());
    for n in 1..4 {
        feed.ok(n * 40, &[&p_slice(0, n as u32)]);
        feed.ok(n * 40, &[&p_slice(900, n as u32)]);
    }
    assert_eq!(feed.finish().iter().map(|(_, nals)| nals.len()).collect::<Vec<_>>(), [1, 2, 2, 2]);
}

#[test]
fn after_a_loss_half_a_picture_is_none() {
    let mut feed = Feed::new(progressive());
    feed.ok(0, &[&p_slice(0, 0)]);
    feed.units.lost();
    feed.ok(0, &[&p_slice(900, 0)]);
    feed.ok(40, &[&p_slice(0, 1)]);
    assert_eq!(feed.finish(), [(40, vec![p_slice(0, 1)])]);
}

#[test]
fn recovery_points_in_messages_of_their_own_count() {
    let recovery: &[u8] = &[6, 6, 1, 0x80, 0x80];
    let mut feed = Feed::taught(progressive());
    feed.ok(0, &[recovery]);
    feed.ok(0, &[&p_slice(0, 0)]);
    feed.ok(40, &[&p_slice(0, 1)]);
    assert_eq!([feed.out[0].entry, feed.out[1].entry], [EntryPoint::Recovery, EntryPoint::None]);
}

#[test]
fn an_access_unit_has_bounds() {
    let too_large = |pushed: Result<()>| matches!(pushed.unwrap_err().kind, ErrorKind::TooLarge(_));
    // Too many bytes.
    let mut feed = Feed::new(progressive());
    feed.ok(0, &[&p_slice(0, 0)]);
    let large = [p_slice(1, 0), vec![1; MAX_BYTES / 2 - 64]].concat();
    feed.ok(0, &[&large]);
    feed.ok(0, &[&large]);
    assert!(too_large(feed.push(0, &[&large])));
    feed.ok(40, &[&p_slice(0, 1)]);
    let got = feed.finish();
    assert_eq!(got.iter().map(|(_, nals)| nals.len()).collect::<Vec<_>>(), [3, 1]);
    // Too many pieces.
    let mut feed = Feed::new(progressive());
    (0..MAX_PIECES as u32).for_each(|n| feed.ok(0, &[&p_slice(n, 0)]));
    assert!(too_large(feed.push(0, &[&p_slice(5000, 0)])));
    // SEI that arrives after a large picture waits until the end, so that the picture is not moved in memory.
    let mut feed = Feed::new(progressive());
    feed.ok(0, &[&[&*p_slice(0, 0), &[1; MAX_BYTES / 2]].concat()]);
    (1..MAX_PIECES).for_each(|_| feed.ok(0, &[SEI]));
    assert!(feed.units.picture.as_ref().is_some_and(|picture| picture.joined.is_empty()));
    assert!(too_large(feed.push(0, &[SEI])));
    assert_eq!(feed.finish()[0].1.len(), MAX_PIECES);
    // The waiting SEI counts towards the limit.
    let mut feed = Feed::new(progressive());
    feed.ok(0, &[&p_slice(0, 0)]);
    let large = [SEI, &[1; MAX_BYTES / 2 - 64]].concat();
    feed.ok(0, &[&large]);
    feed.ok(0, &[&large]);
    assert!(too_large(feed.push(0, &[&large])));
    // SEI without a picture.
    let mut feed = Feed::taught(progressive());
    let sei = [SEI, &[1; 1000]].concat();
    (0..MAX_WAITING_BYTES / 1010).for_each(|n| feed.ok(n as i64, &[&sei]));
    assert!(too_large(feed.push(9000, &[&sei])));
    assert!(feed.units.before.len() <= MAX_WAITING_BYTES);
}

proptest! {
    /// For any distribution of NAL units over messages, the access units are whole and in order, and a stream
    /// of whole access units has no delay.
    #[test]
    fn any_cut_gives_the_same_pictures(
        pictures in prop::collection::vec((1u32..5, any::<bool>(), any::<u8>()), 1..40),
        split in any::<bool>(),
    ) {
        let mut feed = Feed::new(progressive());
        let mut expect = Vec::new();
        for (n, (slices, sei, cuts)) in pictures.iter().enumerate() {
            let mut nals: Vec<Vec<u8>> = sei.then(|| SEI.to_vec()).into_iter().collect();
            nals.extend((0..*slices).map(|at| p_slice(at * 700, n as u32 % 16)));
            let mut message: Vec<&[u8]> = Vec::new();
            for (at, nal) in nals.iter().enumerate() {
                message.push(nal);
                if split && cuts >> at & 1 == 1 {
                    feed.ok(n as i64 * 40, &std::mem::take(&mut message));
                }
            }
            // Starting to split after the first pictures costs one access unit; other tests cover that.
            if split && n == 0 {
                feed.units.habit = Habit::Split;
            }
            if !message.is_empty() {
                feed.ok(n as i64 * 40, &message);
            }
            expect.push((n as i64 * 40, nals));
            prop_assert!(split || n == 0 || !feed.units.holds());
        }
        prop_assert_eq!(feed.finish(), expect);
    }

    #[test]
    fn noise_is_harmless(pieces in prop::collection::vec((0i64..4, prop::collection::vec(any::<u8>(), 0..40)), 0..60)) {
        for config in [progressive(), interlaced(), hevc()] {
            let mut feed = Feed::new(config);
            for (ms, bytes) in &pieces {
                let _ = feed.push(*ms, &[bytes]);
                prop_assert!(feed.units.ready.is_empty());
            }
            feed.finish();
        }
    }
}
