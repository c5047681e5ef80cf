//! Requests a stream from another node by HTTP-FLV.

use std::time::{SystemTime, UNIX_EPOCH};

use super::follow::Source;
use super::relays::Shared;
use crate::cluster::protocol::{self, NodeAsk, Route};
use crate::cluster::registry::Me;
use crate::cluster::ticket::PARAMETER;
use crate::core::hub::StreamName;
use crate::remote::{HttpBody, RemoteAddress, RemoteError};

/// Timeout of the question to a parent.
const ROUTE_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(300);

/// Connects to a source.
///
/// # Errors
/// The node cannot be reached, or refuses the ticket, or does not have the stream.
pub(super) async fn connect(
    shared: &Shared,
    me: &Me,
    name: &StreamName,
    source: &Source,
) -> Result<HttpBody, RemoteError> {
    let url = match &source.via {
        None => source.owner.url.clone(),
        Some(parent) => {
            let ask = protocol::write(&NodeAsk::Route { stream: name.to_string() });
            let asked = shared.registry.bus().request(&protocol::node(parent), ask, ROUTE_TIMEOUT).await;
            let route = asked.ok().and_then(|answer| protocol::read::<Route>(&answer));
            let route = route.filter(|route| !route.url.is_empty());
            route.ok_or_else(|| RemoteError::new("the parent does not relay the stream"))?.url
        }
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let ticket = shared.secret.ticket(&me.node, name, now);
    // Opus passes as it is.
    let address = format!("{}/{name}.flv?codecs=opus&{PARAMETER}={ticket}", url.trim_end_matches('/'));
    let address = RemoteAddress::parse(&address)
        .map_err(|error| RemoteError::new(&format!("the node's address is not valid: {error}")))?;
    shared.dialer.get(&address).await
}
