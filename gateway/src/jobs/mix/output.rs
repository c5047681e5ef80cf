//! The output of a mix: its encoder, and its stream in the hub.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use media::time::{Micros, SECOND};
use media::{Config, Frame};
use tokio::time::{Duration, Instant, sleep};

use super::children::{Encoder, EncoderSettings, Output as Made, Reason, Supervised};
use crate::core::admission::PublishGrant;
use crate::core::close::CloseReason;
use crate::core::hub::{Hub, PublishError, Publisher, StreamName};

/// Maximum number of pictures in the encoder whose delay is measured.
const MAX_INSIDE: usize = 64;

/// Longest time in which the previous run of the mix ends.
const PREVIOUS_ENDS_IN: Duration = Duration::from_secs(2);
/// Time between two attempts to publish in that time.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// Longest time from the first picture for a new encoder alone to its frame.
const SWITCHES_IN: Micros = SECOND;

/// An event at the output.
#[derive(Debug)]
pub(super) enum Event {
    /// A frame was published, or the encoder has room.
    Progress,
    /// Another encoder process has replaced one that ended.
    Restarted,
    /// The stream was taken away from the mix.
    Revoked(CloseReason),
    /// The encoder has ended and will not come back.
    Failed(Reason),
}

/// An encoder with the times of the pictures in it.
struct Encoding {
    encoder: Supervised<Encoder>,
    inside: VecDeque<(Micros, Instant)>,
    /// Whether the next picture becomes a key frame.
    wants_key: bool,
}

impl Encoding {
    fn new(settings: EncoderSettings) -> Self {
        Self { encoder: Supervised::new(settings), inside: VecDeque::new(), wants_key: false }
    }

    /// Encodes a picture. Returns false if the encoder has no room.
    fn push(&mut self, picture: Bytes, time: Micros) -> bool {
        if !self.encoder.push(picture, time, self.wants_key) {
            return false;
        }
        self.wants_key = false;
        self.inside.push_back((time, Instant::now()));
        if self.inside.len() > MAX_INSIDE {
            self.inside.pop_front();
        }
        true
    }

    /// Returns how long the picture of this time was in the encoder, in microseconds.
    fn delay(&mut self, time: Micros) -> Option<Micros> {
        while let Some((pushed, at)) = self.inside.pop_front() {
            if pushed == time {
                return Some(at.elapsed().as_micros() as Micros);
            }
        }
        None
    }
}

/// The output of a mix.
pub(super) struct Output {
    publisher: Publisher,
    current: Encoding,
    /// An encoder with other settings. It takes over at a key frame of its own, when it keeps up.
    next: Option<Encoding>,
    /// Whether the next encoder has made a frame: it keeps up.
    ready: bool,
    /// The time of the first picture that only the next encoder gets.
    switch: Option<Micros>,
    /// The configuration of the published video. Frames of a new encoder with an equal one get the same.
    config: Option<Arc<Config>>,
    /// The time of the newest published video frame.
    newest: Micros,
    /// Average time of a picture in the encoder, in microseconds.
    pub(super) delay: Micros,
    /// Number of published video frames since the last report.
    pub(super) frames: u32,
    pub(super) restarts: u64,
}

/// Begins to publish the stream of a mix. While it still belongs to the previous run of the mix, whose thread is about
/// to end, this waits.
///
/// # Errors
/// The stream cannot be published; the text says why.
pub(super) async fn publish(hub: &Hub, name: &str) -> Result<Publisher, String> {
    let name = StreamName::parse(name).map_err(|error| error.to_string())?;
    let grant = PublishGrant::for_job(&name, "mix");
    let until = Instant::now() + PREVIOUS_ENDS_IN;
    loop {
        match hub.publish(&grant) {
            Ok(mut publisher) => {
                publisher.announce(true, true);
                publisher.promise_keys();
                return Ok(publisher);
            }
            Err(PublishError::Busy) if Instant::now() < until => sleep(ASK_AGAIN).await,
            Err(error) => return Err(format!("cannot publish {name}: {error}")),
        }
    }
}

impl Output {
    /// Begins to encode for this stream.
    pub(super) fn new(publisher: Publisher, settings: EncoderSettings) -> Self {
        Self {
            publisher,
            current: Encoding::new(settings),
            next: None,
            ready: false,
            switch: None,
            config: None,
            newest: Micros::MIN,
            delay: 0,
            frames: 0,
            restarts: 0,
        }
    }

    /// Returns the number of viewers.
    pub(super) fn viewers(&self) -> usize {
        self.publisher.stream().viewers()
    }

