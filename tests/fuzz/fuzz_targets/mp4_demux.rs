//! MP4: files of both kinds, the start of a recording, and the `moov` that finishes one.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media::mp4::demux::{Demuxer, Movie, box_head};
use media::mp4::recording::{Finisher, Layout};

/// Frames that are read: a small file may claim millions.
const MAX_FRAMES: usize = 10_000;

fuzz_target!(|data: &[u8]| {
    let _ = Layout::parse(data);
    let data = Bytes::copy_from_slice(data);
    if let Ok(mut demuxer) = Demuxer::new(data.clone()) {
        let frames = std::iter::from_fn(|| demuxer.next()).take(MAX_FRAMES);
        let bytes: usize = frames.flatten().map(|frame| frame.data.len()).sum();
        assert!(bytes <= data.len() * MAX_FRAMES);
    }
    // All boxes of the first level: the first `moov`, and the fragments after it.
    let (mut at, mut finisher) = (0usize, None);
    while let Some(Ok(Some(head))) = data.get(at..).map(box_head) {
        let end = head.size.map_or(data.len(), |size| at.saturating_add(size as usize)).min(data.len());
        let content = data.slice((at + usize::from(head.head)).min(end)..end);
        match &head.kind {
            b"moov" if finisher.is_none() => finisher = Finisher::new(&content).ok(),
            b"moof" => {
                if let Some(finisher) = &mut finisher {
                    let _ = finisher.fragment(&content, at as u64);
                }
            }
            _ => {}
        }
        at = end;
    }
    if let Some(finisher) = finisher {
        // What is written can be read.
        let moov = Bytes::from(finisher.moov());
        if let Ok(movie) = Movie::parse(&moov.slice(8..)) {
            movie
                .tracks
                .iter()
                .for_each(|track| assert!(track.samples().take(MAX_FRAMES).count() <= MAX_FRAMES));
        }
    }
});
