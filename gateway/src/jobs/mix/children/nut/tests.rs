//! NUT against real ffmpeg, and against hostile bytes.

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::read::{Event, Reader};
use super::write::{Header, frame_header, header};
use super::*;
use crate::jobs::mix::Picture;

const SIZE: (u32, u32) = (16, 8);

fn described(size: (u32, u32)) -> Header<'static> {
    Header { fourcc: *b"I420", description: &[], size, time_base: 1_000_000, rate: Some(30) }
}

/// Returns a file with pictures of [`SIZE`]: their times, and the value of all their bytes.
fn written(pictures: &[(u64, u8)]) -> Vec<u8> {
    let mut out = header(&described(SIZE)).to_vec();
    for &(pts, value) in pictures {
        let length = Picture::bytes(SIZE.0, SIZE.1);
        out.extend(frame_header(pts, value % 2 == 0, length));
        out.extend(vec![value; length]);
    }
    out
}

/// Reads pieces of the sizes that the reader wants, at most `most` bytes each.
fn read(mut bytes: &[u8], most: usize) -> Result<Vec<(i64, Picture)>, String> {
    let mut reader = Reader::new((1280, 720));
    let mut pictures = Vec::new();
    loop {
        match reader.next().map_err(|error| error.to_string())? {
            Event::Picture(pts, picture) => pictures.push((pts, picture)),
            Event::Wants(wants) => {
                assert!(wants > 0);
                // A picture, and what was asked for while its length was not known.
                assert!(reader.buffer().len() < Picture::bytes(1280, 720).max(20_000));
                let (now, later) = bytes.split_at(bytes.len().min(wants.min(most)));
                if now.is_empty() {
                    return Ok(pictures);
                }
                reader.buffer().extend_from_slice(now);
                bytes = later;
            }
        }
    }
}

fn values(pictures: &[(i64, Picture)]) -> Vec<(u64, u8)> {
    let value = |picture: &Picture| {
        assert!(picture.data().iter().all(|&byte| byte == picture.data()[0]));
        picture.data()[0]
    };
    pictures.iter().map(|(pts, picture)| (pts.cast_unsigned(), value(picture))).collect()
}

fn ffmpeg(arguments: &str, input: Vec<u8>) -> Vec<u8> {
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error"])
        .args(arguments.split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg starts");
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// Times with large and small steps, and a picture for each.
const TIMES: [(u64, u8); 6] =
    [(0, 16), (1, 33), (33_334, 50), (66_667, 67), (9_000_000_001, 84), (123_456_789_012_345, 101)];

#[test]
fn ffmpeg_reads_what_we_write_and_we_read_what_ffmpeg_writes() {
    let mux = "-fps_mode passthrough -enc_time_base 1/1000000 -copyts -c:v rawvideo -strict experimental";
    for options in ["", "-syncpoints none -write_index 0 ", "-syncpoints timestamped "] {
        let arguments = format!("-f nut -i pipe:0 {mux} {options}-f nut pipe:1");
        let output = ffmpeg(&arguments, written(&TIMES));
        for most in [1, 7, usize::MAX] {
            assert_eq!(values(&read(&output, most).unwrap()), TIMES, "{options}");
        }
    }
}

#[test]
fn a_reader_refuses_pictures_larger_than_it_was_told() {
    let mut reader = Reader::new((16, 6));
    reader.buffer().extend_from_slice(&written(&TIMES));
    assert!(reader.next().is_err());
    let odd = header(&described((15, 8)));
    assert!(read(&odd, usize::MAX).is_err());
}

#[test]
fn a_reader_refuses_frames_of_another_length() {
    let mut bytes = header(&described(SIZE)).to_vec();
    bytes.extend(frame_header(0, true, Picture::bytes(SIZE.0, SIZE.1) + 1));
    assert_eq!(read(&bytes, usize::MAX).unwrap_err(), "ffmpeg's NUT cannot be read: length of a picture");
}

#[test]
fn the_checksum_is_that_of_ffmpeg() {
    // The stream header and its checksum, as ffmpeg 5.1 wrote it.
    let content =
        [0, 0, 4, b'I', b'4', b'2', b'0', 0, 14, 0x83, 0xE0, 0, 0, 0, 0, 0x8A, 0, 0x85, 0x50, 1, 1, 0];
    assert_eq!(checksum(&content), 0x7155_0D57);
}

proptest! {
    #[test]
    fn all_times_survive(times in prop::collection::vec((0..1u64 << 50, any::<u8>()), 1..20), most in 1usize..300) {
        prop_assert_eq!(values(&read(&written(&times), most).unwrap()), times);
    }

    #[test]
    fn hostile_bytes_give_an_error_or_pictures(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = read(&bytes, usize::MAX);
        let _ = read(&[FILE_ID, &bytes].concat(), 100);
        let _ = read(&[&written(&TIMES[..1])[..], &bytes].concat(), usize::MAX);
        // A packet with a valid checksum.
        for startcode in [MAIN, STREAM, SYNCPOINT, INFO] {
            let mut file = written(&[]);
            // After everything that precedes it in a file.
            let stream = file.windows(8).position(|bytes| bytes == STREAM.to_be_bytes());
            match startcode {
                MAIN => file.truncate(FILE_ID.len()),
                STREAM => file.truncate(stream.expect("a stream header")),
                _ => {}
            }
            file.extend(startcode.to_be_bytes());
            let content = &bytes[..bytes.len().min(100)];
            file.push(content.len() as u8 + 4);
            file.extend(content);
            file.extend(checksum(content).to_be_bytes());
            let _ = read(&file, usize::MAX);
        }
    }

    #[test]
    fn changed_bytes_give_an_error_or_pictures(at in 0usize..1400, value in any::<u8>(), most in 1usize..300) {
        let mut bytes = written(&TIMES);
        let at = at.min(bytes.len() - 1);
        bytes[at] = value;
        let _ = read(&bytes, most);
    }

    #[test]
    fn changed_headers_with_right_checksums_give_an_error_or_pictures(
        changes in prop::collection::vec((0usize..160, any::<u8>()), 1..4),
    ) {
        let mut bytes = written(&TIMES);
        let packets: Vec<_> = [MAIN, STREAM, INFO, SYNCPOINT]
            .iter()
            .map(|code| bytes.windows(8).position(|at| at == code.to_be_bytes()).unwrap())
            .map(|at| at + 9..at + 5 + usize::from(bytes[at + 8]))
            .collect();
        for (at, value) in changes {
            bytes[FILE_ID.len() + at] = value;
        }
        for packet in packets {
            let sum = checksum(&bytes[packet.clone()]).to_be_bytes();
            bytes[packet.end..packet.end + 4].copy_from_slice(&sum);
        }
        let _ = read(&bytes, usize::MAX);
    }
}
