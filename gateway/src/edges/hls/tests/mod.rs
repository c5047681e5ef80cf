mod bounds;
mod protected;

use std::io::Read as _;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use media::codec::{aac, h264, opus};
use media::hls::playlist::{self, Media, Playlist};
use media::time::{MILLI, Micros, SECOND};
use media::ts::{Demuxer, Event};
use media::{Config, Frame};

use super::feed::READ_EVERY;
use super::*;
use crate::core::admission::PublishGrant;
use crate::core::auth::Auth;
use crate::core::hub::Publisher;

/// From x264, 320x240.
const SPS: &[u8] = &[
    0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20, 0xf1,
    0x42, 0x99, 0x60,
];
const PPS: &[u8] = &[0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0];

fn hls(rules: SegmentRules, auth: Auth) -> Hls {
    let mut context = Context::new(crate::limits::LimitSettings::default(), auth);
    let passes = Passes::new("a key of the tests", 3600);
    context.admission = context.admission.clone().with_first(pass::PassGuard(passes.clone()));
    Hls::new(context, rules, passes, None, LateCluster::default())
}

/// A publisher of test frames.
struct Feed {
    publisher: Publisher,
    video: Arc<Config>,
    audio: Arc<Config>,
    sound: &'static [u8],
    frames: i64,
}

impl Feed {
    fn new(hls: &Hls) -> Self {
        Self::named(hls, "live/x")
    }

    fn named(hls: &Hls, name: &str) -> Self {
        let name = StreamName::parse(name).expect("a name");
        Self {
            publisher: hls.0.context.hub.publish(&PublishGrant::for_job(&name, "test")).expect("free"),
            video: Arc::new(h264::config_from_parameter_sets(&[SPS], &[PPS]).expect("sets")),
            audio: Arc::new(aac::config_from_asc(Bytes::from_static(&[0x12, 0x10])).expect("asc")),
            sound: &[0x21; 90],
            frames: 0,
        }
    }

    /// Creates a stream with silent Opus audio, 40 ms per packet.
    fn opus(hls: &Hls) -> Self {
        let audio = Arc::new(opus::config_of_channels(2));
        Self { audio, sound: &[0xfd, 0xff, 0xfe, 0xff, 0xfe], ..Self::new(hls) }
    }

