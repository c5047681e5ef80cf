use proptest::prelude::*;
use rml_rtmp::chunk_io::ChunkSerializer;
use rml_rtmp::messages::MessagePayload;
use rml_rtmp::time::RtmpTimestamp;

use super::*;

const MAX: usize = 1 << 20;

fn reader() -> ChunkReader {
    ChunkReader::new(MAX)
}

fn read_all(reader: &mut ChunkReader, mut input: &[u8]) -> Vec<Message> {
    let messages: Vec<_> = std::iter::from_fn(|| reader.read(&mut input).unwrap()).collect();
    assert!(input.is_empty());
    messages
}

/// A chunk with a full header.
fn full(id: u8, time: u32, length: usize, kind: u8, payload: &[u8]) -> Vec<u8> {
    let field = time.min(EXTENDED);
    let mut out = vec![id];
    out.extend(&field.to_be_bytes()[1..]);
    out.extend(&(length as u32).to_be_bytes()[1..]);
    out.push(kind);
    out.extend(1u32.to_le_bytes());
    if field == EXTENDED {
        out.extend(time.to_be_bytes());
    }
    out.extend(payload);
    out
}

fn more(id: u8, payload: &[u8]) -> Vec<u8> {
    [&[0xc0 | id], payload].concat()
}

fn bytes(count: usize, seed: u8) -> Vec<u8> {
    (0..count).map(|at| seed.wrapping_add(at as u8)).collect()
}

#[test]
fn interleaved_messages_come_out_whole_wherever_the_bytes_are_cut() {
    let (video, audio) = (bytes(300, 1), bytes(200, 100));
    let wire = [
        full(4, 40, 300, kind::VIDEO, &video[..128]),
        full(5, 41, 200, kind::AUDIO, &audio[..128]),
        more(4, &video[128..256]),
        more(5, &audio[128..]),
        more(4, &video[256..]),
    ]
    .concat();
    for cut in 0..=wire.len() {
        let mut reader = reader();
        let mut messages = read_all(&mut reader, &wire[..cut]);
        messages.extend(read_all(&mut reader, &wire[cut..]));
        let got: Vec<_> = messages.iter().map(|m| (m.kind, m.timestamp, &m.payload[..])).collect();
        assert_eq!(got, [(kind::AUDIO, 41, &audio[..]), (kind::VIDEO, 40, &video[..])]);
        assert_eq!(reader.unfinished(), 0);
    }
}

#[test]
fn headers_inherit_what_they_leave_out() {
    let mut wire = full(4, 1000, 2, kind::VIDEO, b"aa");
    wire.extend([0x44, 0, 0, 40, 0, 0, 3, kind::AUDIO]); // type 1: another length and kind
    wire.extend(b"bbb");
    wire.extend([0x84, 0, 0, 20]); // type 2: another delta
    wire.extend(b"ccc");
    wire.extend(more(4, b"ddd")); // type 3: all the same
    wire.extend(full(0, 5, 1, kind::VIDEO, b"")); // id 64 + 7 in two bytes
    let at = wire.len() - 11;
    wire.insert(at, 7);
    wire.push(b'e');
    let got: Vec<_> = read_all(&mut reader(), &wire).iter().map(|m| (m.timestamp, m.payload.len())).collect();
    assert_eq!(got, [(1000, 2), (1040, 3), (1060, 3), (1080, 3), (5, 1)]);
}

#[test]
fn extended_timestamps_in_continuing_chunks_are_read_repeated_or_not() {
    let (time, data) = (0x0123_4567u32, bytes(300, 7));
    let stamp = time.to_be_bytes();
    let repeated = [
        full(4, time, 300, kind::VIDEO, &data[..128]),
        more(4, &[&stamp, &data[128..256]].concat()),
        more(4, &[&stamp, &data[256..]].concat()),
    ];
    let left_out =
        [full(4, time, 300, kind::VIDEO, &data[..128]), more(4, &data[128..256]), more(4, &data[256..])];
    for wire in [repeated.concat(), left_out.concat()] {
        // Twice: the knowledge about the sender is kept.
        let messages = read_all(&mut reader(), &wire.repeat(2));
        assert_eq!(messages.len(), 2);
        assert!(messages.iter().all(|m| m.timestamp == time && m.payload == data));
    }
}

