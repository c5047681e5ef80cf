//! The FLV demuxer: the same events for any chunks.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media::Result;
use media::flv::{Demuxer, Event};

fn events(data: &[u8], piece: usize) -> Vec<Result<Event>> {
    let mut demuxer = Demuxer::new();
    let mut events = Vec::new();
    for piece in data.chunks(piece) {
        demuxer.push(Bytes::copy_from_slice(piece));
        events.extend(std::iter::from_fn(|| demuxer.next()));
    }
    events
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, stream)) = data.split_first() else { return };
    let whole = events(stream, stream.len().max(1));
    let pieces = events(stream, usize::from(first) + 1);
    // Compared as text: a frame rate may be NaN.
    assert_eq!(format!("{whole:?}"), format!("{pieces:?}"));
});
