//! Replaces children that ended.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use media::Frame;
use media::time::Micros;
use tokio::time::{Instant, sleep_until};

use super::{DecodedPicture, Decoder, DecoderSettings, Encoder, EncoderSettings, Output, Reason};
use crate::net::child::Restarts;

/// A child process that can be replaced by another with the same settings.
pub trait Child: Sized + Send {
    /// The settings.
    type Settings: Send + Sync;
    /// The product: pictures or frames.
    type Made;

    /// Starts the process.
    ///
    /// # Errors
    /// The process cannot be started.
    fn start(settings: &Self::Settings) -> Result<Self, Reason>;

    /// Waits for the next product, or for room for input. Cancel-safe.
    fn next(&mut self) -> impl Future<Output = Output<Self::Made>> + Send;
}

impl Child for Decoder {
    type Settings = DecoderSettings;
    type Made = DecodedPicture;

    fn start(settings: &DecoderSettings) -> Result<Self, Reason> {
        Self::start(settings)
    }

    fn next(&mut self) -> impl Future<Output = Output<DecodedPicture>> + Send {
        self.next()
    }
}

impl Child for Encoder {
    type Settings = EncoderSettings;
    type Made = Frame;

    fn start(settings: &EncoderSettings) -> Result<Self, Reason> {
        Self::start(settings)
    }

    fn next(&mut self) -> impl Future<Output = Output<Frame>> + Send {
        self.next()
    }
}

/// A child process that is replaced when it ends: after 0.3 s at first, later after 1 s and 3 s. It is given up after
/// four failures in a row, or at once when another attempt would fail, too. A run of a minute makes the next failure
/// the first again.
#[derive(Debug)]
pub struct Supervised<C: Child> {
    settings: C::Settings,
    state: State<C>,
    restarts: Restarts,
    /// Whether a decoder has got a key frame.
    keyed: bool,
}

#[derive(Debug)]
enum State<C> {
    /// The child runs since this time.
    Runs(C, Instant),
    /// The next child starts at this time.
    Waits(Instant),
    /// There will be no other child.
    Ended(Reason),
}

impl<C: Child> Supervised<C> {
    /// Starts the first child. A failure is returned by [`next`](Self::next).
    pub fn new(settings: C::Settings) -> Self {
        let mut new = Self {
            settings,
            state: State::Waits(Instant::now()),
            restarts: Restarts::default(),
            keyed: false,
        };
        new.start();
        new
    }

    /// Returns the settings.
    pub fn settings(&self) -> &C::Settings {
        &self.settings
    }

    /// Returns the running child.
    pub fn child(&self) -> Option<&C> {
        match &self.state {
            State::Runs(child, _) => Some(child),
            State::Waits(_) | State::Ended(_) => None,
        }
    }

    /// Waits for the next product, for room for input, or for another child. Cancel-safe.
    pub async fn next(&mut self) -> Output<C::Made> {
        loop {
            match &mut self.state {
                State::Runs(child, since) => match child.next().await {
                    Output::End(reason) => {
                        let ran = since.elapsed();
                        self.failed(reason, ran);
                    }
                    output => return output,
                },
                State::Waits(until) => {
                    sleep_until(*until).await;
                    if self.start() {
                        return Output::Restarted;
                    }
                }
                State::Ended(reason) => return Output::End(reason.clone()),
            }
        }
    }

    /// Starts a child. Returns false if it cannot be started.
    fn start(&mut self) -> bool {
        self.keyed = false;
        match C::start(&self.settings) {
            Ok(child) => {
                self.state = State::Runs(child, Instant::now());
                true
            }
            Err(reason) => {
                self.failed(reason, Duration::ZERO);
                false
            }
        }
    }

    fn failed(&mut self, reason: Reason, ran: Duration) {
        let pause = if reason.is_hopeless() { None } else { self.restarts.failed(ran) };
        self.state = match pause {
            Some(pause) => {
                tracing::info!(%reason, ?pause, "child process ended; another one follows");
                State::Waits(Instant::now() + pause)
            }
            None => State::Ended(reason),
        };
    }
}

impl Supervised<Decoder> {
    /// Returns whether a frame may be pushed. While there is no child, frames are accepted and dropped.
    pub fn has_room(&self) -> bool {
        self.child().is_none_or(Decoder::has_room)
    }

    /// Adds the next frame, in decode order. Frames before a key frame are dropped. Returns false if the frame is not
    /// decoded: then the frames up to the next key frame should be left out.
    pub fn push(&mut self, frame: &Frame) -> bool {
        let State::Runs(decoder, _) = &mut self.state else { return false };
        self.keyed |= frame.key;
        self.keyed && decoder.push(frame)
    }
}

impl Supervised<Encoder> {
    /// Returns whether a picture may be pushed. While there is no child, pictures are accepted and dropped.
    pub fn has_room(&self) -> bool {
        self.child().is_none_or(Encoder::has_room)
    }

    /// Adds a picture; see [`Encoder::push`].
    pub fn push(&mut self, picture: Bytes, time: Micros, key: bool) -> bool {
        let State::Runs(encoder, _) = &mut self.state else { return false };
        encoder.push(picture, time, key)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    /// A child that ends after a time, with a reason, or cannot be started.
    struct Fake(Duration, Reason);

    impl Child for Fake {
        type Settings = (Duration, Reason);
        type Made = ();

        fn start((runs, reason): &(Duration, Reason)) -> Result<Self, Reason> {
            if runs.is_zero() { Err(reason.clone()) } else { Ok(Self(*runs, reason.clone())) }
        }

        async fn next(&mut self) -> Output<()> {
            sleep(self.0).await;
            Output::End(self.1.clone())
        }
    }

    /// Returns the number of restarts within `time`, and the reason if the child was given up.
    async fn restarts(runs: Duration, reason: Reason, time: Duration) -> (u32, Option<Reason>) {
        let mut child = Supervised::<Fake>::new((runs, reason));
        let (begin, mut count) = (Instant::now(), 0);
        while begin.elapsed() < time {
            match child.next().await {
                Output::Restarted => count += 1,
                Output::End(reason) => {
                    assert!(child.child().is_none());
                    assert_eq!(child.next().await, Output::End(reason.clone()));
                    return (count, Some(reason));
                }
                other => panic!("{other:?}"),
            }
        }
        (count, None)
    }

    #[tokio::test(start_paused = true)]
    async fn a_child_that_ends_again_and_again_is_given_up_with_the_last_reason() {
        let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3600));
        let failed = Reason::Failed("exit status: 1".to_owned());
        assert_eq!(restarts(second, failed.clone(), hour).await, (3, Some(failed.clone())));
        // A child that cannot be started is tried as often.
        let not_started = Reason::NotStarted(std::io::ErrorKind::OutOfMemory);
        assert_eq!(restarts(Duration::ZERO, not_started.clone(), hour).await, (0, Some(not_started)));
        // A child that runs for more than a minute each time is never given up.
        let (count, end) = restarts(61 * second, failed, hour).await;
        assert!((55..60).contains(&count) && end.is_none(), "{count}");
    }

    #[tokio::test(start_paused = true)]
    async fn another_attempt_is_not_made_when_it_would_fail_too() {
        for runs in [Duration::ZERO, Duration::from_secs(1)] {
            let begin = Instant::now();
            let end = restarts(runs, Reason::NotFound, Duration::from_secs(3600)).await;
            assert_eq!(end, (0, Some(Reason::NotFound)));
            assert!(begin.elapsed() <= runs);
        }
    }
}
