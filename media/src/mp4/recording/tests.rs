use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::codec::samples::{H264_PPS, H264_SPS};
use crate::codec::{aac, h264};
use crate::config::{Config, Track};
use crate::flv;
use crate::frame::Frame;
use crate::hls::playlist::{Playlist, parse};
use crate::mp4::demux::{Demuxer, box_head};
use crate::time::Micros;

const TRACKS: [(u32, Track); 2] = [(1, Track::Video), (2, Track::Audio)];

fn configs() -> [Config; 2] {
    let video = h264::config_from_parameter_sets(&[H264_SPS], &[H264_PPS]).unwrap();
    [video, aac::config_from_asc(Bytes::from_static(&[0x12, 0x10])).unwrap()]
}

/// A recording as the gateway writes it.
struct Recording {
    file: Vec<u8>,
    layout: Layout,
    list: String,
    /// The offsets of the fragments.
    offsets: Vec<u64>,
}

fn record(frames: &[Frame], configs: &[&Config]) -> Recording {
    let tracks: Vec<_> = configs.iter().zip(TRACKS).map(|(config, (id, _))| (id, *config)).collect();
    let (mut file, layout) = Layout::start(&tracks).unwrap();
    let kinds: Vec<_> = tracks.iter().map(|(id, config)| (*id, config.track())).collect();
    let mut fragmenter = Fragmenter::new(&kinds);
    let mut events = EventList::new("x.mp4", &layout, Some(0));
    let (mut list, mut offsets) = (String::new(), Vec::new());
    let mut write = |fragment: Fragment| {
        list += &events.push(file.len() as u64, &fragment);
        offsets.push(file.len() as u64);
        file.extend_from_slice(&fragment.bytes);
    };
    frames.iter().filter_map(|frame| fragmenter.push(frame)).for_each(&mut write);
    fragmenter.finish().into_iter().for_each(&mut write);
    list += &events.finish();
    Recording { file, layout, list, offsets }
}

/// Finishes a file, as the gateway does it for a file that it finds. Returns the playlist, written again.
fn finish(file: &mut Vec<u8>) -> String {
    let layout = Layout::parse(&file[..file.len().min(LAYOUT_BYTES)]).unwrap();
    let init = layout.init.start as usize..layout.init.end as usize;
    let ftyp = box_head(&file[init.clone()]).unwrap().unwrap().size.unwrap() as usize;
    let mut finisher =
        Finisher::new(&Bytes::copy_from_slice(&file[init.start + ftyp + 8..init.end])).unwrap();
    let mut list = EventList::new("x.mp4", &layout, Some(0));
    let (mut at, mut text) = (init.end, String::new());
    while let Some(moof) = box_head(&file[at..]).unwrap() {
        let moof_end = at + moof.size.unwrap() as usize;
        if moof_end + 8 > file.len() {
            break;
        }
        let added = finisher.fragment(&file[at + 8..moof_end], at as u64).unwrap();
        let (duration, independent, end) = added;
        assert!(end as usize <= file.len());
        text += &list.add(at as u64, end - at as u64, duration, independent);
        at = end as usize;
    }
    file.truncate(at);
    file.extend_from_slice(&finisher.moov());
    let head = layout.head as usize;
    file[head..head + 16].copy_from_slice(&layout.seal(at as u64));
    let parsed = Layout::parse(&file[..LAYOUT_BYTES]).unwrap();
    assert_eq!((parsed.finished, &parsed.init), (Some(at as u64), &layout.init));
    text + &list.finish()
}

/// Returns track, times from the first presentation time on, key and data of all frames, per track.
fn content(file: &[u8]) -> Vec<(Track, Micros, Micros, bool, Bytes)> {
    let mut demuxer = Demuxer::new(Bytes::copy_from_slice(file)).unwrap();
    let frames: Vec<Frame> = std::iter::from_fn(|| demuxer.next()).map(Result::unwrap).collect();
    assert!(frames.windows(2).all(|pair| pair[0].dts <= pair[1].dts), "frames come in order");
    shifted(&frames)
}

fn shifted(frames: &[Frame]) -> Vec<(Track, Micros, Micros, bool, Bytes)> {
    let first = |track| frames.iter().find(|f| f.track() == track).map(|f| f.pts);
    let base = first(Track::Video).into_iter().chain(first(Track::Audio)).min().unwrap_or(0);
    let row = |f: &Frame| (f.track(), f.dts - base, f.pts - base, f.key, f.data.clone());
    let mut rows: Vec<_> = frames.iter().map(row).collect();
    rows.sort_by_key(|row| (row.0 == Track::Audio, row.1));
    rows
}

fn sorted(mut rows: Vec<(Track, Micros, Micros, bool, Bytes)>) -> Vec<(Track, Micros, Micros, bool, Bytes)> {
    rows.sort_by_key(|row| (row.0 == Track::Audio, row.1));
    rows
}

