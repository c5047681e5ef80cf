//! A peer in its own thread, which publishes or plays.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use str0m::change::SdpAnswer;
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid};

use super::media::Media;
use super::offer::{Call, Offered, offer_of};
use super::run::{Feed, Inner, Job, Received, Sent, State};
use super::wire::Wire;
use crate::http::{self, Response};
use crate::wait;

/// A running peer. Dropping it closes the session, like a closed page.
#[derive(Debug)]
pub struct Peer {
    state: Arc<Mutex<State>>,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    call: Call,
    /// The response to the offer.
    pub response: Response,
    /// The answer's text.
    pub answer: String,
}

impl Peer {
    /// Publishes `media` in a loop in real time.
    #[track_caller]
    pub fn publish(call: &Call, media: Media) -> Self {
        Self::try_publish(call, media).unwrap_or_else(|no| panic!("{}: {}", no.status, no.text()))
    }

    /// The same; the error is the refusal.
    #[track_caller]
    pub fn try_publish(call: &Call, media: Media) -> Result<Self, Response> {
        Self::start(call, Some(Feed::new(media)))
    }

    /// Connects like [`Peer::publish`], but sends nothing before [`Peer::go`].
    #[track_caller]
    pub fn hold(call: &Call, media: Media) -> Self {
        Self::try_hold(call, media).unwrap_or_else(|no| panic!("{}: {}", no.status, no.text()))
    }

    /// The same; the error is the refusal.
    #[track_caller]
    pub fn try_hold(call: &Call, media: Media) -> Result<Self, Response> {
        Self::start(call, Some(Feed { held: true, ..Feed::new(media) }))
    }

    /// Starts to send.
    pub fn go(&self) {
        self.with(|inner| {
            let feed = inner.feed.as_mut().expect("it publishes");
            feed.held = false;
            feed.began = Some(Instant::now());
        });
    }

    /// Plays.
    #[track_caller]
    pub fn play(call: &Call) -> Self {
        Self::start(call, None).unwrap_or_else(|no| panic!("{}: {}", no.status, no.text()))
    }

    #[track_caller]
    fn start(call: &Call, feed: Option<Feed>) -> Result<Self, Response> {
        let wire = if call.tcp { Wire::tcp(call.webrtc) } else { Wire::udp() };
        let direction = if feed.is_some() { Direction::SendOnly } else { Direction::RecvOnly };
        let kinds = &[MediaKind::Audio, MediaKind::Video][usize::from(call.video_only)..];
        let Offered { mut rtc, sdp, pending } = offer_of(kinds, direction, Some(wire.candidate()));
        let response = call.post(feed.is_some(), &sdp);
        let answer = call.answer(response.clone())?;
        let parsed = SdpAnswer::from_sdp_string(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
        rtc.sdp_api().accept_answer(pending, parsed).unwrap_or_else(|error| panic!("{error}: {answer}"));
        let mids: Vec<Mid> =
            answer.lines().filter_map(|line| line.strip_prefix("a=mid:")).map(Mid::from).collect();
        assert_eq!(mids.len(), kinds.len(), "the media sections of {answer}");
        let (audio, video) = (mids[0], mids[kinds.len() - 1]);
        let state = Arc::new(Mutex::new(State::default()));
        let inner = Inner {
            rtc,
            local: wire.local(),
            wire,
            audio,
            video,
            feed,
            state: state.clone(),
            vanish: false,
            detour: None,
            unchecked: false,
        };
        let (jobs, queue) = channel();
        let thread = thread::spawn(move || inner.run(&queue));
        Ok(Self { state, jobs: Some(jobs), thread: Some(thread), call: call.clone(), response, answer })
    }

    fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    /// Runs a function in the peer's thread, between two datagrams.
    #[track_caller]
    fn with<T: Send + 'static>(&self, act: impl FnOnce(&mut Inner) -> T + Send + 'static) -> T {
        let (reply, answer) = channel();
        let job: Job = Box::new(move |inner| drop(reply.send(act(inner))));
        self.jobs.as_ref().expect("it runs").send(job).expect("the peer runs");
        answer.recv().expect("the peer runs")
    }

    /// Returns whether ICE and DTLS are complete.
    pub fn connected(&self) -> bool {
        self.state(|state| state.connected)
    }

    /// Returns why the session ended, if it did.
    pub fn over(&self) -> Option<String> {
        self.state(|state| state.over.clone())
    }

    /// Waits until it is connected.
    #[track_caller]
    pub fn wait_connected(&self, limit: Duration) {
        wait::until_true("ICE and DTLS", limit, || {
            assert_eq!(self.over(), None, "before it connected");
            self.connected()
        });
    }

    /// Returns everything received.
    pub fn received(&self) -> Vec<Received> {
        self.state(|state| state.received.clone())
    }

