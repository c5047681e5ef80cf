//! From an offer to a peer that runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use media::{Codec, Track};
use str0m::Rtc;
use str0m::change::SdpOffer;
use str0m::media::Mid;
use tokio::time::timeout;
use tracing::{Instrument as _, Span};

use super::peer::{Patience, Peer, Side};
use super::play::Play;
use super::port::{Place, mailbox};
use super::publish::Publish;
use super::session::{Session, commands};
use super::{Known, WebRtc, candidates, rtc};
use crate::config::Transcode;
use crate::hub::{ClientInfo, ClientKind, PlayError, StreamName};
use crate::problem::Problem;
use crate::worker::Permit;

/// A viewer's request waits so long for a stream that nobody publishes yet; players ask again at once, and
/// so see its first picture.
const PLAY_WAIT: Duration = Duration::from_secs(5);
/// A viewer that is silent for so long is gone.
const VIEWER_AWAY: Duration = Duration::from_secs(15);

/// What a client offers.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) name: StreamName,
    /// Its session description.
    pub(super) sdp: String,
    /// The Host it asked for.
    pub(super) host: Option<String>,
    /// Addresses of ours that it names (`eip`, `candidate`).
    pub(super) external: Vec<String>,
    /// Who it is, and whether it publishes or plays.
    pub(super) info: ClientInfo,
}

/// What it is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) sdp: String,
    /// The session's name, which nobody can guess.
    pub(super) id: String,
    pub(super) etag: String,
    /// The ICE user name fragments, ours and theirs.
    pub(super) fragments: (String, String),
}

impl WebRtc {
    /// Answers an offer from someone who may, and starts the session.
    pub(super) async fn offer(&self, offer: Offer) -> Result<Answer, Problem> {
        let parsed = SdpOffer::from_sdp_string(&offer.sdp).map_err(|error| bad_offer(&error))?;
        if !super::sdp::is_consistent(&offer.sdp) {
            return Err(bad_offer(&"a payload type has two meanings"));
        }
        let permit = self.0.gate.enter(offer.info.peer.ip());
        let words = "the server has all the connections it may";
        let permit = permit.ok_or_else(|| Problem::new(StatusCode::SERVICE_UNAVAILABLE, words))?;
        match offer.info.kind {
            ClientKind::Publish => self.publish(offer, parsed, permit),
            ClientKind::Play => self.play(offer, parsed, permit).await,
        }
    }

    fn publish(&self, offer: Offer, parsed: SdpOffer, permit: Permit) -> Result<Answer, Problem> {
        let edge = &self.0.edge;
        edge.hub.available(&offer.name)?;
        let span = tracing::info_span!(
            "publish", peer = %offer.info.peer, stream = %offer.name, protocol = offer.info.protocol
        );
        let side = Publish::new(edge.clone(), offer.name.clone(), offer.info.clone(), Instant::now());
        let away = edge.limits.publish_timeout;
        self.start(
            offer,
            parsed,
            permit,
            rtc::publisher(&self.0.certificate, Instant::now()),
            side,
            away,
            span,
            |peer| {
                let words =
                    "the offer sends nothing that this server takes: H.264, VP8, VP9, AV1, H.265 or Opus";
                peer.side
                    .takes_something()
                    .then_some(())
                    .ok_or_else(|| Problem::new(StatusCode::NOT_ACCEPTABLE, words))
            },
        )
    }

