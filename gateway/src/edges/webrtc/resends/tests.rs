use super::*;

const SSRC: u32 = 0x0102_0304;
const SIZE: usize = 1000;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A NACK for `packet` and the following ones with a bit each.
fn nack(ssrc: u32, packet: u16, following: u16) -> Vec<u8> {
    let mut bytes = vec![0x81, 205, 0, 3, 9, 9, 9, 9];
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend(packet.to_be_bytes());
    bytes.extend(following.to_be_bytes());
    bytes
}

/// A receiver report.
fn report(loss: u8, newest: u16) -> Vec<u8> {
    let mut bytes = vec![0x81, 201, 0, 7, 9, 9, 9, 9];
    bytes.extend(SSRC.to_be_bytes());
    bytes.extend([loss, 0, 0, 0, 0, 0]);
    bytes.extend(newest.to_be_bytes());
    bytes.extend([0; 12]);
    bytes
}

fn read(resends: &mut Resends, mut bytes: Vec<u8>, now: Instant) -> Vec<u8> {
    let (head, rest) = bytes.split_first_chunk_mut::<8>().unwrap();
    resends.filter(*head, rest, now);
    bytes
}

/// The packets that are left of a request.
fn left(resends: &mut Resends, packet: u16, following: u16, now: Instant) -> (u16, u16) {
    let bytes = read(resends, nack(SSRC, packet, following), now);
    assert_eq!(bytes.len(), 16);
    (u16::from_be_bytes([bytes[12], bytes[13]]), u16::from_be_bytes([bytes[14], bytes[15]]))
}

/// `count` packets were sent, 5 ms apart, from sequence number `first` on.
fn sent(first: u16, count: u16, from: Instant) -> Resends {
    let mut resends = Resends::new(SSRC);
    (0..count).for_each(|at| resends.record_sent(first.wrapping_add(at), SIZE, from + ms(5) * at.into()));
    resends
}

#[test]
fn a_lost_packet_is_sent_again_once_in_a_round_trip() {
    let start = Instant::now();
    let mut resends = sent(65_500, 100, start);
    let now = start + ms(600);
    assert_eq!(left(&mut resends, 65_530, 0b1001, now), (65_530, 0b1001));
    // Two of these were resent a moment ago, so only the third is.
    assert_eq!(left(&mut resends, 65_530, 0b1011, now + ms(30)), (65_532, 0));
    assert_eq!(left(&mut resends, 65_530, 0b1001, now + ms(110)), (65_530, 0b1001));
    // Across the wrap-around of sequence numbers, and packets that were never sent.
    assert_eq!(left(&mut resends, 65_535, 1, now), (65_535, 1));
    let (none, others) = left(&mut resends, 70, 0xffff, now);
    assert!(resends.find(none).is_none() && others == 0);
    // A request for another stream stays as it is.
    assert_eq!(read(&mut resends, nack(7, 65_531, 3), now), nack(7, 65_531, 3));
}

#[test]
fn where_packets_are_reordered_a_first_request_is_not_answered() {
    let start = Instant::now();
    let mut resends = sent(0, 100, start);
    let mut now = start + ms(520);
    for packet in 50..70 {
        left(&mut resends, packet, 0, now);
    }
    read(&mut resends, report(0, 99), now);
    assert!(resends.reorders);
    // With a full budget all requests are answered.
    resends.budget = MAX_BURST / 3.0;
    (100..200).for_each(|packet| resends.record_sent(packet, SIZE, now));
    now += ms(20);
    let (none, _) = left(&mut resends, 150, 0, now);
    assert!(resends.find(none).is_none());
    assert_eq!(left(&mut resends, 150, 0, now + ms(30)), (150, 0), "requested again, so it is lost");
    assert_eq!(left(&mut resends, 151, 0, now + ms(300)), (151, 0), "too old to be only late");
    // As much loss as requests: the network does not reorder.
    read(&mut resends, report(40, 199), now);
    assert!(!resends.reorders && resends.is_lossy(now) && !resends.is_lossy(now + LOSSY_TIME));
}

#[test]
fn a_viewer_cannot_have_much_more_sent_again_than_it_loses() {
    for (loss, most) in [(0, 0.15), (13, 0.3), (255, 0.55)] {
        let mut now = Instant::now();
        let (mut resends, mut again) = (Resends::new(SSRC), 0);
        for packet in 0..20_000u16 {
            now += ms(5);
            resends.record_sent(packet, SIZE, now);
            if packet % 200 == 0 {
                read(&mut resends, report(loss, packet), now);
            }
            // The viewer requests every packet, all the time.
            for back in 0..4 {
                again += u32::from(left(&mut resends, packet.wrapping_sub(40 * back), 0, now).0 < 1 << 15);
            }
        }
        let part = f64::from(again) / 20_000.0;
        assert!(part <= most, "{loss}: {part}");
        assert!(resends.sent.len() == MAX_PACKETS);
    }
}

#[test]
fn damaged_feedback_is_left_alone() {
    let (start, mut resends) = (Instant::now(), sent(0, 100, Instant::now()));
    for length in 8..16 {
        let cut = nack(SSRC, 50, 0xffff)[..length].to_vec();
        assert_eq!(read(&mut resends, cut.clone(), start), cut);
    }
    let mut long = nack(SSRC, 50, 0);
    long[3] = 200;
    assert_eq!(read(&mut resends, long.clone(), start), long);
    // In one datagram with a report, as browsers send it.
    let both = [report(0, 99), nack(SSRC, 50, 1)].concat();
    assert_eq!(read(&mut resends, both.clone(), start + ms(600)), both);
    assert_eq!((resends.sent_count, resends.requested_count), (0, 2));
}
