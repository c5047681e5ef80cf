//! The servers of a NATS cluster: those of the settings, and those that a server names.

use super::address::NatsAddress;

/// Maximum number of servers that are remembered, besides those of the settings.
const MAX_NAMED: usize = 64;

/// The servers, and which one is next.
#[derive(Debug)]
pub(super) struct Servers {
    settings: Vec<NatsAddress>,
    named: Vec<NatsAddress>,
    next: usize,
}

impl Servers {
    /// Begins with the server `first` of the settings: nodes spread over the servers.
    pub(super) fn new(settings: Vec<NatsAddress>, first: usize) -> Self {
        Self { settings, named: Vec::new(), next: first }
    }

    /// Returns the number of servers.
    pub(super) fn len(&self) -> usize {
        self.settings.len() + self.named.len()
    }

    /// Returns the next server.
    pub(super) fn next(&mut self) -> Option<NatsAddress> {
        let at = self.next % self.len().max(1);
        self.next = at + 1;
        self.settings.iter().chain(&self.named).nth(at).cloned()
    }

    /// The server `by` has named its neighbours, as they are now.
    pub(super) fn set_named(&mut self, by: &NatsAddress, places: &[String]) {
        let named = places.iter().take(MAX_NAMED).filter_map(|place| by.neighbour(place));
        let known = |address: &NatsAddress| self.settings.iter().any(|known| known.is_same(address));
        self.named = named.filter(|address| !known(address)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_servers_are_tried_in_turn_and_their_number_is_bounded() {
        let parse = |text: &str| NatsAddress::parse(text).unwrap();
        let mut servers = Servers::new(vec![parse("nats://a:1"), parse("nats://b:1")], 1);
        let by = servers.next().unwrap();
        servers.set_named(&by, &["c:1", "a:1", "nonsense:"].map(str::to_owned));
        let names: Vec<_> = (0..3).filter_map(|_| servers.next()).map(|server| server.host).collect();
        assert_eq!(names, ["c", "a", "b"]);
        let many: Vec<_> = (0..=MAX_NAMED).map(|n| format!("h{n}:1")).collect();
        servers.set_named(&by, &many);
        assert_eq!(servers.len(), 2 + MAX_NAMED);
        servers.set_named(&by, &[]);
        assert_eq!(servers.len(), 2);
    }
}
