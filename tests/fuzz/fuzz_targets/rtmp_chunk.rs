//! Chunks: no panic, no more memory than received bytes, and the same messages for any chunks.
#![no_main]

use fuzz::rtmp::chunk::{ChunkError, ChunkReader, SLACK};
use fuzz::rtmp::message::Message;
use libfuzzer_sys::fuzz_target;

const MAX: usize = 64 << 10;

fn read(pieces: &mut dyn Iterator<Item = &[u8]>) -> (Vec<Message>, Option<ChunkError>) {
    let (mut reader, mut messages) = (ChunkReader::new(MAX), Vec::new());
    for mut piece in pieces {
        loop {
            match reader.read(&mut piece) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(why) => return (messages, Some(why)),
            }
            assert!(reader.unfinished() <= MAX + SLACK);
        }
        assert!(piece.is_empty());
    }
    (messages, None)
}

fuzz_target!(|data: &[u8]| {
    let Some((size, data)) = data.split_first() else { return };
    let whole = read(&mut std::iter::once(data));
    let cut = read(&mut data.chunks(usize::from(*size).max(1)));
    assert_eq!(whole.1, cut.1);
    assert!(whole.0 == cut.0);
});
