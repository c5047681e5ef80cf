//! Makes facts of the hub's events.

use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::core::facts::Fact;
use crate::core::hub::{Happened, HubEvent, NextEvent};

/// Makes the hub's events known until the gateway stops.
pub(in crate::api) async fn follow(context: Context, stop: CancellationToken) {
    let mut events = context.hub.events();
    loop {
        let next = tokio::select! {
            next = events.next() => next,
            () = stop.cancelled() => return,
        };
        match next {
            Some(NextEvent::Event(event)) => tell(&context, &event),
            // The figures show the present state anyway.
            Some(NextEvent::Missed(_)) => {}
            None => return,
        }
    }
}

fn tell(context: &Context, event: &HubEvent) {
    let (what, count) = match event.happened {
        Happened::Started => ("started", None),
        Happened::Resumed => ("resumed", None),
        Happened::Paused => ("paused", None),
        Happened::Ended => ("ended", None),
        Happened::Viewers(count) => ("viewers", Some(count as u64)),
        Happened::ConfigChanged(_) | Happened::Segment(_) => return,
        Happened::Recorded { .. } => ("recorded", None),
    };
    let fact = Fact { what, stream: event.stream.to_string(), count, ..Fact::default() };
    match event.happened {
        // The number of viewers changes too often to be kept.
        Happened::Viewers(_) => context.facts.tell(fact),
        _ => context.facts.push(fact),
    }
}
