//! Audio and video stay in sync over WebRTC: flashes and beeps, see [`super::sync`].

use std::fs;

use bytes::Bytes;
use lianmai_tests::gateway::temp_dir;
use lianmai_tests::publisher::WsPublisher;
use lianmai_tests::rtc::{Call, Media, Peer, Received};
use lianmai_tests::{Clip, Gateway, wait};
use media::codec::{h264, nal};
use media::{Codec, Frame};

use super::sync::{check, file, pairs, watch};
use super::{LIMIT, frames, tags};

/// Maximum distance between a flash and its beep in seconds, below which it is not noticed.
const APART: f64 = 0.040;

/// The clip as a peer sends it: video and audio begin together and are not cut.
fn clip() -> (Media, Vec<Frame>) {
    let frames = frames(&Clip::Opus.file());
    let mut media = Media { whole: true, ..Media::default() };
    for frame in &frames {
        if frame.config.codec == Codec::Opus {
            media.sounds.push(frame.data[..].into());
            continue;
        }
        let avcc = h264::Avcc::parse(&frame.config.description).expect("a configuration");
        let sets = if frame.key { [avcc.sps, avcc.pps].concat() } else { Vec::new() };
        let units = sets.into_iter().chain(nal::length_prefixed(&frame.data));
        let picture: Vec<u8> = units.flat_map(|unit| [&[0, 0, 0, 1], unit].concat()).collect();
        media.pictures.push((frame.key, picture.into()));
    }
    (media, frames)
}

/// Converts what a peer received to MPEG-TS, which ffmpeg plays; with times by the sender's clock.
fn recorded(peer: &Peer, like: &[Frame]) -> Vec<u8> {
    let config = |video| like.iter().find(|frame| frame.is_video() == video).expect("both").config.clone();
    let (picture, sound) = (config(true), config(false));
    let received: Vec<Received> = peer.received().into_iter().filter(|frame| frame.wall.is_some()).collect();
    let first = received.iter().position(|frame| frame.key).expect("a key frame after a report");
    let began = received[first].wall.unwrap_or_default();
    let (mut muxer, mut out) = (media::ts::Muxer::new(), Vec::new());
    for frame in &received[first..] {
        let time = frame.wall.unwrap_or_default() - began + 1_000_000;
        let data: Bytes = if frame.video {
            let units = nal::annex_b(&frame.data).filter(|unit| matches!(unit[0] & 0x1f, 1 | 5));
            units.flat_map(|unit| [&(unit.len() as u32).to_be_bytes(), unit].concat()).collect()
        } else {
            Bytes::copy_from_slice(&frame.data)
        };
        let config = if frame.video { picture.clone() } else { sound.clone() };
        let frame = Frame { number: 0, config, dts: time, pts: time, key: frame.key || !frame.video, data };
        muxer.frame(&frame, &mut out).expect("a frame for TS");
        muxer.flush(&mut out);
    }
    out
}

/// Plays until `count` seconds have arrived after the first sender reports, and checks them.
#[track_caller]
fn check_peer(what: &str, peer: &Peer, like: &[Frame], count: usize) {
    wait::until_true("sender reports, and seconds after them", LIMIT, || {
        let pictures = peer.frames(true).iter().filter(|frame| frame.wall.is_some()).count();
        let sounds = peer.frames(false).iter().filter(|frame| frame.wall.is_some()).count();
        pictures.min(sounds * 3 / 5) > 30 * (count + 2)
    });
    let dir = temp_dir("sync");
    let seen = dir.join("seen.ts");
    fs::write(&seen, recorded(peer, like)).expect("it can be written");
    let said = file(&seen);
    let apart: Vec<_> = pairs(&said).iter().map(|(flash, beep)| ((beep - flash) * 1e3).round()).collect();
    println!("{what}: {apart:?} ms");
    check(what, &said, count, APART);
    fs::remove_dir_all(dir).expect("it can be removed");
}

#[test]
fn what_a_peer_publishes_is_in_time_for_all() {
    let (media, like) = clip();
    let gateway = Gateway::start(&[]);
    let publisher = Peer::publish(&Call::new(&gateway, "x"), media);
    gateway.wait_published("x");
    let peer = Peer::play(&Call::new(&gateway, "x"));
    let urls = [gateway.rtmp_url("x"), gateway.http_url("x.flv")];
    let mut players: Vec<_> = urls.iter().map(|url| (url.clone(), watch(url), 4)).collect();
    wait::until_true("two HLS segments", LIMIT, || {
        let playlist = gateway.get("/live/x.m3u8");
        playlist.status == 200 && playlist.text().matches("#EXTINF").count() >= 2
    });
    let hls = gateway.http_url("x.m3u8");
    players.push((hls.clone(), watch(&hls), 3));
    for (url, player, enough) in &mut players {
        wait::until_true(&format!("flashes and beeps of {url}"), LIMIT, || {
            let said = player.stderr();
            assert!(player.ended().is_none() || pairs(&said).len() > *enough, "{url}: {said}");
            // The first beep may have begun before the player.
            pairs(&said).len() > *enough
        });
        let said = player.stderr();
        let apart: Vec<_> = pairs(&said).iter().map(|(flash, beep)| ((beep - flash) * 1e3).round()).collect();
        println!("{url}: {apart:?} ms");
        check(url, &said, *enough, APART);
    }
    check_peer("WHIP to WHEP", &peer, &like, 3);
    assert_eq!(publisher.over(), None);
}

#[test]
fn what_a_peer_plays_is_in_time() {
    let (_, like) = clip();
    let gateway = Gateway::start(&[]);
    let (flags, tags) = tags(Clip::Opus);
    let _publisher = WsPublisher::start(&gateway.ws_publish_url("x"), flags, tags, 1.0);
    gateway.wait_published("x");
    let peer = Peer::play(&Call::new(&gateway, "x"));
    check_peer("FLV to WHEP", &peer, &like, 3);
}
