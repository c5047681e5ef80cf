//! From a sender's RTP times to our clock (RFC 3550 6.4.1).
//!
//! Each track counts from a random number, on a clock that is not ours. Until sender reports tell how
//! the tracks belong together their arrival does: the first packets' at once, then that of the packets
//! which were least held up. Once both tracks have reports, the video moves to where they say, against
//! the sound, which is not bent for it. Nothing here moves by more than a small part of the time that
//! passes, so jitter does not show and times go on strictly, except for what is far off.

use crate::config::Track;
use crate::time::{MILLI, Micros, SECOND, Unwrapper, from_ticks};

/// What is further off than this jumps, forwards.
const JUMP: Micros = 500 * MILLI;
/// Reports that move the tracks apart by more than this are not believed: there are senders whose tracks
/// have clocks of their own.
const CREDIBLE: Micros = 5 * SECOND;
/// A step of RTP time by more than this that the arrival does not bear out is a new source.
const NEW_SOURCE: Micros = SECOND;
/// Delays are compared over this time and as much again.
const WINDOW: Micros = 4 * SECOND;
/// Sound that has not come for this long leads no more.
const SILENT: Micros = 10 * SECOND;

/// Following the arrival: 1/20 of what is off in a second, at most 2 ms. Clocks differ by 0.1 ms in a
/// second, seldom by 0.5.
const FOLLOW: Slew = Slew { time: 20 * SECOND, most: 500 };
/// Moving the video to the sound: what is off in a second, at most 50 ms, which in a picture's time is
/// 1.7 ms: 150 ms in 4 s.
const ALIGN: Slew = Slew { time: SECOND, most: 20 };

/// A smooth correction: `time` to correct all at the speed of the beginning, and at most one part in
/// `most` of the time that passes.
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

/// The clock of one publisher: its two tracks on one line of time, ours.
#[derive(Debug, Clone)]
pub struct RtpClock {
    video: Line,
    audio: Line,
}

impl RtpClock {
    /// A clock for video, whose RTP time is 90 kHz, and sound of `audio_rate` Hz (Opus: 48 kHz).
    pub const fn new(audio_rate: u32) -> Self {
        Self { video: Line::new(90_000), audio: Line::new(audio_rate) }
    }

    /// Takes a sender report: `rtp` is the track's time at the sender's `ntp`, counted from any moment
    /// that is the same for both tracks. The same report again does nothing.
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

    /// The time on our clock of a packet or access unit of RTP time `rtp`, that arrived (its first
    /// packet) at `arrival`. Strictly later for a strictly later RTP time.
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

    /// The track's next packet is of a new source (another SSRC): its RTP time has nothing to do with
    /// that before.
    pub const fn restart(&mut self, track: Track) {
        match track {
            Track::Video => self.video.restart(),
            Track::Audio => self.audio.restart(),
        }
    }

    /// How much later than the sound the pictures still are on our clock, by the sender's reports. None
    /// while there are none of both, or none to be believed.
    pub fn error(&self) -> Option<Micros> {
        let apart = self.video.report?.saturating_sub(self.audio.report?);
        let error = self.video.offset.saturating_sub(self.audio.offset).saturating_sub(apart);
        (error.saturating_abs() <= CREDIBLE).then_some(error)
    }

    const fn line(&mut self, track: Track) -> &mut Line {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }

    /// Moves the video to where it belongs. What would have to jump backwards stays, and the sound
    /// jumps forwards instead.
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

/// One track.
#[derive(Debug, Clone)]
struct Line {
    rate: u32,
    unwrapper: Unwrapper<32>,
    /// The newest packet's RTP time in microseconds, and when it arrived.
    last: Option<(Micros, Micros)>,
    /// What to add to RTP time for our clock.
    offset: Micros,
    /// The latest time answered.
    newest: Option<Micros>,
    floor: Floor,
    raw_report: Option<(Micros, u32)>,
    /// What to add to RTP time for the sender's clock.
    report: Option<Micros>,
}

impl Line {
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
        // An old report that is told again must not be taken for one of the new source.
        let (newest, raw_report) = (self.newest, self.raw_report);
        *self = Self::new(self.rate);
        (self.newest, self.raw_report) = (newest, raw_report);
    }

    const fn started(&self) -> bool {
        self.last.is_some()
    }

    fn silent_at(&self, arrival: Micros) -> bool {
        self.last.is_none_or(|(_, last)| arrival.saturating_sub(last) > SILENT)
    }

    /// A report's RTP time, near that of the newest packet.
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

    /// Moves to where packets that were not held up arrive. Congestion may hold all up for long: that
    /// is no reason to jump, only time that stood still is.
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

/// The least of the last 4 to 8 seconds' delays.
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
