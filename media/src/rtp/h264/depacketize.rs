// The inverse, for tests and the fuzzer. It is strict, because it reads only payloads that this crate has made.

/// The NAL units in these payloads (RFC 6184, packetization mode 1).
pub(crate) fn depacketize<P: AsRef<[u8]>>(payloads: &[P]) -> Vec<Vec<u8>> {
    let mut nals: Vec<Vec<u8>> = Vec::new();
    let mut open = false;
    for payload in payloads {
        let payload = payload.as_ref();
        let fragment = payload[0] & 0x1f == 28;
        assert!(fragment || !open, "a fragmented NAL unit has no end");
        match payload[0] & 0x1f {
            24 => {
                let mut rest = &payload[1..];
                let (mut forbidden, mut importance, mut count) = (0, 0, 0);
                while let Some((length, tail)) = rest.split_first_chunk() {
                    let (nal, tail) = tail.split_at(u16::from_be_bytes(*length).into());
                    forbidden |= nal[0] & 0x80;
                    importance = importance.max(nal[0] & 0x60);
                    nals.push(nal.to_vec());
                    (rest, count) = (tail, count + 1);
                }
                assert!(rest.is_empty() && count > 1);
                assert_eq!(payload[0], forbidden | importance | 24);
            }
            28 => {
                let (start, end) = (payload[1] & 0x80 != 0, payload[1] & 0x40 != 0);
                assert!(start != open && !(start && end) && payload[1] & 0x20 == 0);
                let header = payload[0] & 0xe0 | payload[1] & 0x1f;
                if start {
                    nals.push(vec![header]);
                }
                let nal = nals.last_mut().expect("begun");
                assert_eq!(nal[0], header);
                nal.extend_from_slice(&payload[2..]);
                open = !end;
            }
            1..=23 => nals.push(payload.to_vec()),
            other => panic!("payload type {other}"),
        }
    }
    assert!(!open, "the last NAL unit has no end");
    nals
}
