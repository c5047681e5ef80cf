//! Decoders and encoders with real ffmpeg.

mod clips;
mod decode;
mod encode;
mod faults;
mod kinds;

use std::time::Duration;

use bytes::Bytes;
use media::Frame;
use tokio::time::{Instant, timeout};

use super::{
    DecodedPicture, Decoder, DecoderSettings, Encoder, EncoderName, EncoderSettings, Output, Reason,
};
use crate::jobs::mix::Picture;

/// A timeout for a busy machine; nothing waits that long normally.
const LIMIT: Duration = Duration::from_secs(30);

/// The size that pictures are scaled to in most tests.
const BOX: (u32, u32) = (1280, 720);

fn settings(frames: &[Frame], max_size: (u32, u32)) -> DecoderSettings {
    DecoderSettings { config: frames[0].config.clone(), max_size }
}

/// Decodes frames until there are `count` pictures, or the decoder ends.
async fn decode(
    decoder: &mut Decoder,
    frames: &[Frame],
    count: usize,
) -> (Vec<DecodedPicture>, Option<Reason>) {
    let (mut made, mut frames) = (Vec::new(), frames.iter());
    let run = async {
        while made.len() < count {
            while decoder.has_room()
                && let Some(frame) = frames.next()
            {
                assert!(decoder.push(frame));
            }
            match decoder.next().await {
                Output::Made(picture) => made.push(picture),
                Output::Room => {}
                Output::Restarted => panic!("nobody restarts it"),
                Output::End(reason) => return Some(reason),
            }
        }
        None
    };
    let end = timeout(LIMIT, run).await;
    (made, end.expect("pictures in time"))
}

/// Decodes frames of one configuration with an own decoder.
async fn decoded(frames: &[Frame], max_size: (u32, u32), count: usize) -> Vec<DecodedPicture> {
    let mut decoder = Decoder::start(&settings(frames, max_size)).unwrap();
    let (made, end) = decode(&mut decoder, frames, count).await;
    assert_eq!(end, None);
    made
}

/// Returns the mean of each plane.
fn means(picture: &Picture) -> [u8; 3] {
    picture.planes().map(|plane| {
        let sum: usize = plane.iter().map(|&value| usize::from(value)).sum();
        (sum / plane.len()) as u8
    })
}

/// Returns a gray picture.
fn gray(width: u32, height: u32, luma: u8) -> Bytes {
    let mut data = vec![128; Picture::bytes(width, height)];
    data[..(width * height) as usize].fill(luma);
    data.into()
}
