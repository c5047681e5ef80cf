//! Translates the messages of a room into those of SRS.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::rooms::message::Id;

/// A participant, in the JSON format of SRS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Participant {
    display: Id,
    publishing: bool,
}

/// The participants of the room that a client has been told about, with whether they publish.
pub(super) struct View {
    room: String,
    own: Id,
    others: BTreeMap<Id, bool>,
}

impl View {
    /// Creates the view of the participant `own`, who knows of nobody yet.
    pub(super) const fn new(room: String, own: Id) -> Self {
        Self { room, own, others: BTreeMap::new() }
    }

    /// Returns the identifier of the participant.
    pub(super) const fn own(&self) -> &Id {
        &self.own
    }

    /// Returns the response to `join`.
    pub(super) fn joined(&self, tid: Value) -> Value {
        json!({ "tid": tid, "msg": {
            "action": "join", "room": self.room, "self": self.participant(&self.own),
            "participants": self.participants(),
        }})
    }

    fn participant(&self, id: &Id) -> Participant {
        Participant { display: id.clone(), publishing: self.others.get(id).copied().unwrap_or_default() }
    }

    fn participants(&self) -> Vec<Participant> {
        self.others.keys().map(|id| self.participant(id)).collect()
    }

    fn notification(&self, event: &str, peer: &Participant, param: &str, data: &str) -> Value {
        json!({ "msg": {
            "action": "notify", "event": event, "param": param, "data": data, "room": self.room,
            "self": self.participant(&self.own), "peer": peer, "participants": self.participants(),
        }})
    }

    /// Translates a batch of the room's messages into notifications.
    pub(super) fn notifications(&mut self, batch: &[u8]) -> Vec<Value> {
        let messages: Vec<Value> = serde_json::from_slice(batch).unwrap_or_default();
        let mut out = Vec::new();
        for message in &messages {
            let id = |value: &Value| value["id"].as_str().map(Id::from);
            match message["type"].as_str() {
                Some("welcome") => {
                    for person in message["people"].as_array().into_iter().flatten() {
                        self.learn(person);
                    }
                }
                Some("person") => out.extend(self.learn(&message["person"])),
                Some("left") => {
                    if let Some(id) = id(message).filter(|id| self.others.contains_key(id)) {
                        let peer = self.participant(&id);
                        self.others.remove(&id);
                        out.push(self.notification("leave", &peer, "", ""));
                    }
                }
                Some("control") => {
                    if let Some(id) = id(message).filter(|id| *id != self.own) {
                        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
                        out.push(self.notification(
                            "control",
                            &self.participant(&id),
                            &text("call"),
                            &text("data"),
                        ));
                    }
                }
                _ => {}
            }
        }
        out
    }

    /// Records a participant with a seat. Returns a notification if the participant joined or started to publish.
    fn learn(&mut self, person: &Value) -> Option<Value> {
        let id = person["id"].as_str().map(Id::from)?;
        let seated = matches!(person["role"].as_str(), Some("host" | "guest"));
        if !seated {
            return None;
        }
        let publishing = !person["stream"].is_null();
        let before = self.others.insert(id.clone(), publishing);
        let event = match before {
            None if publishing => "publish",
            None => "join",
            Some(false) if publishing => "publish",
            Some(_) => return None,
        };
        (id != self.own).then(|| self.notification(event, &self.participant(&id), "", ""))
    }
}