fn clip() -> Vec<Frame> {
    let clip = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../demo/clip.flv")).unwrap();
    let mut demuxer = flv::Demuxer::new();
    demuxer.push(clip.into());
    let events = std::iter::from_fn(|| demuxer.next());
    events
        .filter_map(|event| if let Ok(flv::Event::Frame(frame)) = event { Some(frame) } else { None })
        .collect()
}

#[test]
fn a_recording_has_the_frames_that_went_in_before_and_after_its_end() {
    let frames = clip();
    let config = |track| frames.iter().find(|f| f.track() == track).unwrap().config.clone();
    let (video, audio) = (config(Track::Video), config(Track::Audio));
    let Recording { mut file, layout, list, offsets } = record(&frames, &[&video, &audio]);
    let first = frames.iter().position(Frame::is_video).unwrap();
    let start = frames[first].dts;
    let expected: Vec<Frame> = frames.into_iter().skip(first).filter(|frame| frame.dts >= start).collect();
    assert!(expected.len() > 500 && offsets.len() > 10);
    assert_eq!(sorted(content(&file)), shifted(&expected));
    let before = file.clone();
    assert_eq!(finish(&mut file), list);
    assert_eq!(sorted(content(&file)), shifted(&expected));
    // The ranges of the playlist have the same bytes.
    let from = layout.init.start as usize;
    assert_eq!(file[from..before.len()], before[from..]);
    let Ok(Playlist::Media(media)) = parse(&list) else { panic!("{list}") };
    assert!(media.ended && media.segments.len() > 5);
    let mut at = layout.init.end;
    for segment in &media.segments {
        let range = segment.range.unwrap();
        assert_eq!(range.offset, at);
        assert!(segment.duration <= media.target && offsets.contains(&range.offset));
        at += range.length;
    }
    assert_eq!(at, before.len() as u64);
}

#[test]
fn a_finished_file_has_a_duration_and_one_mdat() {
    let frames = clip();
    let video = frames.iter().find(|f| f.is_video()).unwrap().config.clone();
    let mut file = record(&frames, &[&video]).file;
    finish(&mut file);
    let (mut at, mut kinds) = (0, Vec::new());
    while let Some(head) = box_head(&file[at..]).unwrap() {
        kinds.push(head.kind);
        at += head.size.unwrap() as usize;
    }
    assert_eq!(kinds, [*b"ftyp", *b"mdat", *b"moov"]);
    let demuxer = Demuxer::new(file.into()).unwrap();
    let movie = demuxer.movie();
    let times: Vec<_> = frames.iter().filter(|f| f.is_video()).map(|f| f.dts).collect();
    let length = times[times.len() - 1] - times[0];
    assert!((0..100_000).contains(&(movie.duration - length)), "{} for {length}", movie.duration);
    assert!(!movie.fragmented);
}

#[test]
fn large_offsets_have_64_bits() {
    let [video, audio] = configs();
    let (file, layout) = Layout::start(&[(1, &video), (2, &audio)]).unwrap();
    let init = layout.init.start as usize..layout.init.end as usize;
    let ftyp = box_head(&file[init.clone()]).unwrap().unwrap().size.unwrap() as usize;
    let mut finisher =
        Finisher::new(&Bytes::copy_from_slice(&file[init.start + ftyp + 8..init.end])).unwrap();
    let mut fragmenter = Fragmenter::new(&TRACKS);
    let frame = |dts: i64| frame(&video, dts, 0, true, 10);
    let offset = 5u64 << 32;
    for at in 0..3 {
        let Some(fragment) = fragmenter.push(&frame(at * 1_000_000)) else { continue };
        let moof = box_head(&fragment.bytes).unwrap().unwrap().size.unwrap() as usize;
        finisher.fragment(&fragment.bytes[8..moof], offset).unwrap();
    }
    let moov = finisher.moov();
    let movie = crate::mp4::demux::Movie::parse(&Bytes::from(moov).slice(8..)).unwrap();
    assert!(movie.tracks[0].samples().all(|sample| sample.offset > offset));
    assert_eq!(movie.tracks[0].samples().count(), 2);
    assert_eq!(layout.seal(offset)[8..], (offset - layout.head).to_be_bytes());
}

#[test]
fn missing_frames_leave_no_gap() {
    let [video, audio] = configs();
    let mut fragmenter = Fragmenter::new(&TRACKS);
    let mut push = |config, dts, key| fragmenter.push(&frame(config, dts, 0, key, 10));
    assert_eq!(push(&video, 1_000_000, true), None);
    assert_eq!(push(&video, 1_040_000, false), None);
    assert_eq!(push(&audio, 1_041_000, true), None);
    let first = fragmenter.skip().unwrap();
    assert_eq!(first.duration, 80_000);
    // Nothing begins before the next key frame; its time is the end of what was written.
    let mut push = |config, dts, key| fragmenter.push(&frame(config, dts, 0, key, 10));
    assert_eq!(push(&video, 9_000_000, false), None);
    assert_eq!(push(&audio, 9_001_000, true), None);
    assert_eq!(push(&video, 9_040_000, true), None);
    assert_eq!(push(&audio, 9_050_000, true), None);
    let second = push(&video, 9_080_000, true).unwrap();
    assert!(second.independent && second.duration <= 80_000, "{}", second.duration);
    assert_eq!(fragmenter.finish().unwrap().duration, 40_000);
}

