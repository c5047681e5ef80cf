//! From an admitted offer to a running session.

use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::time::{Duration, Instant};

use http::StatusCode;
use media::Track;
use str0m::Rtc;
use str0m::media::Mid;
use tokio::time::timeout;
use tracing::{Instrument as _, Span};

use super::candidates::{self, AddressHints};
use super::liveness::Timeouts;
use super::peer::{Peer, PeerRole};
use super::play::{ViewerRole, packetizer, unsupported_codec};
use super::port::{PeerRoutes, mailbox};
use super::publish::PublisherRole;
use super::rtc::{self, PublisherOptions, ViewerOptions};
use super::sdp::{self, ClientOffer, Kind, SdpError};
use super::session::{SessionTask, commands};
use super::session_permit::SessionPermit;
use super::{SessionHandle, WebRtc};
use crate::context::Context;
use crate::core::admission::{Grant, PlayGrant, PublishGrant, Refusal};
use crate::core::auth::AuthRequest;
use crate::core::client::{Act, ClientInfo};
use crate::core::close::CloseReason;
use crate::core::hub::StreamName;
use crate::derive::transcode::Want;
use crate::web::problem::Problem;

/// Maximum time that a viewer's request waits for a stream that nobody publishes yet. Players then repeat the request
/// at once, so they show the stream from its first frame on.
const PLAY_WAIT: Duration = Duration::from_secs(5);
/// Maximum time that a viewer may be unreachable.
const VIEWER_TIMEOUT: Duration = Duration::from_secs(15);

/// The permission to publish or play, for the client of an offer.
#[derive(Debug)]
pub(super) enum OfferGrant {
    Publish(PublishGrant),
    Play(PlayGrant),
}

impl OfferGrant {
    /// Admits a client.
    pub(super) async fn admit(
        context: &Context,
        act: Act,
        name: &StreamName,
        credentials: &AuthRequest<'_>,
        client: ClientInfo,
    ) -> Result<Self, Refusal> {
        let admission = &context.admission;
        Ok(match act {
            Act::Publish => Self::Publish(admission.publish(name, credentials, client).await?),
            Act::Play => Self::Play(admission.play(name, credentials, client).await?),
        })
    }
}

impl Deref for OfferGrant {
    type Target = Grant;

    fn deref(&self) -> &Grant {
        match self {
            Self::Publish(grant) => grant,
            Self::Play(grant) => grant,
        }
    }
}

/// A client's request with an offer.
#[derive(Debug)]
pub(super) struct OfferRequest {
    /// The client's session description.
    pub(super) sdp: String,
    /// The request's Host.
    pub(super) host: Option<String>,
    /// The gateway's addresses, as the client knows them (`eip`, `candidate`).
    pub(super) external: Vec<String>,
    /// The client's address. Behind a proxy, it is not the address of the connection.
    pub(super) visitor: IpAddr,
}

/// The response to an offer.
#[derive(Debug)]
pub(super) struct OfferResponse {
    /// The answer.
    pub(super) sdp: String,
    /// The random identifier of the session, which cannot be guessed.
    pub(super) id: String,
    /// The entity tag of the ICE session.
    pub(super) etag: String,
    /// The ICE user name fragments of the gateway and of the client.
    pub(super) fragments: (String, String),
}

/// The client of a session, as admission knows it.
struct SessionClient {
    ip: IpAddr,
    span: Span,
    /// Returns the maximum time that the client may be unreachable.
    unreachable_timeout: Duration,
}

impl SessionClient {
    fn new(grant: &Grant, unreachable_timeout: Duration) -> Self {
        Self { ip: grant.client().peer.ip(), span: grant.span().clone(), unreachable_timeout }
    }
}

/// A session that has not started yet.
struct NewSession<F> {
    request: OfferRequest,
    offer: ClientOffer,
    rtc: Rtc,
    client: SessionClient,
    /// Makes the session's [`PeerRole`]. Called late: after it, only the check of the negotiated media can fail.
    make_role: F,
}

/// An answered offer.
struct Negotiated {
    /// The answer for the client.
    answer: String,
    /// The media sections in str0m's answer.
    mids: Vec<Mid>,
    /// The gateway's ICE user name fragment.
    username: String,
    /// The gateway's addresses in the answer.
    addresses: Vec<SocketAddr>,
}

