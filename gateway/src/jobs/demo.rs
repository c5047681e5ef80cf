//! `--demo`: publishes the built-in clip in a loop, until somebody else publishes there.

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use media::Frame;
use media::flv::{Demuxer, Event};
use media::time::{MILLI, Micros, SECOND};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, sleep_until};

use crate::context::Context;
use crate::core::admission::PublishGrant;
use crate::core::hub::{Hub, PublishError, Publisher, StreamName};
use crate::flags;
use crate::service::{Greeting, Job, Run};

/// Stream name of the demo, which is also the name in the README's examples.
pub const NAME: &str = "live/livestream";
/// H.264 and AAC; made by `demo/make-clip.sh` so that it loops seamlessly.
static CLIP: &[u8] = include_bytes!("../../../demo/clip.flv");

/// Settings of the demo stream.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct DemoSettings {
    /// Play the built-in clip in a loop as live/livestream, until somebody publishes there
    #[arg(long, env = "LIANMAI_DEMO", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = flags::switch())]
    pub demo: bool,
}

impl Default for DemoSettings {
    fn default() -> Self {
        flags::defaults()
    }
}

/// The demo stream as a job.
#[derive(Debug)]
pub struct Demo;

impl Job for Demo {
    fn kind(&self) -> &'static str {
        "demo"
    }

    fn target(&self) -> String {
        NAME.to_owned()
    }

    fn run(&self, context: &Context) -> Run {
        let hub = context.hub.clone();
        Box::pin(async move {
            run(hub).await;
            Ok(())
        })
    }

    fn greet(&self, greeting: &mut Greeting) {
        greeting.demo(format!("plays as {NAME} until you publish there"));
    }
}

/// The clip's frames, starting at time 0, and its duration.
struct Clip {
    frames: Vec<Frame>,
    length: Micros,
}

impl Clip {
    fn read(bytes: &'static [u8]) -> Self {
        let mut demuxer = Demuxer::new();
        demuxer.push(Bytes::from_static(bytes));
        let mut frames = Vec::new();
        while let Some(event) = demuxer.next() {
            match event {
                Ok(Event::Frame(frame)) => frames.push(frame),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the demo clip has a bad tag"),
            }
        }
        let first = frames.iter().map(|frame| frame.dts).min().unwrap_or(0);
        for frame in &mut frames {
            frame.dts -= first;
            frame.pts -= first;
        }
        let length = length(frames.iter().filter(|frame| frame.is_video()).map(|frame| frame.dts));
        Self { frames, length }
    }
}

/// Returns the total duration of frames at these times; the last frame gets the average duration. FLV times
/// are rounded to milliseconds, and so is the result.
fn length(times: impl Iterator<Item = Micros>) -> Micros {
    let times: Vec<Micros> = times.collect();
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return SECOND };
    let steps = times.len().saturating_sub(1).max(1) as i64;
    ((last - first) * (steps + 1) / steps + MILLI / 2).div_euclid(MILLI).max(1) * MILLI
}

/// Publishes the clip whenever nobody else publishes [`NAME`]; ends with the hub.
async fn run(hub: Hub) {
    let Ok(name) = StreamName::parse(NAME) else { return };
    let clip = Clip::read(CLIP);
    let mut changed = hub.changed();
    loop {
        changed.borrow_and_update();
        match hub.publish_yielding(&PublishGrant::for_job(&name, "demo")) {
            Ok(publisher) => {
                tracing::info!(stream = NAME, "demo started");
                play(&clip, publisher).await;
                tracing::info!(stream = NAME, "demo stopped: another publisher uses its name");
            }
            Err(PublishError::ShuttingDown) => return,
            Err(PublishError::Busy | PublishError::TooManyStreams(_)) => {}
        }
        tokio::select! {
            // The hub lives as long as this function holds it.
            _ = changed.changed() => {}
            () = sleep(Duration::from_secs(5)) => {}
        }
    }
}

/// Plays the clip in a loop in real time, until another publisher comes.
async fn play(clip: &Clip, mut publisher: Publisher) {
    publisher.announce(true, true);
    let mut start = Instant::now();
    let mut round: Micros = 0;
    loop {
        for frame in &clip.frames {
            let at = start + Duration::from_micros(frame.dts as u64);
            if Instant::now() > at + Duration::from_secs(2) {
                // The machine was suspended: continue from here without catching up.
                start += Instant::now() - at;
            }
            tokio::select! {
                _ = publisher.revoked() => return,
                () = sleep_until(at) => {}
            }
            let mut frame = frame.clone();
            frame.dts += round;
            frame.pts += round;
            publisher.push(frame);
        }
        start += Duration::from_micros(clip.length as u64);
        round += clip.length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::admission::PlayGrant;
    use crate::core::hub::{HubConfig, Start};

    #[test]
    fn the_clip_has_both_tracks_and_ends_where_it_begins_again() {
        let clip = Clip::read(CLIP);
        assert!(clip.frames.first().is_some_and(|f| f.is_video() && f.key && f.dts == 0));
        assert_eq!(clip.length, 24 * SECOND);
        let audio: Vec<_> = clip.frames.iter().filter(|f| !f.is_video()).map(|f| f.dts).collect();
        // AAC at 48 kHz: 21.3 ms.
        let seam = clip.length + audio[0] - audio[audio.len() - 1];
        assert!((20 * MILLI..=23 * MILLI).contains(&seam), "{seam}");
    }

    #[tokio::test(start_paused = true)]
    async fn it_loops_without_a_jump_makes_way_at_once_and_comes_back() {
        let hub = Hub::new(HubConfig::default());
        let demo = tokio::spawn(run(hub.clone()));
        let name = StreamName::parse(NAME).unwrap();
        let stream = hub.play(&PlayGrant::for_job(&name, "test"), Duration::from_secs(1)).await.unwrap();
        let mut viewer = stream.subscribe(Start::Key);
        let (mut last, mut entry) = (None, viewer.next().await.unwrap());
        while entry.frame.dts < 50 * SECOND {
            if entry.frame.is_video() {
                let step = entry.frame.dts - last.unwrap_or(entry.frame.dts);
                assert!(last.is_none() || (33 * MILLI..=34 * MILLI).contains(&step), "{step}");
                assert!(last.is_none() || !entry.discontinuity);
                last = Some(entry.frame.dts);
            }
            entry = viewer.next().await.unwrap();
        }
        let real = hub.publish(&PublishGrant::for_job(&name, "test")).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        while viewer.try_next().is_some() {}
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(viewer.try_next().is_none(), "the demo goes on beside the real publisher");
        drop((real, viewer, stream));
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(hub.play(&PlayGrant::for_job(&name, "test"), Duration::from_secs(60)).await.is_ok());
        hub.shutdown();
        demo.await.unwrap();
    }
}
