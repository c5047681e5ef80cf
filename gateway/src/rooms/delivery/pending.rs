//! The batch that a room collects until the next tick.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Batches, Delivery, Mailbox};
use crate::rooms::message::Message;
use crate::web::websocket::Text;

/// Size in bytes at which a batch ends. The last message may exceed it.
pub(super) const MAX_BATCH: usize = 256 << 10;
/// Maximum number of places in a batch at which clients came. Clients at one more place end the batch.
const MAX_PLACES: usize = 8;

/// The messages for all clients that were not sent yet. A client that comes meanwhile gets only those after its
/// welcome, so a burst of joins costs no batches.
#[derive(Debug, Default)]
pub(in crate::rooms) struct Pending {
    /// The messages in JSON, separated by commas.
    json: String,
    /// Clients that came while the batch was collected, with the length of `json` at this time.
    late: Vec<(usize, Arc<Mailbox>)>,
    /// Number of different lengths in `late`.
    places: usize,
}

impl Pending {
    /// Adds a message in JSON.
    pub(in crate::rooms) fn add(&mut self, message: &Message) {
        let start = self.json.len();
        if start > 0 {
            self.json.push(',');
        }
        match serde_json::to_string(message) {
            Ok(json) => self.json.push_str(&json),
            Err(_) => self.json.truncate(start),
        }
    }

    /// Returns whether the batch has to end.
    pub(in crate::rooms) const fn is_full(&self) -> bool {
        self.json.len() >= MAX_BATCH || self.places >= MAX_PLACES
    }

    /// Makes a client get the messages that are added from now on. `end` is the number of the batch. Returns the
    /// number of the first batch that the client gets as a whole.
    pub(in crate::rooms) const fn first_for_new(&self, end: u64) -> u64 {
        if self.json.is_empty() { end } else { end + 1 }
    }

    /// Adds a client that gets the rest of the batch.
    pub(in crate::rooms) fn came(&mut self, mailbox: &Arc<Mailbox>) {
        if self.json.is_empty() {
            return;
        }
        if self.late.last().is_none_or(|(place, _)| *place != self.json.len()) {
            self.places += 1;
        }
        self.late.push((self.json.len(), mailbox.clone()));
    }

    /// Ends the batch: appends it to `batches`. Returns the number of the next batch; `None` if this one has no
    /// messages. The caller must not append other batches meanwhile.
    pub(in crate::rooms) fn send(&mut self, batches: &Mutex<Batches>) -> Option<u64> {
        let Self { json, late, .. } = std::mem::take(self);
        if json.is_empty() {
            return None;
        }
        let text = Text::new(&format!("[{json}]"));
        // A mailbox that takes a batch is locked before the batches, so no mailbox is locked while the batches are.
        let end = batches.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        let mut rest: Option<(usize, Text)> = None;
        for (place, mailbox) in late.into_iter().filter(|(place, _)| *place < json.len()) {
            // A comma follows the messages before this place.
            let (_, text) = rest.take().filter(|(built, _)| *built == place).unwrap_or_else(|| {
                (place, Text::new(&format!("[{}]", json.get(place + 1..).unwrap_or_default())))
            });
            mailbox.push(end, Delivery::Text(text.clone()));
            rest = Some((place, text));
        }
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Subscription;
    use super::*;

    fn pong(n: u64) -> Message {
        Message::Pong { n: Some(n) }
    }

    fn come(pending: &mut Pending, batches: &Arc<Mutex<Batches>>) -> Subscription {
        let end = batches.lock().unwrap().end();
        let mailbox = Arc::new(Mailbox::new(Some(pending.first_for_new(end))));
        pending.came(&mailbox);
        Subscription::new(mailbox, batches.clone())
    }

    fn heard(client: &Subscription) -> Vec<String> {
        let texts = std::iter::from_fn(|| client.take()).map(|delivery| match delivery {
            Delivery::Text(text) => String::from_utf8(text.payload().to_vec()).unwrap(),
            other => panic!("{other:?}"),
        });
        texts.collect()
    }

    #[test]
    fn those_who_come_get_the_rest_of_the_batch() {
        let batches = Arc::<Mutex<Batches>>::default();
        let mut pending = Pending::default();
        let first = come(&mut pending, &batches);
        pending.add(&pong(1));
        let second = [come(&mut pending, &batches), come(&mut pending, &batches)];
        pending.add(&pong(2));
        let last = come(&mut pending, &batches);
        assert_eq!(pending.send(&batches), Some(1));
        pending.add(&pong(3));
        assert_eq!(pending.send(&batches), Some(2));
        assert_eq!(pending.send(&batches), None);
        let pong = |n: u64| format!(r#"{{"type":"pong","n":{n}}}"#);
        let next = format!("[{}]", pong(3));
        assert_eq!(heard(&first), [format!("[{},{}]", pong(1), pong(2)), next.clone()]);
        for client in &second {
            assert_eq!(heard(client), [format!("[{}]", pong(2)), next.clone()]);
        }
        assert_eq!(heard(&last), [next]);
    }

    #[test]
    fn those_who_come_read_on_another_worker() {
        const ROUNDS: usize = 2_000;
        let batches = Arc::<Mutex<Batches>>::default();
        let (clients, worker) = std::sync::mpsc::channel::<Subscription>();
        let reader = std::thread::spawn(move || {
            let mut heard = 0;
            while let Ok(client) = worker.recv() {
                // The client reads while the room sends.
                while client.take().is_none() {
                    std::thread::yield_now();
                }
                heard += 1;
            }
            heard
        });
        let mut pending = Pending::default();
        for n in 0..ROUNDS as u64 {
            pending.add(&pong(n));
            clients.send(come(&mut pending, &batches)).unwrap();
            pending.add(&pong(n));
            assert_eq!(pending.send(&batches), Some(n + 1));
        }
        drop(clients);
        assert_eq!(reader.join().unwrap(), ROUNDS);
    }

    #[test]
    fn a_batch_ends_at_so_many_places_or_bytes() {
        let batches = Arc::<Mutex<Batches>>::default();
        let mut pending = Pending::default();
        for n in 0..MAX_PLACES as u64 {
            assert!(!pending.is_full());
            pending.add(&pong(n));
            // Any number of clients comes at one place.
            for _ in 0..100 {
                come(&mut pending, &batches);
            }
        }
        assert!(pending.is_full());
        pending.send(&batches);
        assert!(!pending.is_full());
        let long = Message::Control { id: "a".into(), call: "x".repeat(MAX_BATCH), data: String::new() };
        pending.add(&long);
        assert!(pending.is_full());
    }
}
