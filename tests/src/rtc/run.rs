//! The thread of a peer: its socket, its clock, and its media.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, UNIX_EPOCH};

use str0m::format::Codec;
use str0m::media::{Frequency, MediaTime, Mid};
use str0m::net::Receive;
use str0m::{Event, Input, Output, Rtc};

use super::media::Media;
use super::wire::Wire;

/// Interval at which a thread checks for other work than its socket.
const LOOK: Duration = Duration::from_millis(5);

/// Maximum number of datagrams that are kept.
const KEPT: usize = 5000;

/// A received frame.
#[derive(Debug, Clone)]
pub struct Received {
    /// Whether it is video.
    pub video: bool,
    /// RTP time in microseconds.
    pub time: i64,
    /// Capture time by the sender's clock in microseconds, once a sender report has arrived: the same clock
    /// for video and audio.
    pub wall: Option<i64>,
    /// Whether decoding may start here.
    pub key: bool,
    /// Whether no frame is missing before it.
    pub contiguous: bool,
    /// Annex B, or an Opus packet.
    pub data: Arc<[u8]>,
    /// When it was complete.
    pub at: Instant,
}

/// A sent frame.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Whether it is video.
    pub video: bool,
    /// Annex B, or an Opus packet.
    pub data: Arc<[u8]>,
    /// When it was sent.
    pub at: Instant,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) connected: bool,
    pub(super) over: Option<String>,
    pub(super) received: Vec<Received>,
    pub(super) sent: Vec<Sent>,
    pub(super) key_requests: usize,
    /// The first sent datagrams.
    pub(super) datagrams: Vec<Vec<u8>>,
}

pub(super) type Job = Box<dyn FnOnce(&mut Inner) + Send>;

/// The media to send, and the position in it.
pub(super) struct Feed {
    pub(super) media: Media,
    pub(super) held: bool,
    pub(super) began: Option<Instant>,
    /// Number of video and audio frames sent so far.
    pub(super) sent: [u32; 2],
    pub(super) picture: usize,
    pub(super) key_wanted: bool,
}

impl Feed {
    pub(super) fn new(media: Media) -> Self {
        Self { media, held: false, began: None, sent: [0; 2], picture: 0, key_wanted: false }
    }

    /// Returns when the next video frame and the next audio frame are due.
    fn due(&self) -> [Option<Instant>; 2] {
        let Some(began) = self.began else { return [None; 2] };
        let picture = (!self.media.pictures.is_empty())
            .then(|| began + Duration::from_secs(1) * self.sent[0] / self.media.rate);
        let sound = (!self.media.sounds.is_empty()).then(|| began + Duration::from_millis(20) * self.sent[1]);
        [picture, sound]
    }

    /// Returns the next video frame; skips to the next key frame if one was requested.
    fn next_picture(&mut self) -> Arc<[u8]> {
        let pictures = &self.media.pictures;
        while self.key_wanted && !self.media.whole && !pictures[self.picture % pictures.len()].0 {
            self.picture += 1;
        }
        self.key_wanted = false;
        self.picture += 1;
        pictures[(self.picture - 1) % pictures.len()].1.clone()
    }
}

pub(super) struct Inner {
    pub(super) rtc: Rtc,
    pub(super) wire: Wire,
    /// The address that the peer believes it has.
    pub(super) local: SocketAddr,
    pub(super) audio: Mid,
    pub(super) video: Mid,
    pub(super) feed: Option<Feed>,
    pub(super) state: Arc<Mutex<State>>,
    pub(super) vanish: bool,
    pub(super) detour: Option<Wire>,
    /// Whether ICE checks are suppressed.
    pub(super) unchecked: bool,
}

