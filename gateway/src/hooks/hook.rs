//! One address: asks it, and sends it the queued events.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::StatusCode;
use rustls::ClientConfig;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::address::HookAddress;
use super::client::{Answer, HookClient};
use super::event::Event;
use super::forward;
use super::queue::{EventQueue, Tried};
use super::record::{HookRecord, HookReport};
use super::signature::Signer;

/// Time for a back end to answer all questions about a client.
pub(super) const ASK_LIMIT: Duration = Duration::from_secs(3);
/// Time for a back end to take an event.
const TELL_LIMIT: Duration = Duration::from_secs(5);
/// Maximum number of unanswered questions. Further clients are refused.
pub(super) const MAX_ASKING: usize = 256;
/// Maximum number of tests of an address at the same time.
pub(super) const MAX_TESTS: usize = 2;
/// Maximum number of events that are sent at the same time, each about another stream.
const MAX_SENDING: usize = 4;
/// Interval in which unused connections are looked at.
const SWEEP: Duration = Duration::from_secs(1);

/// The answer of a back end to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The client may come in.
    Yes,
    /// It may not.
    No,
    /// There was no usable answer.
    NoAnswer,
}

/// An address is being tested already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooManyTests;

/// What the sending task shares with its [`Hook`].
#[derive(Debug)]
struct Shared {
    address: HookAddress,
    client: HookClient,
    queue: Mutex<EventQueue>,
    pushed: Notify,
    /// Signalled after every try.
    tried: Notify,
    record: HookRecord,
    asking: Semaphore,
    testing: Semaphore,
}

/// An address in use. Dropping it stops its task; events that wait are lost.
#[derive(Debug)]
pub(super) struct Hook {
    shared: Arc<Shared>,
    _sender: AbortOnDropHandle<()>,
}

impl Hook {
    /// Starts to send the queued events in a task.
    pub(super) fn start(address: HookAddress, tls: &Arc<ClientConfig>, runtime: &Handle) -> Self {
        let shared = Arc::new(Shared {
            client: HookClient::new(address.uri().clone(), tls.clone()),
            address,
            queue: Mutex::default(),
            pushed: Notify::new(),
            tried: Notify::new(),
            record: HookRecord::default(),
            asking: Semaphore::new(MAX_ASKING),
            testing: Semaphore::new(MAX_TESTS),
        });
        let sender = runtime.spawn(send_queued(shared.clone()));
        Self { shared, _sender: AbortOnDropHandle::new(sender) }
    }

    pub(super) fn address(&self) -> &HookAddress {
        &self.shared.address
    }

    pub(super) fn sign_with(&self, signer: Arc<Signer>) {
        self.shared.client.sign_with(signer);
    }

    /// Queues an event.
    pub(super) fn tell(&self, event: Arc<Event>) {
        let action = event.action.name();
        if self.shared.queue().push(event, Instant::now()) {
            return self.shared.pushed.notify_one();
        }
        metrics::counter!("lianmai_hook_lost_total", "reason" => "queue_full").increment(1);
        self.shared.record.count(|counts| {
            if counts.dropped == 0 {
                let hook = self.shared.address.to_string();
                tracing::warn!(hook, action, "hook dropped: too many wait; further ones are only counted");
            }
            counts.dropped += 1;
        });
    }

    /// Asks whether a client may come in: sends the events one after the other, until one is not answered with yes.
    pub(super) async fn ask(&self, events: &[Arc<Event>]) -> Verdict {
        let shared = &self.shared;
        let Ok(_permit) = shared.asking.try_acquire() else {
            metrics::counter!("lianmai_hook_questions_total", "answer" => "none").increment(1);
            return Verdict::NoAnswer;
        };
        let deadline = Instant::now() + ASK_LIMIT;
        for event in events {
            let left = deadline.saturating_duration_since(Instant::now());
            let verdict = match shared.send(event, left).await {
                Ok(answer) if lets_in(&answer) => continue,
                Ok(_) => {
                    shared.record.count(|counts| counts.refused += 1);
                    Verdict::No
                }
                Err(_) => Verdict::NoAnswer,
            };
            let label = if verdict == Verdict::No { "no" } else { "none" };
            metrics::counter!("lianmai_hook_questions_total", "answer" => label).increment(1);
            return verdict;
        }
        shared.record.count(|counts| counts.delivered += events.len() as u64);
        metrics::counter!("lianmai_hook_questions_total", "answer" => "yes").increment(1);
        Verdict::Yes
    }

