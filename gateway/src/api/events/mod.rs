//! `GET /api/v1/events`: what happens, and the figures of all streams every two seconds, as server-sent events (HTML
//! standard, 9.2) for the operator's console.
//!
//! A listener has no queue of its own beyond [`MAX_WAITING`](crate::core::facts::MAX_WAITING) facts: the next event is
//! made when the connection can take it. So a slow listener gets fewer figures, and is told how many facts it missed.

mod figures;
mod follow;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream::unfold;
use http::{HeaderName, StatusCode, header};
use serde::Serialize;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Api, Asker};
use crate::core::auth::Logins;
use crate::core::facts::{Fact, FactListener, NextFact};

pub(super) use figures::Figures;
pub(super) use follow::follow;

/// Maximum number of listeners.
pub(super) const MAX_LISTENERS: usize = 16;
/// How often the figures are sent.
const EVERY: Duration = Duration::from_secs(2);
/// Time after which a connection ends. The browser connects again, and shows its credentials again.
const MAX_AGE: Duration = Duration::from_secs(3600);
/// SRS has no events, so this is the HTTP status.
const TOO_MANY: u32 = 503;

/// The number of listeners. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub(super) struct Listeners(Arc<AtomicUsize>);

/// The place of one listener, until it is dropped.
#[derive(Debug)]
struct Place(Listeners);

impl Listeners {
    fn enter(&self) -> Option<Place> {
        let more = |count: usize| (count < MAX_LISTENERS).then_some(count + 1);
        let entered = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        entered.is_ok().then(|| Place(self.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Handles `GET /api/v1/events`.
pub(super) async fn events(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let Some(place) = api.0.listeners.enter() else {
        let text = format!("{MAX_LISTENERS} listeners receive events already: close another console first");
        return api.refuse(StatusCode::SERVICE_UNAVAILABLE, TOO_MANY, &text);
    };
    let auth = &api.0.context.auth;
    let login = auth.login(&asked.about()).map(|login| (auth.logins.clone(), login.id));
    let (past, facts) = api.0.context.facts.listen();
    let mut ticks = interval_at(Instant::now(), EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stream = EventStream {
        first: Some(event("past", &Past { facts: past })),
        facts,
        ticks,
        login,
        end: Instant::now() + MAX_AGE,
        stop: api.0.stop.clone(),
        api,
        _place: place,
    };
    let body = Body::from_stream(unfold(stream, |mut stream| async move {
        let next = stream.next().await?;
        Some((Ok::<_, Infallible>(next), stream))
    }));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx: pass each event on at once.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

#[derive(Serialize)]
struct Past {
    facts: Vec<Fact>,
}

#[derive(Serialize)]
struct Missed {
    count: u64,
}

/// The events for one listener.
struct EventStream {
    first: Option<Bytes>,
    facts: FactListener,
    ticks: Interval,
    /// The login with which the listener came: its end is the end of the events.
    login: Option<(Logins, u64)>,
    end: Instant,
    stop: CancellationToken,
    api: Api,
    _place: Place,
}

impl EventStream {
    /// Returns the next event; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        let next = tokio::select! {
            fact = self.facts.next() => match fact? {
                NextFact::Fact(fact) => event("fact", &fact),
                NextFact::Missed(count) => event("missed", &Missed { count }),
            },
            _ = self.ticks.tick() => self.api.0.figures.event(&self.api.0.context, &self.api.0.gate),
            () = sleep_until(self.end) => return None,
            () = self.stop.cancelled() => return None,
        };
        let logged_in = self.login.as_ref().is_none_or(|(logins, id)| logins.has(*id));
        logged_in.then_some(next)
    }
}

/// Writes an event. JSON has no line breaks, which would end the field.
fn event(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n").into()
}
