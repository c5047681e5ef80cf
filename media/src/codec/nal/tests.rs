use super::*;

#[test]
fn annex_b_splits_at_both_start_codes_and_drops_padding() {
    let data = [9, 0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 0, 1, 0, 0, 1, 0x65, 0, 0, 3, 1, 0, 0];
    let nals: Vec<_> = annex_b(&data).collect();
    assert_eq!(nals, [&[0x67, 1][..], &[0x68, 2], &[0x65, 0, 0, 3, 1]]);
    assert_eq!(annex_b(&[0, 0]).count(), 0);
}

#[test]
fn lengths_become_four_bytes_and_torn_units_are_cut() {
    let two = Bytes::from_static(&[0, 2, 0x65, 7, 0, 0, 0, 1, 0x41]);
    assert_eq!(normalise("h264", two, 2).unwrap()[..], [0, 0, 0, 2, 0x65, 7, 0, 0, 0, 1, 0x41]);
    let torn = Bytes::from_static(&[0, 0, 0, 2, 0x41, 1, 0, 0, 0, 9, 0x41]);
    assert_eq!(normalise("h264", torn.slice(..), 4).unwrap()[..], torn[..6]);
    assert!(normalise("h264", Bytes::from_static(&[0, 0, 9, 1]), 4).is_err());
    let empty = Bytes::from_static(&[0, 0, 0, 0, 0, 0, 0, 2, 0x41, 1, 0, 0, 0, 0]);
    assert_eq!(normalise("h264", empty, 4).unwrap()[..], [0, 0, 0, 2, 0x41, 1]);
    assert!(normalise("h264", Bytes::from_static(&[0; 8]), 4).is_err());
    let annex_b = Bytes::from_static(&[0, 0, 0, 1, 0x65, 7, 8, 9]);
    assert_eq!(normalise("h264", annex_b, 4).unwrap()[..], [0, 0, 0, 4, 0x65, 7, 8, 9]);
}

#[test]
fn length_prefixes_of_impossible_sizes_are_refused() {
    for data in [&[][..], &[0], &[0, 0, 0, 2, 0x65, 1], &[0, 0, 1, 0x65], &[0xff; 64]] {
        for size in [0, 5, 8, usize::MAX] {
            assert!(normalise("h264", Bytes::copy_from_slice(data), size).is_err(), "{size}: {data:?}");
        }
    }
}
