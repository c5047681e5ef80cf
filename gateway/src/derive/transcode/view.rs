//! A derived stream with the stream's own video and transcoded audio.

use std::sync::Arc;
use std::time::Duration;

use media::time::SECOND;
use tokio::time::Instant;

use super::replace::Replace;
use super::{AudioTarget, Codecs, pool};
use crate::core::hub::{FrameEntry, Start, Stream, Subscriber};
use crate::derive::derived::{Derivation, Output, Started};

/// Time to catch up when more than a second of the stream is waiting. A burst is processed sooner; after this
/// time the machine is too slow, and audio is left out.
const PATIENCE: Duration = Duration::from_millis(500);

/// The derived stream for readers that carry some audio codecs: other audio is transcoded. The video frames
/// are shared with the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TranscodedAudio {
    /// The audio codecs that the readers carry.
    pub(super) carried: Codecs,
    /// The target of transcoding, one of `carried`.
    pub(super) to: AudioTarget,
}

impl Derivation for TranscodedAudio {
    type Item = Arc<FrameEntry>;
    type Shared = ();

    const LINGER: Duration = Duration::from_secs(10);

    fn start(&self, stream: &Arc<Stream>, output: Output<Arc<FrameEntry>>) -> Started<()> {
        // Starts at the newest key frame, so that the first viewer gets audio for the cached video too.
        let frames = stream.subscribe(Start::Key);
        Started { task: pool::spawn(run(Replace::new(self.carried, self.to), frames, output)), shared: () }
    }
}

async fn run(mut replace: Replace, mut frames: Subscriber, output: Output<Arc<FrameEntry>>) {
    let mut out = Vec::new();
    let mut behind: Option<Instant> = None;
    while let Some(entry) = frames.next().await {
        let skipped = frames.take_skip();
        if frames.lag() > SECOND {
            behind.get_or_insert_with(Instant::now);
        } else {
            behind = None;
        }
        let late = behind.is_some_and(|since| since.elapsed() > PATIENCE);
        replace.push(&entry, skipped, late, &mut out);
        for entry in out.drain(..) {
            output.push(entry);
        }
        if !entry.frame.is_video() {
            // Lets the other streams on this thread run after each packet.
            tokio::task::yield_now().await;
        }
    }
}