    /// Returns the received video or audio.
    pub fn frames(&self, video: bool) -> Vec<Received> {
        self.state(|state| state.received.iter().filter(|f| f.video == video).cloned().collect())
    }

    /// Returns everything sent.
    pub fn sent(&self) -> Vec<Sent> {
        self.state(|state| state.sent.clone())
    }

    /// Returns how often the other side requested a key frame.
    pub fn key_requests(&self) -> usize {
        self.state(|state| state.key_requests)
    }

    /// Waits for a total number of video or audio frames.
    #[track_caller]
    pub fn wait_frames(&self, video: bool, count: usize, limit: Duration) -> Vec<Received> {
        let what = format!("{count} frames of {}", if video { "video" } else { "audio" });
        wait::until(&what, limit, || {
            let frames = self.frames(video);
            if frames.len() >= count {
                return Some(frames);
            }
            assert_eq!(self.over(), None, "after {} of {what}", frames.len());
            None
        })
    }

    /// Requests a key frame.
    #[track_caller]
    pub fn ask_key(&self) {
        self.with(|inner| {
            let mut api = inner.rtc.direct_api();
            let stream = api.stream_rx_by_mid(inner.video, None).expect("pictures come");
            stream.request_keyframe(KeyframeRequestKind::Pli);
        });
    }

    /// Ends without closing the session, like a peer whose cable was pulled.
    pub fn vanish(self) {
        self.with(|inner| inner.vanish = true);
    }

    /// Continues from another port without telling the server, like a NAT that lost a mapping. Returns the
    /// old socket.
    #[track_caller]
    pub fn move_port(&self) -> Wire {
        self.with(|inner| std::mem::replace(&mut inner.wire, Wire::udp()))
    }

    /// Returns the first few thousand datagrams that it sent.
    pub fn datagrams(&self) -> Vec<Vec<u8>> {
        self.state(|state| state.datagrams.clone())
    }

    /// From now on, sends everything except STUN through this socket; `None` restores its own.
    #[track_caller]
    pub fn detour(&self, wire: Option<Wire>) {
        self.with(|inner| inner.detour = wire);
    }

    /// From now on, sends no ICE checks, like some clients after connecting.
    #[track_caller]
    pub fn stop_checks(&self) {
        self.with(|inner| inner.unchecked = true);
    }

    /// Sends datagrams again from the same socket.
    pub fn resend(&self, datagrams: Vec<Vec<u8>>) {
        let to = self.call.webrtc;
        self.with(move |inner| datagrams.iter().for_each(|datagram| inner.wire.send(to, datagram)));
    }

    /// Returns the address of the session (RFC 9725 4.2).
    #[track_caller]
    pub fn location(&self) -> &str {
        self.response.header("location").expect("a session has an address")
    }

    /// Sends a request about the session.
    #[track_caller]
    pub fn request(&self, method: &str, headers: &[&str], body: &str) -> Response {
        http::send(self.call.http, method, self.location(), headers, body.as_bytes())
    }

    /// Restarts ICE with a new socket (RFC 9725 4.3.3). Returns the response.
    #[track_caller]
    pub fn restart(&self) -> Response {
        let (offer, pending) = self.with(|inner| {
            let mut api = inner.rtc.sdp_api();
            api.ice_restart(false);
            let (offer, pending) = api.apply().expect("a restart is offered");
            (offer.to_sdp_string(), pending)
        });
        let fragment: String = offer
            .lines()
            .filter(|line| line.starts_with("a=ice-ufrag:") || line.starts_with("a=ice-pwd:"))
            .take(2)
            .flat_map(|line| [line, "\r\n"])
            .collect();
        let headers = ["Content-Type: application/trickle-ice-sdpfrag", "If-Match: *"];
        let response = self.request("PATCH", &headers, &fragment);
        assert_eq!(response.status, 200, "{}", response.text());
        let answer = restarted(&self.answer, &response.text());
        self.with(move |inner| {
            let answer = SdpAnswer::from_sdp_string(&answer).expect("an answer");
            inner.rtc.sdp_api().accept_answer(pending, answer).expect("it is taken");
            inner.wire = Wire::udp();
            inner.local = inner.wire.local();
            inner.rtc.add_local_candidate(inner.wire.candidate());
        });
        response
    }
}

/// Replaces the credentials and candidates of an answer with those of a fragment.
fn restarted(answer: &str, fragment: &str) -> String {
    const KEYS: [&str; 3] = ["a=ice-ufrag:", "a=ice-pwd:", "a=candidate:"];
    let mut out = String::new();
    for line in answer.lines() {
        if !KEYS.iter().any(|key| line.starts_with(key)) {
            out += &format!("{line}\r\n");
        }
        if line.starts_with("a=mid:") {
            let told = fragment.lines().filter(|line| KEYS.iter().any(|key| line.starts_with(key)));
            told.for_each(|line| out += &format!("{line}\r\n"));
        }
    }
    out
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