    /// Publishes this many seconds: 25 frames per second with a key frame every second, and audio. All of it has been
    /// read at the end, in little time.
    async fn run(&mut self, seconds: i64) {
        for _ in 0..seconds * 25 {
            let dts: Micros = self.frames * 40 * MILLI;
            let key = self.frames % 25 == 0;
            let picture = Bytes::from(vec![0, 0, 0, 3, if key { 0x65 } else { 0x41 }, 0x88, 0x80]);
            let frame = |config: &Arc<Config>, data| Frame {
                number: 0,
                config: config.clone(),
                dts,
                pts: dts,
                key,
                data,
            };
            self.publisher.push(frame(&self.video, picture));
            self.publisher.push(Frame { key: true, ..frame(&self.audio, Bytes::from_static(self.sound)) });
            self.frames += 1;
            if self.frames % 25 == 0 {
                tokio::time::sleep(READ_EVERY * 2).await;
            }
        }
    }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

async fn ask(hls: &Hls, method: Method, address: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(address).header("host", "127.0.0.1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let peer = SocketAddr::from(([127, 0, 0, 1], 4000));
    let response = hls.serve(peer, request.body(Body::empty()).expect("a request")).await;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

async fn get(hls: &Hls, address: &str) -> Answer {
    ask(hls, Method::GET, address, &[]).await
}

async fn list(hls: &Hls) -> Media {
    let answer = get(hls, "/live/x.m3u8").await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    match playlist::parse(std::str::from_utf8(&answer.body).expect("text")) {
        Ok(Playlist::Media(media)) => media,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_cut_before_anyone_asks() {
    let hls = hls(SegmentRules::default(), Auth::default());
    let mut feed = Feed::new(&hls);
    feed.run(31).await;
    let media = list(&hls).await;
    assert_eq!((media.target, media.segments.len(), media.ended), (2 * SECOND, 6, false));
    assert!(media.independent && media.segments.iter().all(|s| s.duration == 2 * SECOND && !s.discontinuity));
    for segment in &media.segments {
        let answer = get(&hls, &format!("/live/{}", segment.uri)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "video/mp2t");
        assert!(answer.headers["cache-control"].to_str().expect("text").contains("immutable"));
        let mut demuxer = Demuxer::new();
        demuxer.push(answer.body);
        demuxer.flush();
        let events = std::iter::from_fn(|| demuxer.next()).map(|e| e.expect("clean"));
        let pictures = events.filter(|e| matches!(e, Event::Frame(f) if f.is_video())).count();
        assert_eq!(pictures, 50);
    }
}

#[tokio::test(start_paused = true)]
async fn slow_players_get_segments_that_left_the_list_and_later_they_are_gone() {
    let hls = hls(SegmentRules::default(), Auth::default());
    let mut feed = Feed::new(&hls);
    feed.run(3).await;
    let first = list(&hls).await.segments[0].uri.clone();
    feed.run(16).await;
    let media = list(&hls).await;
    assert!(media.segments.iter().all(|s| s.uri != first));
    assert_eq!(get(&hls, &format!("/live/{first}")).await.status, 200);
    feed.run(60).await;
    assert_eq!(get(&hls, &format!("/live/{first}")).await.status, 410);
    let (stem, _) = first.rsplit_once('-').expect("a sequence number");
    assert_eq!(get(&hls, &format!("/live/{stem}-99999999999.ts")).await.status, 404);
    assert_eq!(get(&hls, "/live/x-0123456789abcdef-5.ts").await.status, 404);
    assert_eq!(get(&hls, "/live/x.ts").await.status, 404);
    let stored = hls.store(feed.publisher.stream().name());
    assert!(format!("{stored:?}").matches("Stored").count() <= 16, "memory is bounded");
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_by_bytes_too() {
    let hls = hls(SegmentRules { max_bytes: 30_000, ..SegmentRules::default() }, Auth::default());
    let mut feed = Feed::new(&hls);
    feed.run(40).await;
    let media = list(&hls).await;
    let kept = format!("{:?}", hls.store(feed.publisher.stream().name())).matches("Stored").count();
    assert!((1..6).contains(&kept) && media.segments.len() == kept, "{kept}");
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_changes_its_audio_all_the_time_gets_a_short_playlist() {
    let hls = hls(SegmentRules::default(), Auth::default());
    let mut feed = Feed::new(&hls);
    // Stereo and mono in turn, without video: each needs a segment of its own.
    let configs = [[0x12, 0x10], [0x12, 0x08]]
        .map(|asc| Arc::new(aac::config_from_asc(Bytes::copy_from_slice(&asc)).expect("asc")));
    let settled = 500;
    for n in 0..settled + 6 * store::MAX_SEGMENTS {
        let config = configs[if n < settled { 0 } else { n % 2 }].clone();
        let dts = n as i64 * 20 * MILLI;
        let data = Bytes::from_static(feed.sound);
        feed.publisher.push(Frame { config, number: 0, dts, pts: dts, key: true, data });
        if n % 50 == 0 {
            tokio::time::sleep(READ_EVERY * 2).await;
        }
    }
    tokio::time::sleep(READ_EVERY * 2).await;
    let listed = list(&hls).await.segments.len();
    assert!(listed > 16 && listed <= store::MAX_SEGMENTS, "{listed}");
}

#[tokio::test(start_paused = true)]
async fn a_publisher_who_comes_back_goes_on_after_a_discontinuity() {
    let hls = hls(SegmentRules::default(), Auth::default());
    let mut feed = Feed::new(&hls);
    feed.run(9).await;
    let before = list(&hls).await;
    drop(feed);
    tokio::time::sleep(Duration::from_secs(5)).await;
    // The last second was not a whole segment; it is published when the publisher leaves.
    let paused = list(&hls).await;
    assert_eq!(paused.segments.len(), before.segments.len() + 1);
    assert!(!paused.ended);
    let mut feed = Feed::new(&hls);
    feed.run(3).await;
    let after = list(&hls).await;
    assert_eq!(after.sequence, before.sequence);
    let flags: Vec<_> = after.segments.iter().map(|s| s.discontinuity).collect();
    assert_eq!(flags, [false, false, false, false, false, true]);
    assert_eq!(after.segments[..5], paused.segments[..]);
    feed.run(40).await;
    let later = list(&hls).await;
    assert_eq!(later.discontinuity_sequence, 1);
    assert!(later.sequence > after.sequence && later.segments.iter().all(|s| !s.discontinuity));
}

#[tokio::test(start_paused = true)]
async fn opus_is_cut_as_aac_up_to_the_last_of_it() {
    let hls = hls(SegmentRules::default(), Auth::default());
    let mut feed = Feed::opus(&hls);
    let store = hls.store(&StreamName::parse("live/x").expect("a name"));
    // A viewer has waited from the start.
    store.demand.ask();
    feed.run(5).await;
    assert_eq!(list(&hls).await.segments.len(), 2);
    drop(feed);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let media = list(&hls).await;
    assert_eq!(media.segments.len(), 3);
    let (mut pictures, mut sound) = (0, Vec::new());
    for segment in &media.segments {
        let mut demuxer = Demuxer::new();
        demuxer.push(get(&hls, &format!("/live/{}", segment.uri)).await.body);
        demuxer.flush();
        for event in std::iter::from_fn(|| demuxer.next()) {
            match event.expect("clean") {
                Event::Frame(frame) if frame.is_video() => pictures += 1,
                Event::Frame(frame) => sound.push(frame),
                _ => {}
            }
        }
    }
    assert_eq!(pictures, 125);
    assert!(sound.iter().all(|frame| frame.config.codec == media::Codec::Aac));
    let length = sound[sound.len() - 1].pts - sound[0].pts;
    // The encoder buffers less than two packets.
    assert!((4930 * MILLI..5000 * MILLI).contains(&length), "{length}");
}

#[tokio::test(start_paused = true)]
async fn what_has_to_be_transcoded_is_cut_while_somebody_asks() {
    let hls = hls(SegmentRules::default(), Auth::default());
    let mut feed = Feed::opus(&hls);
    let store = hls.store(&StreamName::parse("live/x").expect("a name"));
    feed.run(9).await;
    assert!(store.playlist().is_none(), "nobody has asked");
    let asked = {
        let hls = hls.clone();
        tokio::spawn(async move { list(&hls).await })
    };
    feed.run(6).await;
    assert!(!asked.await.expect("an answer").segments.is_empty());
    tokio::time::sleep(Duration::from_secs(61)).await;
    feed.run(1).await;
    assert!(store.playlist().is_none(), "nobody asks any more");
    store.demand.ask();
    feed.run(6).await;
    assert!(!list(&hls).await.segments.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_over_ends_its_list_and_a_new_one_counts_on() {
    let hls = hls(SegmentRules::default(), Auth::default());
    let mut feed = Feed::new(&hls);
    feed.run(9).await;
    let before = list(&hls).await;
    drop(feed);
    tokio::time::sleep(Duration::from_secs(16)).await;
    let end = list(&hls).await;
    assert!(end.ended);
    tokio::time::sleep(Duration::from_secs(15)).await;
    let gone = get(&hls, "/live/x.m3u8").await;
    assert_eq!(
        (gone.status, &gone.headers["content-type"]),
        (404, &HeaderValue::from_static("application/problem+json"))
    );
    // A viewer that is still playing can read the last segments for a while.
    let last = &end.segments[end.segments.len() - 1].uri;
    assert_eq!(get(&hls, &format!("/live/{last}")).await.status, 200);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(get(&hls, &format!("/live/{last}")).await.status, 410);
    let mut feed = Feed::new(&hls);
    feed.run(4).await;
    let again = list(&hls).await;
    assert_eq!(again.sequence, before.sequence + end.segments.len() as u64);
    assert!(again.segments[0].discontinuity && again.segments.len() == 1 && !again.ended);
}

#[tokio::test(start_paused = true)]
async fn who_comes_first_waits_for_the_publisher_and_the_first_segment() {
    let hls = hls(SegmentRules::default(), Auth::default());
    assert_eq!(ask(&hls, Method::HEAD, "/live/x.m3u8", &[]).await.status, 404);
    let viewer = tokio::spawn({
        let hls = hls.clone();
        async move { list(&hls).await }
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!viewer.is_finished());
    let mut feed = Feed::new(&hls);
    feed.run(1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!viewer.is_finished());
    feed.run(2).await;
    assert_eq!(viewer.await.expect("answered").segments.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_whose_first_segment_does_not_come_is_told_so() {
    let hls = hls(SegmentRules::default(), Auth::default());
    let mut feed = Feed::new(&hls);
    feed.run(1).await;
    let answer = get(&hls, "/live/x.m3u8").await;
    assert_eq!((answer.status, answer.body.is_empty()), (503, false));
}

#[tokio::test(start_paused = true)]
async fn playlists_are_revalidated_and_zipped() {
    let hls = hls(SegmentRules::default(), Auth::default());
    let mut feed = Feed::new(&hls);
    feed.run(9).await;
    let plain = get(&hls, "/live/x.m3u8").await;
    assert_eq!(plain.headers["content-type"], "application/vnd.apple.mpegurl");
    assert_eq!(plain.headers["cache-control"], "public, max-age=1");
    assert_eq!(plain.headers["access-control-allow-origin"], "*");
    let zipped = ask(&hls, Method::GET, "/live/x.m3u8", &[("accept-encoding", "br;q=1, gzip;q=0.5")]).await;
    assert_eq!(zipped.headers["content-encoding"], "gzip");
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&zipped.body[..]).read_to_end(&mut text).expect("gzip");
    assert_eq!(text, plain.body);
    assert!(zipped.body.len() < plain.body.len());
    let refused = ask(&hls, Method::GET, "/live/x.m3u8", &[("accept-encoding", "gzip;q=0, br")]).await;
    assert_eq!(refused.body, plain.body);
    let etag = plain.headers["etag"].to_str().expect("text").to_owned();
    let same = ask(&hls, Method::GET, "/live/x.m3u8", &[("if-none-match", &etag)]).await;
    assert_eq!((same.status, same.body.len()), (304, 0));
    feed.run(2).await;
    let new = ask(&hls, Method::GET, "/live/x.m3u8", &[("if-none-match", &etag)]).await;
    assert_eq!(new.status, 200);
    let head = ask(&hls, Method::HEAD, "/live/x.m3u8", &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.headers["content-length"], new.body.len().to_string());
    assert_eq!(ask(&hls, Method::POST, "/live/x.m3u8", &[]).await.status, 405);
    assert_eq!(ask(&hls, Method::OPTIONS, "/live/x.m3u8", &[]).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn viewers_are_those_who_keep_asking() {
    let hls = hls(SegmentRules::default(), Auth::default());
    let mut feed = Feed::new(&hls);
    feed.run(3).await;
    let stream = feed.publisher.stream().clone();
    let clients = hls.0.context.clients.clone();
    let vlc = [("user-agent", "VLC")];
    let mpv = [("user-agent", "mpv")];
    for _ in 0..3 {
        ask(&hls, Method::GET, "/live/x.m3u8", &vlc).await;
        ask(&hls, Method::GET, "/live/x.m3u8", &mpv).await;
        ask(&hls, Method::GET, "/live/x.m3u8?viewer=2", &mpv).await;
    }
    assert_eq!(stream.viewers(), 3);
    let segment = list(&hls).await.segments[0].uri.clone();
    let answer = ask(&hls, Method::GET, &format!("/live/{segment}"), &vlc).await;
    let counted = clients.list().into_iter().find(|c| c.info.agent == "VLC").expect("VLC");
    assert!(counted.sent.total() > answer.body.len() as u64);
    assert_eq!(counted.info.protocol, "hls");
    // An operator closes one viewer; the others stay.
    assert!(clients.close(counted.id, CloseReason::Operator));
    assert_eq!(ask(&hls, Method::GET, "/live/x.m3u8", &vlc).await.status, 403);
    assert_eq!(ask(&hls, Method::GET, "/live/x.m3u8", &mpv).await.status, 200);
    // Silent viewers are removed.
    tokio::time::sleep(Duration::from_secs(7)).await;
    ask(&hls, Method::GET, "/live/x.m3u8", &mpv).await;
    feed.run(3).await;
    assert_eq!(stream.viewers(), 1);
}

#[tokio::test(start_paused = true)]
async fn video_that_a_transport_stream_cannot_carry_is_refused_in_words() {
    let av1c = "81010c000a0b0000000cc4ff6700be0010";
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    };
    let size = media::Video { width: 640, height: 360 };
    let vp8 =
        Config { codec: media::Codec::Vp8, format: media::Format::Video(size), description: Bytes::new() };
    let av1 = media::codec::av1::config_from_av1c(hex(av1c).into()).expect("av1C");
    for (config, name) in [(av1, "av1"), (vp8, "vp8")] {
        let hls = hls(SegmentRules::default(), Auth::default());
        let mut feed = Feed { video: Arc::new(config), ..Feed::new(&hls) };
        feed.run(31).await;
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(&hls, method.clone(), "/live/x.m3u8", &[]).await;
            assert_eq!(answer.status, 406, "{name}: {:?}", answer.body);
            let words = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(method == Method::HEAD || words.contains(name), "{words}");
        }
    }
    // With H.264 video, the same audio is available.
    let hls = hls(SegmentRules::default(), Auth::default());
    let mut feed = Feed::new(&hls);
    feed.run(31).await;
    assert_eq!(get(&hls, "/live/x.m3u8").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_publisher_of_what_cannot_be_read_is_told_apart_from_none() {
    let hls = hls(SegmentRules::default(), Auth::default());
    let mut feed = Feed::new(&hls);
    feed.publisher.bad_frame(&media::Error::unsupported_track(
        "flv",
        0,
        media::Track::Video,
        "video codec VP6",
    ));
    let answer = get(&hls, "/live/x.m3u8").await;
    assert_eq!(answer.status, 502);
    let words = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(words.contains("the publisher sends video codec VP6, which this server cannot read"), "{words}");
}