    async fn play(&self, offer: Offer, parsed: SdpOffer, permit: Permit) -> Result<Answer, Problem> {
        let edge = &self.0.edge;
        let wait = edge.limits.play_wait.min(PLAY_WAIT);
        let stream =
            timeout(wait, edge.hub.play(&offer.name, wait)).await.unwrap_or(Err(PlayError::NotFound))?;
        let span = tracing::info_span!(
            "play", peer = %offer.info.peer, stream = %stream.name(), protocol = offer.info.protocol
        );
        let handle = Arc::new(edge.clients.add(offer.info.clone(), &stream));
        let frames = stream.config(Track::Video).is_some_and(|config| config.codec != Codec::H264);
        let peer = rtc::viewer(&self.0.certificate, !frames, edge.config.webrtc_bwe, Instant::now());
        let side = Play::new(stream, handle, frames, edge.config.transcode == Transcode::Auto);
        self.start(offer, parsed, permit, peer, side, VIEWER_AWAY, span, |peer| {
            peer.side.can_take(&peer.rtc).map_err(|what| {
                let words = format!("the stream is {what}, and the offer has no way to take that");
                Problem::new(StatusCode::NOT_ACCEPTABLE, words)
            })
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a session, each from another place")]
    fn start<S: Side + Send + 'static>(
        &self,
        offer: Offer,
        parsed: SdpOffer,
        permit: Permit,
        mut rtc: Rtc,
        side: S,
        away: Duration,
        span: Span,
        check: impl FnOnce(&Peer<S>) -> Result<(), Problem>,
    ) -> Result<Answer, Problem> {
        let Offer { sdp, host, external, .. } = offer;
        let (port, edge) = (&self.0.port, &self.0.edge);
        let addresses =
            candidates::addresses(port.addr(), &edge.config.candidate, host.as_deref(), &external);
        for candidate in candidates::candidates(&addresses) {
            rtc.add_local_candidate(candidate);
        }
        let theirs = super::sdp::credentials(&sdp).ok_or_else(|| bad_offer(&"it has no ICE credentials"))?;
        let answer = rtc::accept(&mut rtc, parsed).map_err(|why| bad_offer(&why))?;
        let ours = rtc.direct_api().local_ice_credentials().ufrag;
        let now = Instant::now();
        let patience = Patience { connect: edge.limits.header_timeout, away };
        let mut peer = Peer::new(rtc, side, addresses, patience, now);
        let answer = answer.to_sdp_string();
        super::sdp::mids(&answer).for_each(|mid| peer.side.agreed(&mut peer.rtc, Mid::from(mid)));
        check(&peer)?;

        let (mail, inbox) = mailbox();
        let mut place = Place::new(port.clone(), mail);
        place.name(ours.clone());
        let (sender, commands) = commands();
        let (id, etag) = (unguessable(), etag());
        self.sessions().insert(id.clone(), Known { commands: sender, etag: etag.clone() });
        let session = Session {
            peer,
            port: port.clone(),
            place,
            inbox,
            commands,
            offer: sdp,
            stop: self.0.stop.clone(),
            _permit: permit,
        };
        span.in_scope(|| tracing::debug!("an offer is answered"));
        let registered = Registered(self.clone(), id.clone());
        let run = async move {
            session.run().await;
            drop(registered);
        };
        self.0.workers.next().spawn(run.instrument(span));
        Ok(Answer { sdp: answer, id, etag, fragments: (ours, theirs.fragment) })
    }
}

/// A session's entry, which goes with its task, however that ends.
struct Registered(WebRtc, String);

impl Drop for Registered {
    fn drop(&mut self) {
        self.0.sessions().remove(&self.1);
    }
}

/// A name that nobody can guess.
fn unguessable() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Another ICE session's entity tag.
pub(super) fn etag() -> String {
    format!("\"{:08x}\"", rand::random::<u32>())
}

fn bad_offer(why: &dyn std::fmt::Display) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the offer is not a session description to go by: {why}"))
}

/// Where the client is, for the API: without the query, which may hold a secret.
pub(super) fn address(host: &str, name: &StreamName) -> String {
    format!("webrtc://{host}/{name}")
}

/// Whoever asks, for the API.
pub(super) fn client(
    protocol: &'static str,
    kind: ClientKind,
    peer: SocketAddr,
    url: String,
    agent: String,
) -> ClientInfo {
    ClientInfo { protocol, kind, peer, url, agent }
}
