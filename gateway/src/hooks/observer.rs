//! Hears of ended sessions and finished segments, and queues the hooks that tell of them.

use std::sync::Arc;

use super::Hooks;
use super::action::Action;
use super::event::Recording;
use super::guard::is_internal;
use crate::core::client::Act;
use crate::core::hub::{Happened, HubEvents, NextEvent};
use crate::core::session::{ClientSession, Observer, SessionEnd};

/// Hears of sessions.
#[derive(Debug)]
pub(super) struct HookObserver(pub(super) Hooks);

impl HookObserver {
    fn end(&self, session: &ClientSession, end: Option<&SessionEnd<'_>>) {
        let Some(events) = self.0.0.events.get() else { return };
        if is_internal(session) || self.0.current().is_empty() {
            return;
        }
        events.ended(session, end).iter().for_each(|event| self.0.tell(event));
    }
}

impl Observer for HookObserver {
    fn began(&self, session: &Arc<ClientSession>, again: bool) {
        let Some(events) = self.0.0.events.get() else { return };
        if session.act == Act::Publish && !is_internal(session) {
            self.0.ask_forward(session);
        }
        // The first time, the guard has asked. An HLS viewer that stays for the next publisher was told to have left.
        if again && session.act == Act::Play && !is_internal(session) {
            for action in [Action::Connect, Action::Play] {
                self.0.tell(&events.asked(action, session));
            }
        }
    }

    fn ended(&self, session: &Arc<ClientSession>, end: &SessionEnd<'_>) {
        self.end(session, Some(end));
    }

    fn abandoned(&self, session: &Arc<ClientSession>) {
        self.end(session, None);
    }
}

/// Tells of finished HLS segments and recordings, until the hub is gone.
pub(super) async fn follow(hooks: Hooks, mut happened: HubEvents) {
    while let Some(next) = happened.next().await {
        let NextEvent::Event(event) = next else { continue };
        let Some(events) = hooks.0.events.get() else { continue };
        match &event.happened {
            Happened::Segment(segment)
                if hooks.current().iter().any(|hook| hook.address().wants(Action::Hls)) =>
            {
                hooks.tell(&events.segment(&event.stream, segment));
            }
            Happened::Recorded { path, .. } => {
                let cwd = std::env::current_dir().unwrap_or_default();
                hooks.recorded(&event.stream, &Recording { cwd, file: path.to_path_buf() });
            }
            _ => {}
        }
    }
}
