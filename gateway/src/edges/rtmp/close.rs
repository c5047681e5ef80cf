//! Maps close reasons and refusals to RTMP's `onStatus` codes.

use super::connection::Connection;
use super::session::{Request, SessionError};
use crate::context::Context;
use crate::core::admission::{PlayGrant, PublishGrant, Refusal};
use crate::core::auth::AuthRequest;
use crate::core::client::{Act, ClientInfo};
use crate::core::close::CloseReason;
use crate::core::hub::{PlayError, PublishError, StreamName};

/// A refusal: `onStatus` code and text.
pub(super) struct Refused(&'static str, String);

impl From<PublishError> for Refused {
    fn from(error: PublishError) -> Self {
        let code = match error {
            PublishError::Busy => "NetStream.Publish.BadName",
            PublishError::TooManyStreams(_) | PublishError::ShuttingDown => "NetStream.Publish.Failed",
        };
        Self(code, error.to_string())
    }
}

impl From<PlayError> for Refused {
    fn from(error: PlayError) -> Self {
        let code = match error {
            PlayError::NotFound => "NetStream.Play.StreamNotFound",
            PlayError::Unreadable(_) | PlayError::ShuttingDown | PlayError::Revoked(_) => {
                "NetStream.Play.Failed"
            }
        };
        Self(code, error.to_string())
    }
}

impl From<SessionError> for CloseReason {
    fn from(error: SessionError) -> Self {
        Self::Protocol(error.to_string())
    }
}

/// Describes the client of a request: its protocol and address, and its credentials.
fn client<'a>(
    connection: &Connection,
    request: &'a Request,
    name: &'a StreamName,
) -> (ClientInfo, AuthRequest<'a>) {
    let (address, peer) = (&request.address, connection.peer);
    let client =
        ClientInfo { protocol: "rtmp", peer, url: connection.url(address), agent: request.agent.clone() };
    let credentials = AuthRequest::rtmp(name, &address.query, address.host.as_deref(), peer);
    (client, credentials.on_page(&request.page))
}

/// Admits a publisher.
pub(super) async fn admit_publisher(
    connection: &Connection,
    context: &Context,
    request: &Request,
) -> Result<PublishGrant, Refused> {
    let name = &request.address.name;
    let name = name.as_ref().map_err(|error| Refused("NetStream.Publish.BadName", error.to_string()))?;
    if request.sent_by == context.ids.server {
        let text = "this gateway forwards the stream to itself: change the address of the forward";
        return Err(Refused("NetStream.Publish.Denied", text.to_owned()));
    }
    let (client, credentials) = client(connection, request, name);
    let granted = context.admission.publish(name, &credentials, client).await;
    granted.map_err(|refusal| {
        let code = match refusal {
            Refusal::Taken(_) => "NetStream.Publish.BadName",
            _ => "NetStream.Publish.Denied",
        };
        Refused(code, refusal.to_string())
    })
}

/// Admits a viewer.
pub(super) async fn admit_viewer(
    connection: &Connection,
    context: &Context,
    request: &Request,
) -> Result<PlayGrant, Refused> {
    let name = &request.address.name;
    let name = name.as_ref().map_err(|error| Refused("NetStream.Play.StreamNotFound", error.to_string()))?;
    if request.sent_by == context.ids.server {
        let text = "this gateway pulls the stream from itself: change the address of the pull";
        return Err(Refused("NetStream.Play.Failed", text.to_owned()));
    }
    let (client, credentials) = client(connection, request, name);
    let granted = context.admission.play(name, &credentials, client).await;
    granted.map_err(|refusal| Refused("NetStream.Play.Failed", refusal.to_string()))
}

/// Sends a refusal to the client.
pub(super) fn refuse(
    connection: &mut Connection,
    context: &Context,
    request: &Request,
    act: Act,
    Refused(code, text): Refused,
) -> CloseReason {
    let url = connection.url(&request.address);
    context.admission.refused(act, "rtmp", connection.peer, &url, &text);
    connection.session.refuse(code, &text);
    CloseReason::Refused(text)
}

/// Sends the close reason to the client, if the client can still receive it.
pub(super) fn tell(connection: &mut Connection, act: Act, reason: &CloseReason) {
    let code = match (act, reason) {
        (Act::Play, CloseReason::StreamEnded) => return connection.session.end_play(),
        (_, reason) if !is_heard(reason) || matches!(reason, CloseReason::Protocol(_)) => return,
        (Act::Play, _) => "NetStream.Play.Failed",
        (Act::Publish, _) => "NetStream.Publish.Failed",
    };
    connection.session.refuse(code, &reason.to_string());
}

/// Returns whether a client that is closed for this reason can still receive it.
pub(super) const fn is_heard(reason: &CloseReason) -> bool {
    !matches!(reason, CloseReason::Left | CloseReason::Stalled | CloseReason::Idle | CloseReason::Full)
}
