//! The mix without one input's own audio, for a host who listens to the mix.

use std::collections::BTreeMap;

use media::Frame;

use super::audio::{AudioMixer, InputId};
use super::inputs::Inputs;
use super::request::MixRequest;
use crate::core::admission::PublishGrant;
use crate::core::hub::{Hub, Publisher, StreamName};

/// The published returns, by their input.
pub(super) struct Returns {
    hub: Hub,
    all: BTreeMap<InputId, (StreamName, Option<Publisher>)>,
}

impl Returns {
    pub(super) const fn new(hub: Hub) -> Self {
        Self { hub, all: BTreeMap::new() }
    }

    /// Adds and removes returns, so that they are those of the request.
    pub(super) fn set(&mut self, request: &MixRequest, inputs: &Inputs, audio: &mut AudioMixer) {
        let wanted = inputs.all().iter().filter(|input| input.request.minus);
        let names = wanted.filter_map(|input| Some((input.id, request.minus_name(&input.request).ok()?)));
        let wanted: BTreeMap<InputId, StreamName> = names.collect();
        self.all.retain(|id, _| {
            let stays = wanted.contains_key(id);
            if !stays {
                audio.remove_return(*id);
            }
            stays
        });
        for (id, name) in wanted {
            self.all.entry(id).or_insert_with(|| {
                audio.add_return(id);
                (name, None)
            });
        }
    }

    /// Publishes a packet of a return. While another publisher has its name, the packet is dropped.
    pub(super) fn push(&mut self, input: InputId, frame: Frame) {
        let Some((name, publisher)) = self.all.get_mut(&input) else { return };
        if publisher.is_none() {
            *publisher = self.hub.publish(&PublishGrant::for_job(name, "mix")).ok();
            if let Some(publisher) = publisher {
                publisher.announce(true, false);
            }
        }
        if let Some(publisher) = publisher {
            publisher.push(frame);
        }
    }
}
