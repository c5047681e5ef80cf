use proptest::prelude::*;

use super::*;
use crate::time::MILLI;

fn media(text: &str) -> Media {
    match parse(text).expect("a playlist") {
        Playlist::Media(media) => media,
        Playlist::Master(_) => panic!("a master playlist"),
    }
}

#[test]
fn what_is_written_is_what_the_rfc_shows() {
    let segment = |uri: &str, duration, discontinuity| MediaSegment {
        uri: uri.into(),
        duration,
        discontinuity,
        date: Some(1_795_559_401_250_000),
        ..MediaSegment::default()
    };
    let list = Media {
        target: 2_000_000,
        sequence: 2680,
        discontinuity_sequence: 3,
        independent: true,
        segments: vec![segment("a.ts", 2_002_000, false), segment("b.ts", 2_499_600, true)],
        ended: true,
    };
    let text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:2680\n\
        #EXT-X-DISCONTINUITY-SEQUENCE:3\n#EXT-X-INDEPENDENT-SEGMENTS\n\
        #EXT-X-PROGRAM-DATE-TIME:2026-11-24T22:30:01.250Z\n#EXTINF:2.002,\na.ts\n\
        #EXT-X-DISCONTINUITY\n\
        #EXT-X-PROGRAM-DATE-TIME:2026-11-24T22:30:01.250Z\n#EXTINF:2.500,\nb.ts\n#EXT-X-ENDLIST\n";
    assert_eq!(write(&list), text);
}

#[test]
fn reads_a_live_playlist_as_others_write_it() {
    let list = media(
        "\u{feff}#EXTM3U\r\n#EXT-X-VERSION:7\r\n#EXT-X-TARGETDURATION:4\r\n#EXT-X-MEDIA-SEQUENCE:17\r\n\
         #EXT-X-SOMETHING-NEW:1\r\n#EXT-X-MAP:URI=\"init,1.mp4\",BYTERANGE=\"100@5\"\r\n\
         #EXTINF:3.9999999,a title, with comma\r\n#EXT-X-BYTERANGE:1000@200\r\nv.mp4\r\n\
         #EXT-X-BYTERANGE:500\r\n#EXTINF:4\r\nv.mp4\r\n\r\n# a comment\r\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"k\"\r\n#EXT-X-PROGRAM-DATE-TIME:2010-02-19T14:54:23.031+08:00\r\n\
         #EXT-X-DISCONTINUITY\r\n#EXTINF:2.5,\r\nhttps://cdn.example/x.mp4?a=1",
    );
    assert_eq!((list.target, list.sequence, list.ended), (4_000_000, 17, false));
    let [a, b, c] = &list.segments[..] else { panic!("{list:?}") };
    assert_eq!((a.duration, a.uri.as_str(), a.encrypted), (3_999_999, "v.mp4", false));
    assert_eq!(a.range, Some(ByteRange { length: 1000, offset: 200 }));
    assert_eq!(b.range, Some(ByteRange { length: 500, offset: 1200 }));
    let map = Map { uri: "init,1.mp4".into(), range: Some(ByteRange { length: 100, offset: 5 }) };
    assert_eq!(b.map, Some(map));
    assert!(c.encrypted && c.discontinuity && !b.discontinuity);
    assert_eq!((c.date, c.range), (Some(1_266_562_463_031_000), None));
}

#[test]
fn reads_a_master_playlist() {
    let text = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"English, stereo\",DEFAULT=YES,\
        LANGUAGE=\"en\",URI=\"en.m3u8\"\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"x\",URI=\"s.m3u8\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=1280000,AVERAGE-BANDWIDTH=1000000,CODECS=\"avc1.64001f,mp4a.40.2\",\
        RESOLUTION=1280x720,AUDIO=\"aac\"\nlow/index.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=7680000\nhi.m3u8\n";
    let Playlist::Master(master) = parse(text).expect("a playlist") else { panic!("a media playlist") };
    assert_eq!(master.audio.len(), 1);
    assert_eq!((master.audio[0].name.as_str(), master.audio[0].default), ("English, stereo", true));
    let [low, hi] = &master.variants[..] else { panic!("{master:?}") };
    assert_eq!((low.bandwidth, low.resolution), (1_280_000, Some((1280, 720))));
    assert_eq!((low.codecs.as_str(), low.audio.as_deref()), ("avc1.64001f,mp4a.40.2", Some("aac")));
    assert_eq!((hi.uri.as_str(), hi.resolution), ("hi.m3u8", None));
}

#[test]
fn nonsense_is_refused_with_its_place() {
    assert!(parse("<html>").is_err());
    assert!(parse("").is_err());
    let error = parse("#EXTM3U\n#EXTINF:x,\na.ts").expect_err("no number");
    assert_eq!(error.offset, 8);
    assert!(parse("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:99999999999999999999").is_err());
    assert!(parse("#EXTM3U\n#EXTINF:-1,\na.ts").is_err());
}

fn segment() -> impl Strategy<Value = MediaSegment> {
    let range = (0u64..1 << 40, 0u64..1 << 40).prop_map(|(length, offset)| ByteRange { length, offset });
    (
        "[a-z0-9/._-]{1,20}",
        0i64..100_000,
        any::<bool>(),
        prop::option::of(range),
        prop::option::of(0i64..4_000_000_000_000),
    )
        .prop_map(|(uri, duration, discontinuity, range, date)| MediaSegment {
            uri,
            duration: duration * MILLI,
            discontinuity,
            range,
            date: date.map(|date| date * MILLI),
            ..MediaSegment::default()
        })
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        sequence in any::<u64>(),
        discontinuity_sequence in 0u64..1000,
        segments in prop::collection::vec(segment(), 0..20),
        ended in any::<bool>(),
    ) {
        let list = Media { target: 100_000_000, sequence, discontinuity_sequence, independent: true, ended, segments };
        prop_assert_eq!(parse(&write(&list)), Ok(Playlist::Media(list)));
    }

    #[test]
    fn no_text_panics(text in "(#EXT(M3U|INF:|-X-(MAP|KEY|BYTERANGE|STREAM-INF|MEDIA|PROGRAM-DATE-TIME):)|[0-9A-Z=\",.@:+x-]|\\PC|\n){0,60}") {
        let _ = parse(&text);
        let _ = parse(&format!("#EXTM3U\n{text}"));
        let _ = parse(&format!("#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:2010-02-19T14:54:23{text}"));
    }
}