    /// Sends an event at once, whatever waits, and records the answer.
    ///
    /// # Errors
    /// [`MAX_TESTS`] are being sent.
    pub(super) async fn try_out(&self, event: &Event) -> Result<(), TooManyTests> {
        let _permit = self.shared.testing.try_acquire().map_err(|_| TooManyTests)?;
        // The answer stands in the record.
        let _ = self.shared.send(event, TELL_LIMIT).await;
        Ok(())
    }

    /// Asks where a stream is sent on to. The error is a text for the log.
    pub(super) async fn ask_targets(&self, event: &Event) -> Result<Vec<String>, String> {
        let shared = &self.shared;
        let permit = shared.asking.try_acquire();
        let _permit = permit.map_err(|_| format!("{MAX_ASKING} questions wait for an answer"))?;
        let answer = shared.send(event, ASK_LIMIT).await?;
        match forward::targets(&answer) {
            Ok(targets) => {
                shared.record.count(|counts| counts.delivered += 1);
                Ok(targets)
            }
            Err(why) => {
                shared.record.count(|counts| counts.failed += 1);
                Err(why.to_owned())
            }
        }
    }

    /// Returns its state.
    pub(super) fn report(&self) -> HookReport {
        let (counts, last) = self.shared.record.get();
        HookReport {
            address: self.shared.address.to_string(),
            actions: self.shared.address.actions(),
            waiting: self.shared.queue().waiting(),
            counts,
            last,
        }
    }

    /// Resolves when every waiting event has been tried.
    pub(super) async fn drained(&self) {
        loop {
            let tried = self.shared.tried.notified();
            if !self.shared.queue().has_untried() {
                return;
            }
            tried.await;
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, EventQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends an event and records the answer.
    async fn send(&self, event: &Event, limit: Duration) -> Result<Answer, String> {
        let begun = Instant::now();
        let sent = timeout(limit, self.client.post(event)).await;
        let answer = sent.unwrap_or_else(|_| Err("the server did not answer in time".to_owned()));
        self.record.sent(&self.address.to_string(), event, &answer, begun.elapsed());
        answer
    }

    /// Sends a queued event and records the result.
    async fn deliver(&self, event: Arc<Event>) {
        let delivered = match self.send(&event, TELL_LIMIT).await {
            Ok(answer) => answer.status.is_success(),
            Err(_) => false,
        };
        let tried = self.queue().sent(&event.stream, delivered, Instant::now());
        let (hook, action) = (self.address.to_string(), event.action.name());
        match tried {
            Tried::Delivered => self.record.count(|counts| counts.delivered += 1),
            Tried::Again => {}
            Tried::GivenUp => {
                metrics::counter!("lianmai_hook_lost_total", "reason" => "given_up").increment(1);
                self.record.count(|counts| counts.given_up += 1);
                tracing::warn!(hook, action, stream = %event.stream, "hook given up");
            }
        }
        self.tried.notify_waiters();
    }
}

/// Returns whether an answer lets a client in: status 200, and `0` or an object with the code 0.
fn lets_in(answer: &Answer) -> bool {
    let body = answer.body.trim();
    let object = || serde_json::from_str::<serde_json::Value>(body).ok();
    answer.status == StatusCode::OK
        && (body == "0"
            || object().is_some_and(|value| value.get("code").and_then(|c| c.as_i64()) == Some(0)))
}

/// Sends the queued events, forever.
async fn send_queued(shared: Arc<Shared>) {
    let mut sending = FuturesUnordered::new();
    let mut idle = false;
    loop {
        while sending.len() < MAX_SENDING
            && let Some(event) = shared.queue().take_due(Instant::now())
        {
            sending.push(shared.deliver(event));
            idle = true;
        }
        let due = shared.queue().next_due().filter(|_| sending.len() < MAX_SENDING);
        let now = Instant::now();
        tokio::select! {
            Some(()) = sending.next() => {}
            () = shared.pushed.notified() => {}
            () = sleep_until(due.unwrap_or(now)), if due.is_some() => {}
            () = sleep_until(now + SWEEP), if idle => idle = shared.client.close_old() || !sending.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_zero_lets_in() {
        let answer = |status, body: &str| {
            lets_in(&Answer { status: StatusCode::from_u16(status).unwrap(), body: body.to_owned() })
        };
        for yes in ["0", "0\n", " 0 ", "{\"code\":0}", "{\"code\": 0, \"data\": \"x\"}"] {
            assert!(answer(200, yes), "{yes}");
            assert!(!answer(201, yes) && !answer(302, yes) && !answer(500, yes), "{yes}");
        }
        for no in [
            "",
            "1",
            "00",
            "\"0\"",
            "ok",
            "{}",
            "{\"code\":1}",
            "{\"code\":\"0\"}",
            "{\"code\":0",
            "null",
            "[0]",
        ] {
            assert!(!answer(200, no), "{no}");
        }
    }
}
