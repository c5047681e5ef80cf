//! The MPEG-TS demuxer: the same events for any chunks. The first byte selects whether real tables come
//! first, and whether the rest is packets or their payload.
#![no_main]

use std::sync::Arc;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media::codec::{aac, opus};
use media::ts::{Demuxer, Event, Muxer, PACKET};
use media::{Codec, Config, Format, Video};

/// Tables with video on PID 0x100 and audio on 0x101.
fn tables(kind: u8) -> Vec<u8> {
    let codec = if kind & 0x10 == 0 { Codec::H264 } else { Codec::H265 };
    let format = Format::Video(Video { width: 16, height: 16 });
    let video = Arc::new(Config { codec, format, description: Bytes::new() });
    let audio = match kind & 0x60 {
        0x20 => opus::config_of_channels(2),
        0x40 => Config { codec: Codec::Mp3, ..opus::config_of_channels(2) },
        _ => aac::config_from_asc(Bytes::from_static(&[0x12, 0x10])).expect("44.1 kHz stereo"),
    };
    let mut out = Vec::new();
    Muxer::new().start(&[&video, &Arc::new(audio)], &mut out);
    out
}

/// Writes each piece as a packet: a length byte, a byte of PID and flags, the payload.
fn packets(mut data: &[u8], out: &mut Vec<u8>) {
    let mut counters = [0u8; 4];
    while let Some((&[length, how], rest)) = data.split_first_chunk() {
        let (payload, tail) = rest.split_at(rest.len().min(usize::from(length).min(184)));
        data = tail;
        let pid = [0x100u16, 0x101, 0x1000, 0][usize::from(how & 3)];
        let counter = &mut counters[usize::from(how & 3)];
        *counter = (*counter + 1 + (how >> 2 & u8::from(how & 0x80 != 0))) & 15;
        let start = if how & 8 != 0 { 0x40 } else { 0 };
        out.extend_from_slice(&[0x47, start | (pid >> 8) as u8, pid as u8]);
        match 184 - payload.len() {
            0 => out.push(0x10 | *counter),
            stuffing => {
                out.extend_from_slice(&[0x30 | *counter, stuffing as u8 - 1]);
                out.extend(std::iter::repeat_n(0, stuffing - 1));
            }
        }
        out.extend_from_slice(payload);
    }
}

fn events(bytes: &[u8], pieces: &[usize]) -> Vec<media::Result<Event>> {
    let mut demuxer = Demuxer::new();
    let (mut rest, mut at) = (bytes, 0);
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(pieces[at % pieces.len()].clamp(1, rest.len()));
        demuxer.push(Bytes::copy_from_slice(piece));
        (rest, at) = (tail, at + 1);
    }
    demuxer.flush();
    std::iter::from_fn(|| demuxer.next()).collect()
}

fuzz_target!(|data: &[u8]| {
    let Some((&kind, data)) = data.split_first() else { return };
    let mut bytes = if kind & 1 != 0 { tables(kind) } else { Vec::new() };
    if kind & 2 != 0 {
        packets(data, &mut bytes)
    } else {
        bytes.extend_from_slice(data)
    }
    let whole = events(&bytes, &[usize::MAX]);
    assert_eq!(whole, events(&bytes, &[1, PACKET, 7, 1000]));
    let mut muxer = Muxer::new();
    let mut out = Vec::new();
    for event in whole {
        if let Ok(Event::Frame(frame)) = event {
            assert!(!frame.data.is_empty() && frame.pts >= frame.dts);
            // Every frame can be muxed again.
            let _ = muxer.frame(&frame, &mut out);
            let _ = media::mp4::init_segment(&[(1, &frame.config)]);
            let _ = frame.config.codec_string();
        }
    }
    muxer.flush(&mut out);
    assert_eq!(out.len() % PACKET, 0);
});