impl Inner {
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let why = self.serve(jobs).err().unwrap_or_else(|| "it was ended here".to_owned());
        self.state.lock().unwrap().over = Some(why);
    }

    fn serve(&mut self, jobs: &Receiver<Job>) -> Result<(), String> {
        loop {
            let next = self.drain()?;
            match jobs.try_recv() {
                Ok(job) => job(self),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => {
                    self.rtc.close().map_err(|error| error.to_string())?;
                    return self.drain().map(drop);
                }
            }
            if self.vanish {
                return Ok(());
            }
            let due = self.feed.as_ref().map(Feed::due).unwrap_or_default();
            let now = Instant::now();
            let until = due.into_iter().flatten().fold(next.min(now + LOOK), Instant::min);
            let taken = if until > now { self.wire.receive(until - now) } else { None };
            let now = Instant::now();
            let input = match &taken {
                Some((from, bytes)) => match Receive::new(self.wire.protocol(), *from, self.local, bytes) {
                    Ok(receive) => Input::Receive(now, receive),
                    Err(_) => Input::Timeout(now),
                },
                None => Input::Timeout(now),
            };
            self.rtc.handle_input(input).map_err(|error| error.to_string())?;
            self.feed(now)?;
        }
    }

    fn drain(&mut self) -> Result<Instant, String> {
        loop {
            match self.rtc.poll_output().map_err(|error| error.to_string())? {
                Output::Timeout(at) if self.rtc.is_alive() => return Ok(at),
                Output::Timeout(_) => return Err("the other side closed the connection".to_owned()),
                Output::Transmit(transmit) => {
                    let (to, bytes) = (transmit.destination, &transmit.contents[..]);
                    let datagrams = &mut self.state.lock().unwrap().datagrams;
                    if datagrams.len() < KEPT {
                        datagrams.push(bytes.to_vec());
                    }
                    // The first byte of STUN is smaller than that of DTLS and RTP (RFC 7983 7).
                    if self.unchecked && bytes.first() <= Some(&3) {
                        continue;
                    }
                    let detour = self.detour.as_mut().filter(|_| bytes.first() > Some(&3));
                    detour.unwrap_or(&mut self.wire).send(to, bytes);
                }
                Output::Event(event) => self.event(event),
            }
        }
    }

    fn event(&mut self, event: Event) {
        let mut state = self.state.lock().unwrap();
        match event {
            Event::Connected => {
                state.connected = true;
                if let Some(feed) = self.feed.as_mut().filter(|feed| !feed.held) {
                    feed.began.get_or_insert_with(Instant::now);
                }
            }
            Event::KeyframeRequest(_) => {
                state.key_requests += 1;
                if let Some(feed) = &mut self.feed {
                    feed.key_wanted = true;
                }
            }
            Event::MediaData(data) => {
                let video = data.mid == self.video;
                let micros = |time: MediaTime| time.rebase(Frequency::MICROS).numer() as i64;
                let time = micros(data.time);
                let wall = data.last_sender_info.as_ref().map(|report| {
                    let told = report.ntp_time.duration_since(UNIX_EPOCH).expect("it is after 1970");
                    told.as_micros() as i64 + time - micros(report.rtp_time)
                });
                state.received.push(Received {
                    video,
                    time,
                    wall,
                    key: video && data.is_keyframe(),
                    contiguous: data.contiguous,
                    data: data.data,
                    at: Instant::now(),
                });
            }
            _ => {}
        }
    }

    fn feed(&mut self, now: Instant) -> Result<(), String> {
        let Some(feed) = &mut self.feed else { return Ok(()) };
        for (kind, due) in feed.due().into_iter().enumerate() {
            let Some(due) = due.filter(|due| *due <= now) else { continue };
            let (video, count) = (kind == 0, feed.sent[kind]);
            let (mid, codec, time, data) = if video {
                let ticks = u64::from(90_000 / feed.media.rate);
                let time = MediaTime::new(1_000_000 + u64::from(count) * ticks, Frequency::NINETY_KHZ);
                (self.video, Codec::H264, time, feed.next_picture())
            } else {
                let time = MediaTime::new(500_000 + u64::from(count) * 960, Frequency::FORTY_EIGHT_KHZ);
                (
                    self.audio,
                    Codec::Opus,
                    time,
                    feed.media.sounds[count as usize % feed.media.sounds.len()].clone(),
                )
            };
            feed.sent[kind] += 1;
            let Some(writer) = self.rtc.writer(mid) else { continue };
            let taken = writer.payload_params().find(|params| {
                params.spec().codec == codec && params.spec().format.packetization_mode.unwrap_or(1) == 1
            });
            let pt = taken.ok_or("the answer takes no such codec")?.pt();
            let writer = match feed.media.level.filter(|_| !video) {
                Some(level) => writer.audio_level(level, true),
                None => writer,
            };
            writer.write(pt, due, time, data.clone()).map_err(|error| error.to_string())?;
            self.state.lock().unwrap().sent.push(Sent { video, data, at: now });
            // Written data is sent when time advances.
            self.rtc.handle_input(Input::Timeout(now)).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}
