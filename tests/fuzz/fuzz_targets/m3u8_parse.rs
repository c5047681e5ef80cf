//! Playlists: a playlist that was read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::hls::playlist::{Playlist, parse, write};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(Playlist::Media(media)) = parse(text) {
        let Ok(Playlist::Media(again)) = parse(&write(&media)) else { panic!("{media:?}") };
        assert_eq!(again.segments.len(), media.segments.len());
        assert_eq!(again.sequence, media.sequence);
    }
});