#[test]
fn a_fragment_is_bounded_in_bytes_and_frames() {
    let [video, audio] = configs();
    let mut fragmenter = Fragmenter::new(&TRACKS);
    assert_eq!(fragmenter.push(&frame(&video, 0, 0, true, 10)), None);
    let mut cut = 0;
    // All at the same time: nothing but the bounds ends a fragment.
    for _ in 0..3 * fragmenter::MAX_FRAMES {
        cut += usize::from(fragmenter.push(&frame(&audio, 0, 0, true, 1)).is_some());
    }
    assert_eq!(cut, 3);
    let half = fragmenter::MAX_BYTES / 2 + 1;
    assert!(fragmenter.push(&frame(&video, 0, 0, false, half)).is_none());
    assert!(fragmenter.push(&frame(&video, 0, 0, false, half)).is_some());
}

fn frame(config: &Config, dts: Micros, composition: Micros, key: bool, size: usize) -> Frame {
    let data = (0..size).map(|n| (n as i64 + dts / 1000) as u8).collect::<Vec<_>>();
    let config = std::sync::Arc::new(config.clone());
    Frame { number: 0, config, dts, pts: dts + composition, key, data: data.into() }
}

prop_compose! {
    /// Steps between frames: duration, composition offset, key, size, and whether it is audio.
    fn steps()(steps in prop::collection::vec((0i64..300_000, -40_000i64..200_000, 0u8..8, 0usize..50, any::<bool>()), 1..200))
        -> Vec<(i64, i64, u8, usize, bool)> { steps }
}

fn frames(steps: &[(i64, i64, u8, usize, bool)], audio_too: bool) -> Vec<Frame> {
    let [video, audio] = configs();
    let mut dts = 7_000_000;
    let mut out = vec![frame(&video, dts, 0, true, 20)];
    for &(step, composition, key, size, is_audio) in steps {
        dts += step;
        out.push(match is_audio && audio_too {
            true => frame(&audio, dts, 0, true, size),
            false => frame(&video, dts, composition, key == 0, size),
        });
    }
    out
}

proptest! {
    #[test]
    fn any_frames_come_back(steps in steps(), audio_too: bool) {
        let frames = frames(&steps, audio_too);
        let [video, audio] = configs();
        let configs = if audio_too { vec![&video, &audio] } else { vec![&video] };
        let Recording { mut file, list, .. } = record(&frames, &configs);
        let of = |rows: Vec<(Track, Micros, Micros, bool, Bytes)>| {
            let mut rows = sorted(rows);
            // Frames of the same time have no order.
            rows.sort_by(|a, b| (a.0 == Track::Audio, a.1, a.2, &a.4).cmp(&(b.0 == Track::Audio, b.1, b.2, &b.4)));
            rows
        };
        let expected = of(shifted(&frames));
        prop_assert_eq!(of(content(&file)), expected.clone());
        prop_assert_eq!(finish(&mut file), list);
        prop_assert_eq!(of(content(&file)), expected);
    }

    #[test]
    fn a_file_that_is_cut_off_is_finished_with_all_whole_fragments(steps in steps(), cut in 0.0f64..1.0) {
        let frames = frames(&steps, true);
        let [video, audio] = configs();
        let Recording { file, layout, offsets, .. } = record(&frames, &[&video, &audio]);
        let start = layout.init.end as usize;
        let end = start + ((file.len() - start) as f64 * cut) as usize;
        let ends = offsets.iter().copied().chain([file.len() as u64]);
        let whole = ends.filter(|&at| at <= end as u64).max().unwrap_or(layout.init.end);
        let mut whole = file[..whole as usize].to_vec();
        let demuxed = content(&whole);
        finish(&mut whole);
        if !demuxed.is_empty() {
            prop_assert_eq!(sorted(content(&whole)).len(), demuxed.len());
        }
        // Without an end, the frames of whole fragments can be read, too; the others are errors.
        let mut demuxer = Demuxer::new(Bytes::copy_from_slice(&file[..end])).unwrap();
        let read = std::iter::from_fn(|| demuxer.next()).filter(Result::is_ok).count();
        prop_assert!(read >= demuxed.len());
    }

    #[test]
    fn damaged_files_do_not_panic(steps in steps(), at in any::<prop::sample::Index>(), byte: u8, finished: bool) {
        let [video, audio] = configs();
        let mut file = record(&frames(&steps, true), &[&video, &audio]).file;
        if finished {
            finish(&mut file);
        }
        let at = at.index(file.len());
        file[at] = byte;
        let _ = Layout::parse(&file[..file.len().min(LAYOUT_BYTES)]);
        if let Ok(mut demuxer) = Demuxer::new(file.into()) {
            let read = std::iter::from_fn(|| demuxer.next()).take(100_000).count();
            prop_assert!(read <= 100_000);
        }
    }
}
