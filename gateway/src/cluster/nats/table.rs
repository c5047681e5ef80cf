//! The subscriptions of a node and its open questions. They outlive connections.
//!
//! An entry takes about 200 bytes, because a node may own 20,000 streams.

use std::collections::{BTreeSet, HashMap};

use bytes::{Bytes, BytesMut};
use tokio::sync::{mpsc, oneshot};

use super::wire;
use crate::core::bus::{Handler, Subject};

/// The number of the subscription for all answers.
pub(super) const ANSWERS: u64 = 1;

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// A node has answered.
    Answer(Bytes),
    /// No node has subscribed.
    Nobody,
}

/// Who waits for answers.
#[derive(Debug)]
pub(super) enum Waiter {
    /// For the first answer.
    One(oneshot::Sender<Reply>),
    /// For several.
    Many(mpsc::Sender<Reply>),
}

struct Entry {
    subject: Subject,
    handler: Handler,
}

/// The subscriptions and questions. There are as many as the node's claims, relays and requests.
pub(super) struct Table {
    next: u64,
    /// The begin of the subjects for answers.
    inbox: String,
    subscriptions: HashMap<u64, Entry>,
    waiters: HashMap<u64, Waiter>,
    /// The subscriptions that the server does not know yet, and those that it shall forget.
    new: BTreeSet<u64>,
    old: Vec<u64>,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            next: ANSWERS,
            inbox: format!("_INBOX.{:032x}.", rand::random::<u128>()),
            subscriptions: HashMap::new(),
            waiters: HashMap::new(),
            new: BTreeSet::new(),
            old: Vec::new(),
        }
    }

    /// Adds a subscription. Returns its number.
    pub(super) fn subscribe(&mut self, subject: Subject, handler: Handler) -> u64 {
        self.next += 1;
        self.subscriptions.insert(self.next, Entry { subject, handler });
        self.new.insert(self.next);
        self.next
    }

    /// Removes a subscription.
    pub(super) fn unsubscribe(&mut self, id: u64) {
        let known = self.subscriptions.remove(&id).is_some();
        if known && !self.new.remove(&id) {
            self.old.push(id);
        }
    }

    /// Adds a question. Returns its number.
    pub(super) fn wait(&mut self, waiter: Waiter) -> u64 {
        self.next += 1;
        self.waiters.insert(self.next, waiter);
        self.next
    }

    /// Removes a question.
    pub(super) fn forget(&mut self, question: u64) {
        self.waiters.remove(&question);
    }

    /// Returns the subject for answers to a question.
    pub(super) fn inbox(&self, question: u64) -> String {
        format!("{}{question}", self.inbox)
    }

    /// Returns the handler of a subscription.
    pub(super) fn handler(&self, id: u64) -> Option<Handler> {
        self.subscriptions.get(&id).map(|entry| entry.handler.clone())
    }

    /// Passes an answer to the question to which its subject belongs. Late answers, and those beyond the bound of a
    /// question, are dropped.
    pub(super) fn answered(&mut self, subject: &[u8], reply: Reply) {
        let number = subject.strip_prefix(self.inbox.as_bytes());
        let number = number.and_then(|number| std::str::from_utf8(number).ok()?.parse::<u64>().ok());
        let Some(number) = number else { return };
        match self.waiters.get(&number) {
            Some(Waiter::Many(answers)) => drop(answers.try_send(reply)),
            Some(Waiter::One(_)) => {
                if let Some(Waiter::One(answer)) = self.waiters.remove(&number) {
                    // Nobody may wait any more.
                    let _ = answer.send(reply);
                }
            }
            None => {}
        }
    }

    /// A connection begins: appends all subscriptions.
    pub(super) fn begin(&mut self, out: &mut BytesMut) {
        wire::subscribe(out, &format!("{}*", self.inbox), ANSWERS);
        for (id, entry) in &self.subscriptions {
            wire::subscribe(out, entry.subject.as_str(), *id);
        }
        self.new.clear();
        self.old.clear();
    }

    /// A connection has ended: nothing answers the open questions.
    pub(super) fn end(&mut self) {
        self.waiters.clear();
    }

    /// Appends what has changed since the last call.
    pub(super) fn changes(&mut self, out: &mut BytesMut) {
        for id in std::mem::take(&mut self.new) {
            if let Some(entry) = self.subscriptions.get(&id) {
                wire::subscribe(out, entry.subject.as_str(), id);
            }
        }
        for id in self.old.drain(..) {
            wire::unsubscribe(out, id);
        }
    }

    /// Drops the changes while there is no connection: the next one begins with all subscriptions.
    pub(super) fn drop_old(&mut self) {
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn subscribe(table: &mut Table, word: &str) -> u64 {
        table.subscribe(Subject::new(word), Arc::new(|_| {}))
    }

    fn changes(table: &mut Table) -> String {
        let mut out = BytesMut::new();
        table.changes(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn the_server_hears_of_changes_once_and_of_all_at_the_begin() {
        let mut table = Table::new();
        let first = subscribe(&mut table, "a");
        let short = subscribe(&mut table, "b");
        table.unsubscribe(short);
        assert_eq!(
            changes(&mut table),
            format!("SUB lm.a {first}\r\n"),
            "nobody needs to hear of the short one"
        );
        table.unsubscribe(first);
        table.unsubscribe(first);
        assert_eq!(changes(&mut table), format!("UNSUB {first}\r\n"));
        assert_eq!(changes(&mut table), "");
        let second = subscribe(&mut table, "c");
        let mut out = BytesMut::new();
        table.begin(&mut out);
        let all = String::from_utf8_lossy(&out).into_owned();
        assert!(all.starts_with("SUB _INBOX.") && all.ends_with(&format!("SUB lm.c {second}\r\n")), "{all}");
        assert_eq!(changes(&mut table), "");
        assert!(table.handler(second).is_some() && table.handler(first).is_none());
    }

    #[test]
    fn answers_find_their_questions_and_others_are_dropped() {
        let mut table = Table::new();
        let (one, mut answer) = oneshot::channel();
        let (many, mut answers) = mpsc::channel(2);
        let (one, many) = (table.wait(Waiter::One(one)), table.wait(Waiter::Many(many)));
        let reply = |text: &'static str| Reply::Answer(Bytes::from_static(text.as_bytes()));
        for subject in [
            "_INBOX.other.2".to_owned(),
            table.inbox(many + 1),
            format!("{}x", table.inbox(one)),
            String::new(),
        ] {
            table.answered(subject.as_bytes(), reply("wrong"));
        }
        assert!(answer.try_recv().is_err());
        let inbox = table.inbox(one);
        table.answered(inbox.as_bytes(), reply("first"));
        table.answered(inbox.as_bytes(), reply("second"));
        assert_eq!(answer.try_recv(), Ok(reply("first")));
        let inbox = table.inbox(many);
        ["1", "2", "3"].into_iter().for_each(|text| table.answered(inbox.as_bytes(), reply(text)));
        assert_eq!((answers.try_recv(), answers.try_recv()), (Ok(reply("1")), Ok(reply("2"))));
        table.end();
        assert_eq!(
            answers.try_recv(),
            Err(mpsc::error::TryRecvError::Disconnected),
            "the third was one too many"
        );
    }
}
