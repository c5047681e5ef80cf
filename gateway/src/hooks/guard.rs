//! The guard that asks the operator's back ends about clients.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use tokio::sync::oneshot;

use super::Hooks;
use super::action::Action;
use super::event::Event;
use super::hook::{Hook, Verdict};
use crate::core::admission::{Ask, Guard, Refusal, Usage};
use crate::core::client::{Act, Identity};
use crate::core::session::ClientSession;

/// Asks about every client. It is the last guard, because a client that a back end has let in must not be refused
/// without another hook.
#[derive(Debug)]
pub(super) struct HookGuard(pub(super) Hooks);

/// Returns whether hooks say nothing about a client: the room itself decides about its participants in its own
/// streams, which a back end does not know; another node of the cluster tells the back end about its own viewers.
pub(super) fn is_internal(session: &ClientSession) -> bool {
    match &session.identity {
        Identity::Seat { room, .. } => **room == *session.stream.app(),
        Identity::Node(_) => true,
        _ => false,
    }
}

/// The answers about a client. Dropping it tells the back ends that have let it in that it has left.
struct Asked {
    verdicts: Vec<(Arc<Hook>, Verdict)>,
    /// The events that tell the end. Empty if the client comes in.
    end: Vec<Arc<Event>>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        for (hook, _) in self.verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Yes) {
            for event in self.end.iter().filter(|event| hook.address().wants(event.action)) {
                hook.tell(event.clone());
            }
        }
    }
}

impl HookGuard {
    async fn ask(&self, session: ClientSession) -> Result<(), Refusal> {
        let (Some(events), Some(thread)) = (self.0.0.events.get(), self.0.0.thread.get()) else {
            return Ok(());
        };
        let word = session.act.word();
        let act = match session.act {
            Act::Publish => Action::Publish,
            Act::Play => Action::Play,
        };
        let questions = [Action::Connect, act].map(|action| events.asked(action, &session));
        let hooks = self.0.current();
        let questions: Vec<(Arc<Hook>, Vec<Arc<Event>>)> = hooks
            .iter()
            .map(|hook| {
                let wanted = questions.iter().filter(|event| hook.address().wants(event.action));
                (hook.clone(), wanted.cloned().collect())
            })
            .filter(|(_, events): &(_, Vec<_>)| !events.is_empty())
            .collect();
        if questions.is_empty() {
            return Ok(());
        }
        let end = events.ended(&session, None).to_vec();
        let (sender, receiver) = oneshot::channel();
        // On a thread of its own. If the client gives up meanwhile, `Asked` is dropped there.
        thread.handle().spawn(async move {
            let asked = questions.into_iter().map(|(hook, events)| async move {
                let verdict = hook.ask(&events).await;
                (hook, verdict)
            });
            drop(sender.send(Asked { verdicts: join_all(asked).await, end }));
        });
        let unavailable =
            "the operator's server did not answer in time whether this is allowed: try again later";
        let Ok(mut asked) = receiver.await else { return Err(Refusal::Unavailable(unavailable.to_owned())) };
        let has = |verdict| asked.verdicts.iter().any(|(_, found)| *found == verdict);
        if has(Verdict::No) {
            let text = format!("the operator's server has refused this ({word})");
            return Err(Refusal::Rule(text));
        }
        if has(Verdict::NoAnswer) {
            return Err(Refusal::Unavailable(unavailable.to_owned()));
        }
        asked.end.clear();
        Ok(())
    }
}

impl Guard for HookGuard {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        known: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        async move {
            // Admission refuses a client without an identity after all guards.
            let Some(identity) = known else { return Ok(None) };
            let session = ask.session(identity);
            if ask.usage == Usage::Consume && !is_internal(&session) {
                self.ask(session).await?;
            }
            Ok(None)
        }
        .boxed()
    }

    fn restricts_play(&self) -> bool {
        let asks = [Action::Connect, Action::Play];
        self.0.current().iter().any(|hook| asks.iter().any(|action| hook.address().wants(*action)))
    }
}
