//! Offers, and three signalling protocols to send them.

use std::net::SocketAddr;
use std::time::Instant;

use serde_json::{Value, json};
use str0m::change::SdpPendingOffer;
use str0m::media::{Direction, MediaKind};
use str0m::{Candidate, Rtc};

use crate::gateway::Gateway;
use crate::http::{self, Response};

/// The signalling protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// WHIP or WHEP at `/rtc/v1/whip/?app=live&stream=x`, as in SRS.
    Query,
    /// WHIP or WHEP at `/live/x/whip`.
    Path,
    /// SRS's JSON calls.
    Srs,
}

/// Target and options of a call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The gateway's HTTP address.
    pub http: SocketAddr,
    /// The gateway's WebRTC address.
    pub webrtc: SocketAddr,
    /// `live` of `live/x`.
    pub app: String,
    /// `x` of `live/x`.
    pub name: String,
    /// The signalling protocol.
    pub api: Api,
    /// Additional query parameters.
    pub query: String,
    /// Additional header lines.
    pub headers: Vec<String>,
    /// Whether media uses TCP.
    pub tcp: bool,
    /// Whether video alone is offered, without a section for audio.
    pub video_only: bool,
}

impl Call {
    /// WHIP or WHEP for `live/NAME`, with media over UDP.
    #[track_caller]
    pub fn new(gateway: &Gateway, name: &str) -> Self {
        Self {
            http: gateway.http(),
            webrtc: gateway.webrtc(),
            app: "live".to_owned(),
            name: name.to_owned(),
            api: Api::Query,
            query: String::new(),
            headers: Vec::new(),
            tcp: false,
            video_only: false,
        }
    }

    /// Uses another signalling protocol.
    #[must_use]
    pub fn by(self, api: Api) -> Self {
        Self { api, ..self }
    }

    /// Uses TCP for media.
    #[must_use]
    pub fn over_tcp(self) -> Self {
        Self { tcp: true, ..self }
    }

    /// Uses another application than `live`.
    #[must_use]
    pub fn app(self, app: &str) -> Self {
        Self { app: app.to_owned(), ..self }
    }

    /// Adds a query parameter: `secret=…`.
    #[must_use]
    pub fn query(self, query: &str) -> Self {
        Self { query: query.to_owned(), ..self }
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    /// Returns the address of the endpoint with its query.
    pub fn path(&self, publish: bool) -> String {
        let word = if publish { "whip" } else { "whep" };
        let Self { app, name, query: more, .. } = self;
        match self.api {
            Api::Query => format!("/rtc/v1/{word}/?app={app}&stream={name}&{more}"),
            Api::Path => format!("/{app}/{name}/{word}?{more}"),
            Api::Srs => (if publish { "/rtc/v1/publish/" } else { "/rtc/v1/play/" }).to_owned(),
        }
    }

    /// Sends the offer `sdp`; returns the response.
    #[track_caller]
    pub fn post(&self, publish: bool, sdp: &str) -> Response {
        let (kind, body) = match self.api {
            Api::Srs => {
                let url = format!("webrtc://{}/{}/{}?{}", self.http, self.app, self.name, self.query);
                let call = json!({
                    "api": format!("http://{}{}", self.http, self.path(publish)),
                    "tid": "2b3a1c7", "streamurl": url, "clientip": null, "sdp": sdp,
                });
                ("application/json", call.to_string())
            }
            _ => ("application/sdp", sdp.to_owned()),
        };
        let kind = format!("Content-Type: {kind}");
        let lines: Vec<&str> =
            [kind.as_str()].into_iter().chain(self.headers.iter().map(String::as_str)).collect();
        http::send(self.http, "POST", &self.path(publish), &lines, body.as_bytes())
    }

    /// Returns the SDP answer in a response, or the response if it is a refusal.
    #[track_caller]
    pub fn answer(&self, response: Response) -> Result<String, Response> {
        if self.api != Api::Srs {
            return if response.status == 201 { Ok(response.text()) } else { Err(response) };
        }
        assert_eq!(response.status, 200, "{}", response.text());
        let reply: Value = serde_json::from_slice(&response.body).expect("a reply in JSON");
        if reply["code"] == 0 {
            Ok(reply["sdp"].as_str().expect("an answer").to_owned())
        } else {
            Err(response)
        }
    }
}

/// An offer without an answer so far.
#[derive(Debug)]
pub struct Offered {
    /// The peer that created it.
    pub rtc: Rtc,
    /// The SDP text.
    pub sdp: String,
    /// The state that is needed to apply the answer.
    pub pending: SdpPendingOffer,
}

/// Creates an offer of Opus and H.264 in one direction.
#[track_caller]
pub fn offer(direction: Direction, candidate: Option<Candidate>) -> Offered {
    offer_of(&[MediaKind::Audio, MediaKind::Video], direction, candidate)
}

/// The same of these kinds of media.
#[track_caller]
pub fn offer_of(kinds: &[MediaKind], direction: Direction, candidate: Option<Candidate>) -> Offered {
    let config = Rtc::builder().clear_codecs().enable_opus(true, false).enable_h264(true);
    let mut rtc = config.build(Instant::now());
    if let Some(candidate) = candidate {
        rtc.add_local_candidate(candidate);
    }
    let mut api = rtc.sdp_api();
    for kind in kinds {
        api.add_media(*kind, direction, None, None, None);
    }
    let (offer, pending) = api.apply().expect("something is offered");
    Offered { rtc, sdp: offer.to_sdp_string(), pending }
}
