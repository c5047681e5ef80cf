//! From an offer to a peer that runs.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use media::{Codec, Track};
use str0m::Rtc;
use str0m::media::Mid;
use tokio::time::timeout;
use tracing::{Instrument as _, Span};

use super::admission::Admission;
use super::peer::{Patience, Peer, Side};
use super::play::Play;
use super::port::{Place, mailbox};
use super::publish::Publish;
use super::sdp::{self, Kind, Offered, Role, Unfit};
use super::session::{Session, commands};
use super::{Inner, Known, WebRtc, candidates, rtc};
use crate::core::hub::{ClientInfo, ClientKind, StreamName};
use crate::derive::transcode::{self, Sound};
use crate::web::problem::Problem;

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
    /// The client's address, which is not the connection's when a proxy passes the request on.
    pub(super) visitor: IpAddr,
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
        let role = match offer.info.kind {
            ClientKind::Publish => Role::Publisher,
            ClientKind::Play => Role::Viewer,
        };
        let offered = Offered::read(&offer.sdp, role).map_err(|why| bad_offer(&why))?;
        if !offered.is_usable() {
            let words = match role {
                Role::Publisher => "the offer sends nothing that this server takes",
                Role::Viewer => "the offer takes nothing that this server sends",
            };
            let words = format!("{words}: H.264, VP8, VP9, AV1, H.265 or Opus");
            return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, words));
        }
        if !self.0.gate.has_room(offer.info.peer.ip()) {
            let words = "the server has all the connections it may";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, words));
        }
        self.0.names.ready().await;
        match role {
            Role::Publisher => self.publish(offer, offered),
            Role::Viewer => self.play(offer, offered).await,
        }
    }

    fn publish(&self, offer: Offer, offered: Offered) -> Result<Answer, Problem> {
        let context = &self.0.context;
        context.hub.available(&offer.name)?;
        let span = tracing::info_span!(
            "publish", peer = %offer.info.peer, stream = %offer.name, protocol = offer.info.protocol
        );
        let side = Publish::new(context.clone(), offer.name.clone(), offer.info.clone(), Instant::now());
        let away = context.limits.publish_timeout;
        let rtc = rtc::publisher(&self.0.certificate, offered.has_layers(), Instant::now());
        self.start(offer, offered, rtc, side, away, span, |peer| {
            let words = "the offer sends nothing that this server takes: H.264, VP8, VP9, AV1, H.265 or Opus";
            peer.side
                .takes_something()
                .then_some(())
                .ok_or_else(|| Problem::new(StatusCode::NOT_ACCEPTABLE, words))
        })
    }

    async fn play(&self, offer: Offer, offered: Offered) -> Result<Answer, Problem> {
        let context = &self.0.context;
        let wait = context.limits.play_wait.min(PLAY_WAIT);
        let stream = timeout(wait, context.hub.play(&offer.name, wait))
            .await
            .unwrap_or_else(|_| Err(context.hub.missing(&offer.name)))?;
        let cannot = |what: &str| {
            let words = format!("the stream is {what}, and the offer has no way to take that");
            Problem::new(StatusCode::NOT_ACCEPTABLE, words)
        };
        // Without sound a viewer has something to see; a black picture is worse than a refusal.
        let video = transcode::config(&stream, Sound::Opus, Track::Video);
        if let Some(video) = video.filter(|_| offered.lacks_codec(Kind::Video)) {
            return Err(cannot(video.codec.name()));
        }
        let span = tracing::info_span!(
            "play", peer = %offer.info.peer, stream = %stream.name(), protocol = offer.info.protocol
        );
        let handle = Arc::new(context.clients.add(offer.info.clone(), &stream));
        let frames = stream.config(Track::Video).is_some_and(|config| config.codec != Codec::H264);
        let peer = rtc::viewer(&self.0.certificate, !frames, context.settings.webrtc_bwe, Instant::now());
        let side = Play::new(stream, handle, frames, context.reencoders.clone());
        self.start(offer, offered, peer, side, VIEWER_AWAY, span, |peer| {
            peer.side.can_take(&peer.rtc).map_err(cannot)
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a session, each from another place")]
    fn start<S: Side + Send + 'static>(
        &self,
        offer: Offer,
        offered: Offered,
        mut rtc: Rtc,
        side: S,
        away: Duration,
        span: Span,
        check: impl FnOnce(&Peer<S>) -> Result<(), Problem>,
    ) -> Result<Answer, Problem> {
        let Offer { host, external, info, visitor, .. } = offer;
        let Inner { port, context, gate, waiting, names, .. } = &*self.0;
        let place = waiting.enter(visitor, offered.size(), Instant::now())?;
        let admission = Admission::Waiting(place, gate.clone(), info.peer.ip());
        let addresses = candidates::addresses(
            port.addr(),
            &context.settings.candidate,
            names,
            host.as_deref(),
            &external,
        );
        for candidate in candidates::candidates(&addresses) {
            rtc.add_local_candidate(candidate);
        }
        let answer = rtc::accept(&mut rtc, &offered).map_err(|why| bad_offer(&why))?;
        let ours = rtc.direct_api().local_ice_credentials().ufrag;
        let now = Instant::now();
        let patience = Patience { connect: context.limits.header_timeout, away };
        let mut peer = Peer::new(rtc, side, addresses, patience, now);
        sdp::mids(&answer).for_each(|mid| peer.agreed(Mid::from(mid)));
        check(&peer)?;
        let answer = offered.answer(&answer).map_err(|why| bad_offer(&why))?;

        let (mail, inbox) = mailbox();
        let mut place = Place::new(port.clone(), mail);
        place.name(ours.clone());
        let (sender, commands) = commands();
        let theirs = offered.credentials().fragment.clone();
        let (id, etag) = (unguessable(), etag());
        self.sessions().insert(id.clone(), Known { commands: sender, etag: etag.clone() });
        let session = Session {
            peer,
            port: port.clone(),
            place,
            inbox,
            commands,
            offer: offered,
            stop: self.0.stop.clone(),
            admission,
        };
        span.in_scope(|| tracing::debug!("an offer is answered"));
        let registered = Registered(self.clone(), id.clone());
        let run = async move {
            session.run().await;
            drop(registered);
        };
        self.0.workers.next().spawn(run.instrument(span));
        Ok(Answer { sdp: answer, id, etag, fragments: (ours, theirs) })
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

fn bad_offer(why: &Unfit) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the offer cannot be answered: {why}"))
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
