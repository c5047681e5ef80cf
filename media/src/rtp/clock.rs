//! Maps a sender's RTP timestamps to the receiver's clock (RFC 3550 6.4.1), so that audio and video are in sync.
//!
//! Each track counts from a random number, on the sender's clock. Until sender reports tell how the tracks belong
//! together, their arrival times decide: first that of the first packet, then that of the packets with the least
//! delay. Once both tracks have reports, the video is moved until it is in sync with the audio; the audio is not
//! changed for that. Corrections are a small part of the time that passes, so that jitter does not show and
//! timestamps always increase. Only large errors are corrected by a jump.

use crate::config::Track;
use crate::time::{MILLI, Micros, SECOND, Unwrapper, from_ticks};

/// A larger error than this is corrected by a jump forwards.
const JUMP: Micros = 500 * MILLI;
/// Reports that move the tracks apart by more than this are not believed: there are senders whose tracks
/// have clocks of their own.
const CREDIBLE: Micros = 5 * SECOND;
/// A step of RTP time by more than this that the arrival does not bear out is a new source.
const NEW_SOURCE: Micros = SECOND;
/// Delays are compared over this time and as much again.
const WINDOW: Micros = 4 * SECOND;
/// Audio that has sent nothing for this long no longer leads.
const AUDIO_TIMEOUT: Micros = 10 * SECOND;

/// Following the arrival: 1/20 of what is off in a second, at most 2 ms. Clocks differ by 0.1 ms in a
/// second, seldom by 0.5.
const FOLLOW: Slew = Slew { time: 20 * SECOND, most: 500 };
/// Moving the video to the sound: what is off in a second, at most 50 ms, which in a picture's time is
/// 1.7 ms: 150 ms in 4 s.
const ALIGN: Slew = Slew { time: SECOND, most: 20 };

/// A smooth correction.
struct Slew {
    time: Micros,
    most: Micros,
}

impl Slew {
    fn step(&self, error: Micros, passed: Micros) -> Micros {
        let error = error.clamp(-self.time, self.time);
        (error * passed / self.time).clamp(-passed / self.most, passed / self.most)
    }
}

/// Maps the RTP timestamps of one publisher's two tracks to the receiver's clock.
#[derive(Debug, Clone)]
pub struct RtpClock {
    video: TrackClock,
    audio: TrackClock,
}

impl RtpClock {
    /// A clock for video, whose RTP clock rate is 90 kHz, and audio of `audio_rate` Hz (Opus: 48 kHz).
    pub const fn new(audio_rate: u32) -> Self {
        Self { video: TrackClock::new(90_000), audio: TrackClock::new(audio_rate) }
    }

    /// Handles a sender report: the RTP timestamp `rtp` belongs to the sender's time `ntp`, which may count from any
    /// moment that is the same for both tracks. A repeated report has no effect.
    pub fn report(&mut self, track: Track, ntp: Micros, rtp: u32) {
        let line = self.line(track);
        if line.raw_report == Some((ntp, rtp)) {
            return;
        }
        line.raw_report = Some((ntp, rtp));
        let offset = ntp.saturating_sub(line.time_of_report(rtp));
        // The sender set its clock, or it is another sender: what the other track said is of no use.
        let anew = line.report.is_some_and(|old| distance(old, offset) > JUMP);
        line.report = Some(offset);
        if anew {
            match track {
                Track::Video => self.audio.report = None,
                Track::Audio => self.video.report = None,
            }
        }
    }

    /// The receiver's time of a packet or access unit with the RTP timestamp `rtp`, whose first packet arrived at
    /// `arrival`. A later RTP timestamp always gets a later time.
    pub fn timestamp(&mut self, track: Track, rtp: u32, arrival: Micros) -> Micros {
        let passed = self.line(track).arrive(rtp, arrival);
        let synced = self.audio.started() && self.video.started() && self.error().is_some();
        match track {
            Track::Audio => self.audio.follow(passed),
            Track::Video if !synced => self.video.follow(passed),
            Track::Video if self.audio.silent_at(arrival) => {
                let error = self.error().unwrap_or_default();
                self.video.follow(passed);
                self.audio.offset =
                    self.audio.offset.saturating_add(self.error().unwrap_or_default() - error);
            }
            Track::Video => self.align(passed),
        }
        self.line(track).now()
    }

    /// Prepares for a new source of the track (another SSRC), whose RTP timestamps are unrelated to those before.
    pub const fn restart(&mut self, track: Track) {
        match track {
            Track::Video => self.video.restart(),
            Track::Audio => self.audio.restart(),
        }
    }

    /// Returns the remaining delay of the video relative to the audio, according to the sender reports.
    /// Returns `None` while a track has no report, or if the reports are not credible.
    pub fn error(&self) -> Option<Micros> {
        let apart = self.video.report?.saturating_sub(self.audio.report?);
        let error = self.video.offset.saturating_sub(self.audio.offset).saturating_sub(apart);
        (error.saturating_abs() <= CREDIBLE).then_some(error)
    }

    const fn line(&mut self, track: Track) -> &mut TrackClock {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }

    /// Moves the video until it is in sync with the audio. Instead of a jump backwards of the video, the audio jumps
    /// forwards.
    fn align(&mut self, passed: Micros) {
        let error = self.error().unwrap_or_default();
        if error < -JUMP {
            self.video.offset -= error;
        } else if error > JUMP {
            self.audio.offset += error;
        } else {
            self.video.offset += ALIGN.step(-error, passed);
        }
    }
}

/// The clock of one track.
#[derive(Debug, Clone)]
struct TrackClock {
    rate: u32,
    unwrapper: Unwrapper<32>,
    /// The RTP time of the newest packet in microseconds, and its arrival.
    last: Option<(Micros, Micros)>,
    /// Receiver's time minus RTP time.
    offset: Micros,
    /// The latest time that was returned.
    newest: Option<Micros>,
    floor: Floor,
    raw_report: Option<(Micros, u32)>,
    /// Sender's time minus RTP time, by the last report.
    report: Option<Micros>,
}

impl TrackClock {
    const fn new(rate: u32) -> Self {
        Self {
            rate,
            unwrapper: Unwrapper::new(),
            last: None,
            offset: 0,
            newest: None,
            floor: Floor::new(),
            raw_report: None,
            report: None,
        }
    }

    const fn restart(&mut self) {
        // A repetition of an old report must not count as one of the new source.
        let (newest, raw_report) = (self.newest, self.raw_report);
        *self = Self::new(self.rate);
        (self.newest, self.raw_report) = (newest, raw_report);
    }

    const fn started(&self) -> bool {
        self.last.is_some()
    }

    fn silent_at(&self, arrival: Micros) -> bool {
        self.last.is_none_or(|(_, last)| arrival.saturating_sub(last) > AUDIO_TIMEOUT)
    }

    /// The RTP time of a report in microseconds, unwrapped near that of the newest packet.
    fn time_of_report(&mut self, rtp: u32) -> Micros {
        let ticks = match self.last {
            Some(_) => self.unwrapper.clone().unwrap(rtp.into()),
            None => self.unwrapper.unwrap(rtp.into()),
        };
        from_ticks(ticks, self.rate)
    }

    /// Takes a packet; answers how much time passed since the last, for corrections.
    fn arrive(&mut self, rtp: u32, arrival: Micros) -> Micros {
        let time = from_ticks(self.unwrapper.unwrap(rtp.into()), self.rate);
        let Some((last, last_arrival)) = self.last else { return self.begin(time, arrival) };
        let (passed, waited) = (time - last, arrival.saturating_sub(last_arrival));
        let early = time.saturating_add(self.offset).saturating_sub(arrival);
        if passed < -NEW_SOURCE || passed.saturating_sub(waited) > NEW_SOURCE && early > NEW_SOURCE {
            self.restart();
            let time = from_ticks(self.unwrapper.unwrap(rtp.into()), self.rate);
            return self.begin(time, arrival);
        }
        self.last = Some((time, arrival));
        self.floor.push(arrival.saturating_sub(time), arrival);
        passed.clamp(0, SECOND)
    }

    fn begin(&mut self, time: Micros, arrival: Micros) -> Micros {
        let at = self.newest.map_or(arrival, |newest| arrival.max(newest.saturating_add(MILLI)));
        self.offset = at.saturating_sub(time);
        self.last = Some((time, arrival));
        self.floor.push(arrival.saturating_sub(time), arrival);
        0
    }

    /// Moves the track to the arrival time of packets without queueing delay. Congestion may delay all packets for
    /// long, which is no reason to jump. Only a sender whose clock stood still is.
    fn follow(&mut self, passed: Micros) {
        let Some(error) = self.floor.least().map(|least| least.saturating_sub(self.offset)) else { return };
        self.offset += if error > CREDIBLE { error } else { FOLLOW.step(error, passed) };
    }

    fn now(&mut self) -> Micros {
        let now = self.last.map_or(0, |(time, _)| time).saturating_add(self.offset);
        self.newest = Some(self.newest.map_or(now, |newest| newest.max(now)));
        now
    }
}

/// The smallest delay of the last 4 to 8 seconds.
#[derive(Debug, Clone)]
struct Floor {
    since: Micros,
    current: Option<Micros>,
    before: Option<Micros>,
}

impl Floor {
    const fn new() -> Self {
        Self { since: 0, current: None, before: None }
    }

    fn push(&mut self, delay: Micros, arrival: Micros) {
        let age = arrival.saturating_sub(self.since);
        if self.current.is_none() || age > 2 * WINDOW {
            *self = Self { since: arrival, current: Some(delay), before: None };
        } else if age >= WINDOW {
            *self = Self { since: arrival, current: Some(delay), before: self.current };
        } else {
            self.current = self.current.map(|least| least.min(delay));
        }
    }

    /// None before there was time enough to judge.
    fn least(&self) -> Option<Micros> {
        Some(self.before?.min(self.current?))
    }
}

const fn distance(a: Micros, b: Micros) -> Micros {
    a.saturating_sub(b).saturating_abs()
}

#[cfg(test)]
mod tests;