#[test]
fn set_chunk_size_and_abort_take_effect() {
    let mut wire = full(2, 0, 4, kind::SET_CHUNK_SIZE, &200u32.to_be_bytes());
    wire.extend(full(4, 0, 300, kind::VIDEO, &bytes(200, 0)));
    wire.extend(full(2, 0, 4, kind::ABORT, &4u32.to_be_bytes()));
    wire.extend(more(4, &bytes(200, 1)));
    wire.extend(more(4, &bytes(100, 201)));
    let messages = read_all(&mut reader(), &wire);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].payload, bytes(300, 1));
    let zero = full(2, 0, 4, kind::SET_CHUNK_SIZE, &[0; 4]);
    assert_eq!(reader().read(&mut &zero[..]), Err(ChunkError::ChunkSize));
}

#[test]
fn what_is_claimed_or_left_unfinished_costs_no_memory() {
    let large = full(4, 0, 0xff_ffff, kind::VIDEO, b"");
    assert_eq!(reader().read(&mut &large[..]), Err(ChunkError::TooLong(0xff_ffff)));
    // Any chunk size is allowed: no memory is reserved for it.
    let size = full(2, 0, 4, kind::SET_CHUNK_SIZE, &(1u32 << 30).to_be_bytes());
    let mut greedy = reader();
    read_all(&mut greedy, &[size, full(4, 0, MAX, kind::VIDEO, b"x")].concat());
    assert!(greedy.streams[1].payload.capacity() <= GROW);
    // Many large unfinished messages.
    let mut many = reader();
    let refused = (0..).find_map(|at| {
        let id = 3 + (at % 40) as u8;
        let first = full(id, 0, MAX, kind::VIDEO, &[0; 128]);
        let chunk = if at < 40 { first } else { more(id, &[0; 128]) };
        let refused = many.read(&mut &chunk[..]).err();
        assert!(many.unfinished() <= MAX + SLACK);
        refused
    });
    assert_eq!(refused, Some(ChunkError::TooMuchUnfinished));
    let mut wide = reader();
    let open = |n: u32| [&[1, n as u8, (n >> 8) as u8][..], &full(0, 0, 1, kind::VIDEO, b"")[1..]].concat();
    let refused = (0..1000).find_map(|n| wide.read(&mut &[&open(n)[..], b"x"].concat()[..]).err());
    assert_eq!(refused, Some(ChunkError::TooManyStreams));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_another_writer_writes_is_read(
        messages in prop::collection::vec(
            (prop::sample::select(vec![8u8, 9, 18, 20, 3]), any::<u32>(), 1usize..20_000, 0u8..4),
            1..20,
        ),
        cuts in prop::collection::vec(1usize..5_000, 1..20),
    ) {
        let mut writer = ChunkSerializer::new();
        let (mut wire, mut expect) = (Vec::new(), Vec::new());
        for (at, (kind, time, size, mode)) in messages.into_iter().enumerate() {
            if mode == 3 {
                let size = 128 + 1000 * at as u32;
                wire.extend(writer.set_max_chunk_size(size, RtmpTimestamp::new(0)).unwrap().bytes);
            }
            let data = Bytes::from(bytes(size, at as u8));
            let timestamp = RtmpTimestamp::new(time);
            let payload = MessagePayload { timestamp, type_id: kind, message_stream_id: 1, data: data.clone() };
            wire.extend(writer.serialize(&payload, false, mode == 0).unwrap().bytes);
            expect.push(Message { timestamp: time, kind, stream: 1, payload: data });
        }
        let (mut reader, mut rest, mut got) = (reader(), &wire[..], Vec::new());
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            got.extend(read_all(&mut reader, now));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(got, expect);
    }

    #[test]
    fn garbage_is_an_error_or_messages_but_never_a_panic(input in prop::collection::vec(any::<u8>(), 0..4_000)) {
        let (mut reader, mut rest) = (reader(), &input[..]);
        while let Ok(Some(message)) = reader.read(&mut rest) {
            prop_assert!(message.payload.len() <= input.len());
        }
        prop_assert!(reader.unfinished() <= input.len());
    }
}