impl WebRtc {
    /// Answers the offer of an admitted client, and starts the session.
    pub(super) async fn offer(
        &self,
        grant: OfferGrant,
        request: OfferRequest,
    ) -> Result<OfferResponse, Problem> {
        let act = grant.act();
        let offer = ClientOffer::read(&request.sdp, act).map_err(|why| bad_offer(&why))?;
        if !offer.is_usable() {
            let words = match act {
                Act::Publish => "the offer sends no codec that the gateway receives",
                Act::Play => "the offer receives no codec that the gateway sends",
            };
            let words = format!("{words}: H.264, VP8, VP9, AV1, H.265 or Opus");
            return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, words));
        }
        if !self.0.gate.has_room(grant.client().peer.ip()) {
            return Err(CloseReason::Full.into());
        }
        self.0.host_names.ready().await;
        match grant {
            OfferGrant::Publish(grant) => self.publish(grant, request, offer),
            OfferGrant::Play(grant) => self.play(&grant, request, offer).await,
        }
    }

    fn publish(
        &self,
        grant: PublishGrant,
        request: OfferRequest,
        offer: ClientOffer,
    ) -> Result<OfferResponse, Problem> {
        let context = &self.0.context;
        context.hub.available(&grant)?;
        let client = SessionClient::new(&grant, context.limits.get().publish_timeout);
        let options = PublisherOptions { simulcast: offer.offers_simulcast() };
        let rtc = rtc::publisher(&self.0.certificate, options, Instant::now());
        let make_role = || PublisherRole::new(context.clone(), grant, Instant::now());
        self.start(NewSession { request, offer, rtc, client, make_role })
    }

    async fn play(
        &self,
        grant: &PlayGrant,
        request: OfferRequest,
        offer: ClientOffer,
    ) -> Result<OfferResponse, Problem> {
        let context = &self.0.context;
        let wait = context.limits.get().play_wait.min(PLAY_WAIT);
        let stream = timeout(wait, context.hub.play(grant, wait))
            .await
            .unwrap_or_else(|_| Err(context.hub.missing(grant.name())))?;
        // A viewer without audio still has the video. A viewer without video would see a black picture, so it is
        // refused.
        let want = Want::webrtc(&context.reencoders);
        let video = want.config(&stream, Track::Video);
        if let Some(video) = video.filter(|_| offer.lacks_codec(Kind::Video)) {
            return Err(unsupported_codec(video.codec.name()));
        }
        let options = ViewerOptions {
            packetizer: packetizer(&stream),
            estimate_bandwidth: self.0.settings.estimate_bandwidth,
        };
        let rtc = rtc::viewer(&self.0.certificate, options, Instant::now());
        let client = SessionClient::new(grant, VIEWER_TIMEOUT);
        let make_role = || {
            let handle = context.clients.add(grant, &stream);
            ViewerRole::new(stream, handle, options.packetizer, want)
        };
        self.start(NewSession { request, offer, rtc, client, make_role })
    }

    /// Answers the offer and starts the session's task.
    fn start<R, F>(&self, new: NewSession<F>) -> Result<OfferResponse, Problem>
    where
        R: PeerRole + Send + 'static,
        F: FnOnce() -> R,
    {
        let NewSession { request, offer, mut rtc, client, make_role } = new;
        let reservation = self.0.pending.reserve(request.visitor, offer.size(), Instant::now())?;
        let permit = SessionPermit::Pending(reservation, self.0.gate.clone(), client.ip);
        let negotiated = self.negotiate(&request, &offer, &mut rtc).map_err(|why| bad_offer(&why))?;
        let Negotiated { answer, mids, username, addresses } = negotiated;
        let connect = self.0.context.limits.get().header_timeout;
        let timeouts = Timeouts { connect, unreachable: client.unreachable_timeout };
        let mut peer = Peer::new(rtc, make_role(), addresses, timeouts, Instant::now());
        mids.into_iter().for_each(|mid| peer.add_media(mid));
        peer.role.check_media(&peer.rtc)?;

        let port = self.0.port.clone();
        let (mailbox, inbox) = mailbox();
        let mut routes = PeerRoutes::new(port.clone(), mailbox);
        routes.add_username(username.clone());
        let (sender, commands) = commands();
        let fragments = (username, offer.credentials().fragment.clone());
        let (id, etag) = (random_id(), etag());
        self.sessions().insert(id.clone(), SessionHandle { commands: sender, etag: etag.clone() });
        let task =
            SessionTask { peer, port, routes, inbox, commands, offer, stop: self.0.stop.clone(), permit };
        self.spawn(task, id.clone(), client.span);
        Ok(OfferResponse { sdp: answer, id, etag, fragments })
    }

    /// Gives the offer and the gateway's addresses to str0m, and makes the answer.
    fn negotiate(
        &self,
        request: &OfferRequest,
        offer: &ClientOffer,
        rtc: &mut Rtc,
    ) -> Result<Negotiated, SdpError> {
        let addresses = candidates::addresses(&AddressHints {
            bound: self.0.port.addr(),
            configured: &self.0.settings.candidate,
            host_names: &self.0.host_names,
            host: request.host.as_deref(),
            external: &request.external,
        });
        for candidate in candidates::candidates(&addresses) {
            rtc.add_local_candidate(candidate);
        }
        let accepted = rtc::accept(rtc, offer)?;
        let answer = offer.answer(&accepted)?;
        let mids = sdp::mids(&accepted).map(Mid::from).collect();
        let username = rtc.direct_api().local_ice_credentials().ufrag;
        Ok(Negotiated { answer, mids, username, addresses })
    }

    /// Runs a session on the next worker.
    fn spawn<R: PeerRole + Send + 'static>(&self, task: SessionTask<R>, id: String, span: Span) {
        span.in_scope(|| tracing::debug!("offer answered"));
        let registration = Registration(self.clone(), id);
        let run = async move {
            task.run().await;
            drop(registration);
        };
        self.0.workers.next().spawn(run.instrument(span));
    }
}

/// A session's entry in the list of sessions. It is removed with the session's task, however that ends.
struct Registration(WebRtc, String);

impl Drop for Registration {
    fn drop(&mut self) {
        self.0.sessions().remove(&self.1);
    }
}

/// Returns a random identifier, which cannot be guessed.
fn random_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The entity tag of a new ICE session.
pub(super) fn etag() -> String {
    format!("\"{:08x}\"", rand::random::<u32>())
}

fn bad_offer(why: &SdpError) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the offer cannot be answered: {why}"))
}

/// The address that the client asks for, without the query, which may hold a secret.
pub(super) fn address(host: &str, name: &StreamName) -> String {
    format!("webrtc://{host}/{name}")
}
