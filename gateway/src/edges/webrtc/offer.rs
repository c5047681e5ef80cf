//! From an offer to a peer that runs.

use std::net::IpAddr;
use std::ops::Deref;
use std::time::{Duration, Instant};

use http::StatusCode;
use media::{Codec, Track};
use str0m::Rtc;
use str0m::media::Mid;
use tokio::time::timeout;
use tracing::{Instrument as _, Span};

use super::peer::{Patience, Peer, Side};
use super::play::Play;
use super::port::{Place, mailbox};
use super::publish::Publish;
use super::sdp::{self, Kind, Offered, Role, Unfit};
use super::session::{Session, commands};
use super::slot::Slot;
use super::{Inner, Known, WebRtc, candidates, rtc};
use crate::context::Context;
use crate::core::admission::{Grant, PlayGrant, PublishGrant, Refusal};
use crate::core::auth::AuthRequest;
use crate::core::client::{Act, ClientInfo};
use crate::core::close::CloseReason;
use crate::core::hub::StreamName;
use crate::derive::transcode::{self, Sound};
use crate::web::problem::Problem;

/// A viewer's request waits so long for a stream that nobody publishes yet; players ask again at once, and
/// so see its first picture.
const PLAY_WAIT: Duration = Duration::from_secs(5);
/// A viewer that is silent for so long is gone.
const VIEWER_AWAY: Duration = Duration::from_secs(15);

/// What an offer may be used for.
#[derive(Debug)]
pub(super) enum Granted {
    Publish(PublishGrant),
    Play(PlayGrant),
}

impl Granted {
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

impl Deref for Granted {
    type Target = Grant;

    fn deref(&self) -> &Grant {
        match self {
            Self::Publish(grant) => grant,
            Self::Play(grant) => grant,
        }
    }
}

/// What a client offers.
#[derive(Debug)]
pub(super) struct Offer {
    /// Its session description.
    pub(super) sdp: String,
    /// The Host it asked for.
    pub(super) host: Option<String>,
    /// Addresses of ours that it names (`eip`, `candidate`).
    pub(super) external: Vec<String>,
    /// The client's address, which is not the connection's when a proxy passes the request on.
    pub(super) visitor: IpAddr,
}

/// Response to an offer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) sdp: String,
    /// The session's name, which nobody can guess.
    pub(super) id: String,
    pub(super) etag: String,
    /// The ICE user name fragments, ours and theirs.
    pub(super) fragments: (String, String),
}

/// What a session knows of its client.
struct Client {
    ip: IpAddr,
    span: Span,
    /// How long the client may be silent.
    away: Duration,
}

impl Client {
    fn of(grant: &Grant, away: Duration) -> Self {
        Self { ip: grant.client().peer.ip(), span: grant.span().clone(), away }
    }
}

impl WebRtc {
    /// Answers the offer of an admitted client, and starts the session.
    pub(super) async fn offer(&self, granted: Granted, offer: Offer) -> Result<Answer, Problem> {
        let role = match granted.act() {
            Act::Publish => Role::Publisher,
            Act::Play => Role::Viewer,
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
        if !self.0.gate.has_room(granted.client().peer.ip()) {
            return Err(CloseReason::Full.into());
        }
        self.0.names.ready().await;
        match granted {
            Granted::Publish(grant) => self.publish(grant, offer, offered),
            Granted::Play(grant) => self.play(&grant, offer, offered).await,
        }
    }

    fn publish(&self, grant: PublishGrant, offer: Offer, offered: Offered) -> Result<Answer, Problem> {
        let context = &self.0.context;
        context.hub.available(grant.name())?;
        let client = Client::of(&grant, context.limits.publish_timeout);
        let rtc = rtc::publisher(&self.0.certificate, offered.has_layers(), Instant::now());
        let side = || Publish::new(context.clone(), grant, Instant::now());
        self.start(offer, offered, rtc, client, side, |peer| {
            let words = "the offer sends nothing that this server takes: H.264, VP8, VP9, AV1, H.265 or Opus";
            peer.side
                .takes_something()
                .then_some(())
                .ok_or_else(|| Problem::new(StatusCode::NOT_ACCEPTABLE, words))
        })
    }

    async fn play(&self, grant: &PlayGrant, offer: Offer, offered: Offered) -> Result<Answer, Problem> {
        let context = &self.0.context;
        let wait = context.limits.play_wait.min(PLAY_WAIT);
        let stream = timeout(wait, context.hub.play(grant, wait))
            .await
            .unwrap_or_else(|_| Err(context.hub.missing(grant.name())))?;
        let cannot = |what: &str| {
            let words = format!("the stream is {what}, and the offer has no way to take that");
            Problem::new(StatusCode::NOT_ACCEPTABLE, words)
        };
        // Without sound a viewer has something to see; a black picture is worse than a refusal.
        let video = transcode::config(&stream, Sound::Opus, Track::Video);
        if let Some(video) = video.filter(|_| offered.lacks_codec(Kind::Video)) {
            return Err(cannot(video.codec.name()));
        }
        let frames = stream.config(Track::Video).is_some_and(|config| config.codec != Codec::H264);
        let peer =
            rtc::viewer(&self.0.certificate, !frames, self.0.settings.estimate_bandwidth, Instant::now());
        let client = Client::of(grant, VIEWER_AWAY);
        let side = || {
            let handle = context.clients.add(grant, &stream);
            Play::new(stream, handle, frames, context.reencoders.clone())
        };
        self.start(offer, offered, peer, client, side, |peer| {
            peer.side.can_take(&peer.rtc).map_err(|what| {
                let problem = cannot(what);
                peer.side.close(CloseReason::Unsupported(problem.detail.clone()));
                problem
            })
        })
    }

    /// Starts a session. Its side is made when nothing can fail any more but `check`.
    fn start<S: Side + Send + 'static>(
        &self,
        offer: Offer,
        offered: Offered,
        mut rtc: Rtc,
        client: Client,
        side: impl FnOnce() -> S,
        check: impl FnOnce(&mut Peer<S>) -> Result<(), Problem>,
    ) -> Result<Answer, Problem> {
        let Offer { host, external, visitor, .. } = offer;
        let Inner { port, context, gate, waiting, names, .. } = &*self.0;
        let place = waiting.enter(visitor, offered.size(), Instant::now())?;
        let slot = Slot::Waiting(place, gate.clone(), client.ip);
        let addresses =
            candidates::addresses(port.addr(), &self.0.settings.candidate, names, host.as_deref(), &external);
        for candidate in candidates::candidates(&addresses) {
            rtc.add_local_candidate(candidate);
        }
        let accepted = rtc::accept(&mut rtc, &offered).map_err(|why| bad_offer(&why))?;
        let answer = offered.answer(&accepted).map_err(|why| bad_offer(&why))?;
        let ours = rtc.direct_api().local_ice_credentials().ufrag;
        let now = Instant::now();
        let patience = Patience { connect: context.limits.header_timeout, away: client.away };
        let mut peer = Peer::new(rtc, side(), addresses, patience, now);
        sdp::mids(&accepted).for_each(|mid| peer.agreed(Mid::from(mid)));
        check(&mut peer)?;

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
            slot,
        };
        client.span.in_scope(|| tracing::debug!("offer answered"));
        let registered = Registered(self.clone(), id.clone());
        let run = async move {
            session.run().await;
            drop(registered);
        };
        self.0.workers.next().spawn(run.instrument(client.span));
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

/// The address that the client asks for, without the query, which may hold a secret.
pub(super) fn address(host: &str, name: &StreamName) -> String {
    format!("webrtc://{host}/{name}")
}