    /// Returns the process ids of the encoders.
    pub(super) fn processes(&self) -> impl Iterator<Item = u32> {
        let all = std::iter::once(&self.current).chain(&self.next);
        all.filter_map(|encoding| encoding.encoder.child()?.id())
    }

    /// Replaces the encoder. Viewers see no break: the old one goes on until the new one has made a key frame.
    pub(super) fn set(&mut self, settings: EncoderSettings) {
        let newest = self.next.as_ref().unwrap_or(&self.current);
        if *newest.encoder.settings() != settings {
            self.forget_next();
            self.next = Some(Encoding::new(settings));
        }
    }

    /// Goes on with the current encoder.
    fn forget_next(&mut self) {
        (self.next, self.ready, self.switch) = (None, false, None);
    }

    /// Returns whether an encoder is running that may be too slow.
    pub(super) fn encodes(&self) -> bool {
        self.current.encoder.child().is_some()
    }

    /// Returns the sizes of the pictures that the encoders take: of the current one, and of the next one.
    pub(super) fn sizes(&self) -> ((u32, u32), Option<(u32, u32)>) {
        let size = |encoding: &Encoding| {
            let settings = encoding.encoder.settings();
            (settings.width, settings.height)
        };
        (size(&self.current), self.next.as_ref().map(size))
    }

    /// Encodes a picture. Returns false if the encoder is too slow for it.
    pub(super) fn push(&mut self, picture: Bytes, time: Micros) -> bool {
        if self.switch.is_some_and(|at| time - at > SWITCHES_IN) {
            // The next encoder has stopped making frames.
            tracing::warn!("another encoder for the mix does not keep up; the old one goes on");
            self.forget_next();
        }
        self.switch.is_some() || self.current.push(picture, time)
    }

    /// Gives a picture to the next encoder. When that keeps up, the picture becomes a key frame, and the old encoder gets
    /// no more pictures. Call it before [`Output::push`].
    pub(super) fn push_next(&mut self, picture: Bytes, time: Micros) {
        let Some(next) = &mut self.next else { return };
        let switches = self.ready && self.switch.is_none();
        next.wants_key |= switches;
        if next.push(picture, time) && switches {
            self.switch = Some(time);
        }
    }

    /// Publishes audio.
    pub(super) fn push_audio(&mut self, frame: Frame) {
        self.publisher.push(frame);
    }

    /// Waits for the next event. Cancel-safe.
    pub(super) async fn next(&mut self) -> Event {
        let Self { publisher, current, next, .. } = self;
        let coming = async {
            match next {
                Some(next) => next.encoder.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            reason = publisher.revoked() => Event::Revoked(reason),
            () = publisher.key_asked() => {
                current.wants_key |= publisher.key_wanted();
                Event::Progress
            }
            made = current.encoder.next() => match made {
                Made::Made(frame) => {
                    if let Some(delay) = current.delay(frame.pts) {
                        self.delay = if self.delay == 0 { delay } else { (self.delay * 15 + delay) / 16 };
                    }
                    self.publish(frame);
                    Event::Progress
                }
                Made::Room => Event::Progress,
                Made::Restarted => {
                    self.restarts += 1;
                    current.inside.clear();
                    Event::Restarted
                }
                Made::End(reason) => Event::Failed(reason),
            },
            made = coming => {
                match made {
                    Made::Made(frame) => self.take_over(frame),
                    Made::Room => {}
                    Made::Restarted => (self.ready, self.switch) = (false, None),
                    // The old encoder goes on.
                    Made::End(reason) => {
                        tracing::warn!(%reason, "another encoder for the mix failed; the old one goes on");
                        self.forget_next();
                    }
                }
                Event::Progress
            }
        }
    }

    /// Handles a frame of the next encoder. The first frame shows that it keeps up. It takes over with the key frame of
    /// the first picture that it alone has got.
    fn take_over(&mut self, frame: Frame) {
        self.ready = true;
        if !frame.key || self.switch.is_none_or(|at| frame.pts < at) {
            return;
        }
        if let Some(next) = self.next.take() {
            self.current = next;
        }
        self.forget_next();
        self.publish(frame);
    }

    fn publish(&mut self, mut frame: Frame) {
        if frame.pts <= self.newest {
            return;
        }
        match &self.config {
            Some(config) if **config == *frame.config => frame.config = config.clone(),
            _ => self.config = Some(frame.config.clone()),
        }
        self.newest = frame.pts;
        self.frames += 1;
        self.publisher.push(frame);
    }
}

#[cfg(test)]
mod tests;
