//! Damaged and hostile datagrams: no panic, no keys with a wrong peer, and every limit holds.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::super::bounds::{
    Bounds, DatagramDecision, MAX_FINISHED, MAX_FINISHED_RECORDS, MAX_FRAGMENTS, MAX_HANDSHAKE_BYTES,
    MAX_HANDSHAKE_DATAGRAMS, MAX_MESSAGE, MAX_REPEATED,
};
use super::pair::{certificate, run};

/// An unencrypted record with these handshake fragments (message length, number, offset, data).
fn record(fragments: &[(usize, u16, usize, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (message, sequence, offset, data) in fragments {
        let three = |number: usize| (number as u32).to_be_bytes()[1..].to_vec();
        body.extend([vec![1], three(*message), sequence.to_be_bytes().to_vec()].concat());
        body.extend([three(*offset), three(data.len()), data.to_vec()].concat());
    }
    framed(22, 0, &body)
}

fn framed(kind: u8, epoch: u16, body: &[u8]) -> Vec<u8> {
    let head = [&[kind, 0xfe, 0xfd][..], &epoch.to_be_bytes(), &[0; 6]].concat();
    [head, (body.len() as u16).to_be_bytes().to_vec(), body.to_vec()].concat()
}

#[test]
fn damaged_handshakes_end_or_go_on_but_never_panic() {
    let (ours, theirs) = (certificate(), certificate());
    let mut random = StdRng::seed_from_u64(7);
    let mut connected = 0;
    for _ in 0..400 {
        let sides = run([&theirs, &ours], 60, |_, mut datagram| {
            match random.random_range(0..12) {
                0 => {
                    let at = random.random_range(0..datagram.len());
                    datagram[at] ^= 1 << random.random_range(0..8);
                }
                1 => datagram.truncate(random.random_range(0..datagram.len())),
                2 => datagram.extend((0..random.random_range(1..60)).map(|_| random.random::<u8>())),
                _ => {}
            }
            vec![datagram]
        });
        connected += usize::from(sides.iter().all(|side| side.connected));
        if let [Some(a), Some(b)] = sides.map(|side| side.keys) {
            assert_eq!(a, b, "damage changed the keys on one side");
        }
    }
    assert!(connected > 20, "only {connected} of 400 came through, so that the ends were not tested");
}

#[test]
fn what_is_no_handshake_is_passed_over() {
    let mut bounds = Bounds::default();
    let hello = record(&[(4, 0, 0, &[1, 2, 3, 4])]);
    assert_eq!(bounds.check(&hello, false), DatagramDecision::Read);
    for (what, bytes) in [
        ("a cut record", hello[..hello.len() - 1].to_vec()),
        ("an empty record", framed(22, 0, &[])),
        ("an unknown type", framed(99, 0, &[1])),
        ("application data", framed(23, 0, &[1])),
        ("an alert of three bytes", framed(21, 0, &[1, 2, 3])),
        ("a large encrypted record", framed(22, 1, &[0; MAX_FINISHED + 1])),
        ("a part of a message before others", record(&[(4, 0, 0, &[1]), (4, 0, 1, &[2, 3, 4])])),
        ("heads in what the library skips to", record(&[(15, 0, 0, &[0; 3]), (40, 0, 0, &[0; 40])])),
        ("a later epoch", framed(22, 2, &[0; 30])),
        ("a message longer than any", record(&[(MAX_MESSAGE + 1, 0, 0, &[1])])),
        ("a fragment behind its message", record(&[(4, 0, 3, &[1, 2])])),
        ("an empty fragment of a message", record(&[(4, 0, 1, &[])])),
        ("the hundredth message", record(&[(1, 100, 0, &[1])])),
    ] {
        assert_eq!(bounds.check(&bytes, false), DatagramDecision::Ignore, "{what}");
    }
}

#[test]
fn a_handshake_has_bounds() {
    let ends = |datagram: &[u8]| {
        let mut bounds = Bounds::default();
        (1..).find(|_| matches!(bounds.check(datagram, false), DatagramDecision::End(_))).unwrap()
    };
    let byte = [1];
    assert_eq!(ends(&record(&[(4, 0, 0, &[1, 2, 3, 4])])), MAX_HANDSHAKE_DATAGRAMS + 1);
    let large = record(&[(1400, 0, 0, &[0; 1400])]);
    assert_eq!(ends(&large), MAX_HANDSHAKE_BYTES / large.len() + 1);
    // The recursion that joins fragments is as deep as their number.
    let many: Vec<_> = (0..40).map(|at| record(&[(1000, 0, at, &byte[..])])).collect();
    assert_eq!(ends(&many.concat()), MAX_FRAGMENTS / 40 + 1);
    let whole: Vec<_> = (0..40).map(|_| (1, 0, 0, &byte[..])).collect();
    assert_eq!(ends(&record(&whole)), MAX_FRAGMENTS / 40 + 1);
    // Encrypted records may contain fragments, too.
    let finished = framed(22, 1, &[0; MAX_FINISHED]);
    assert_eq!(ends(&finished), MAX_FINISHED_RECORDS + 1);
    assert_eq!(ends(&[finished.clone(), finished].concat()), MAX_FINISHED_RECORDS / 2 + 1);
}

#[test]
fn after_the_handshake_repetitions_are_counted_and_data_is_passed_over() {
    let mut bounds = Bounds::default();
    assert_eq!(bounds.check(&framed(23, 1, &[0; 40]), true), DatagramDecision::Ignore);
    let finished = framed(22, 1, &[0; 40]);
    let read = (0..100).filter(|_| bounds.check(&finished, true) == DatagramDecision::Read).count();
    assert_eq!(read, MAX_REPEATED);
    // Many records in one datagram count as many.
    let mut bounds = Bounds::default();
    let many = |one: &[u8]| std::iter::repeat_n(one, 10).flatten().copied().collect::<Vec<_>>();
    let read = (0..100).filter(|_| bounds.check(&many(&finished), true) == DatagramDecision::Read).count();
    assert_eq!(read, 2 * MAX_FINISHED_RECORDS / 10);
    let plain = many(&record(&[(4, 0, 0, &[1, 2, 3, 4]), (8, 1, 0, &[1])]));
    let mut bounds = Bounds::default();
    let read = (0..100).filter(|_| bounds.check(&plain, true) == DatagramDecision::Read).count();
    assert_eq!(read, 2 * MAX_FRAGMENTS / 20);
    // `ChangeCipherSpec` would begin another epoch.
    assert_eq!(bounds.check(&framed(20, 1, &[0; 25]), true), DatagramDecision::Ignore);
    assert_eq!(bounds.check(&framed(22, 2, &[0; 40]), true), DatagramDecision::Ignore);
    assert_eq!(
        bounds.check(&framed(21, 1, &[0; 26]), true),
        DatagramDecision::Read,
        "it may still say goodbye"
    );
}
