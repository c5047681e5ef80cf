//! The loop of a mix: it ticks at the frame rate of the output and never waits for an input.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use media::time::{Micros, SECOND};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::audio::AudioMixer;
use super::background;
use super::children::{EncoderName, EncoderSettings};
use super::compose::{Compositor, Fonts, SILENT, Source};
use super::control::{Control, Orders};
use super::input::Shows;
use super::inputs::Inputs;
use super::load::{Limit, Load};
use super::look::Looks;
use super::mix_clock::MixClock;
use super::output::{self, Event, Output};
use super::report::Report;
use super::request::MixRequest;
use super::returns::Returns;
use super::settings::{MixQuality, MixSettings};
use crate::core::hub::{Hub, Publisher};

/// A later tick than this means that the machine was suspended: the clock is set back, so that the output has no gap.
const SUSPENDED: Micros = 2 * SECOND;
/// Time for which the last card is shown.
const LAST_CARD: Micros = 3 * SECOND;

/// The parts of the gateway that a mix uses.
pub(super) struct Setup {
    pub(super) hub: Hub,
    pub(super) control: Arc<Control>,
    pub(super) settings: Arc<MixSettings>,
    pub(super) stop: CancellationToken,
}

/// A running mix.
struct Mixer {
    control: Arc<Control>,
    settings: Arc<MixSettings>,
    request: Arc<MixRequest>,
    clock: MixClock,
    inputs: Inputs,
    audio: Rc<RefCell<AudioMixer>>,
    looks: Looks,
    compositor: Compositor,
    /// Draws pictures for the next encoder, if that has another size.
    next_compositor: Option<Compositor>,
    output: Output,
    returns: Returns,
    load: Load,
    report: Report,
    /// The last card, and the time of its end.
    ending: Option<(String, Micros)>,
    /// Number of the next tick.
    tick: i64,
    /// The time of the first tick at the current frame rate.
    base: Micros,
}

/// Runs a mix until it ends. Must be called inside a `LocalSet`.
///
/// # Errors
/// The mix cannot go on; the text says why.
pub(super) async fn run(setup: Setup) -> Result<(), String> {
    let mut orders = setup.control.orders();
    let stop = setup.stop.clone();
    let first = orders.borrow_and_update().clone();
    let publisher = tokio::select! {
        publisher = output::publish(&setup.hub, &first.request.output) => publisher?,
        () = stop.cancelled() => return Ok(()),
    };
    let mut mixer = Mixer::new(setup, &first, publisher)?;
    tokio::select! {
        () = mixer.load_background() => {}
        () = stop.cancelled() => return Ok(()),
    }
    let now = mixer.clock.now();
    mixer.load.settle(now);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            changed = orders.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let orders = orders.borrow_and_update().clone();
                mixer.obey(orders);
            }
            () = sleep_until(mixer.clock.instant(mixer.next_tick())) => {
                if mixer.tick() {
                    return Ok(());
                }
            }
            () = sleep_until(mixer.clock.instant(mixer.next_audio())) => mixer.mix_audio(),
            event = mixer.output.next() => match event {
                Event::Progress => {}
                Event::Restarted => {
                    let now = mixer.clock.now();
                    mixer.load.settle(now);
                }
                Event::Revoked(reason) => return Err(format!("the stream of the mix was ended: {reason}")),
                Event::Failed(reason) => return Err(format!("the mix cannot be encoded: {reason}")),
            },
        }
    }
}

impl Mixer {
    fn new(setup: Setup, orders: &Orders, publisher: Publisher) -> Result<Self, String> {
        let Setup { hub, control, settings, .. } = setup;
        let request = orders.request.clone();
        let clock = MixClock::new();
        let audio = Rc::new(RefCell::new(AudioMixer::new(0)));
        let font = Some(settings.mix_font.as_path()).filter(|font| !font.as_os_str().is_empty());
        let fonts = Fonts::load(font).map_err(|error| error.to_string())?;
        let compositor = Compositor::new(request.width, request.height, fonts);
        let load = Load::new(0, settings.mix_quality == MixQuality::Full);
        let mut mixer = Self {
            output: Output::new(publisher, encoder(&settings, &request, load.quality())?),
            inputs: Inputs::new(hub.clone(), clock.clone(), audio.clone()),
            returns: Returns::new(hub),
            looks: Looks::default(),
            compositor: compositor.map_err(|error| error.to_string())?,
            next_compositor: None,
            control,
            settings,
            clock,
            audio,
            load,
            report: Report::default(),
            ending: None,
            tick: 0,
            base: 0,
            request: request.clone(),
        };
        mixer.change(request);
        mixer.end(orders);
        Ok(mixer)
    }

    /// Reads the background image of the settings. Without it, the mix has a plain background.
    async fn load_background(&mut self) {
        if self.settings.mix_background.as_os_str().is_empty() {
            return;
        }
        let size = (self.request.width, self.request.height);
        match background::load(&self.settings.mix_background, size).await {
            Ok(image) => self.looks.set_image(image),
            Err(error) => tracing::warn!(error, "mix has no background image"),
        }
        self.looks.set(&self.request);
    }

    /// Follows new orders.
    fn obey(&mut self, orders: Orders) {
        self.end(&orders);
        self.change(orders.request);
    }

    fn end(&mut self, orders: &Orders) {
        if let (Some(card), None) = (&orders.ending, &self.ending) {
            self.ending = Some((card.clone(), self.clock.now() + LAST_CARD));
        }
    }

    fn change(&mut self, request: Arc<MixRequest>) {
        self.inputs.set(&request);
        self.returns.set(&request, &self.inputs, &mut self.audio.borrow_mut());
        self.looks.set(&request);
        self.request = request;
        self.set_encoder();
    }

    /// Uses an encoder for the current request and quality.
    fn set_encoder(&mut self) {
        match encoder(&self.settings, &self.request, self.load.quality()) {
            Ok(encoder) => self.output.set(encoder),
            Err(error) => tracing::warn!(error, "encoder of the mix not changed"),
        }
    }

    /// Returns the time between two pictures.
    fn period(&self) -> Micros {
        SECOND / Micros::from(self.load.quality().rate(self.request.rate))
    }

    fn next_tick(&self) -> Micros {
        self.base + self.tick * SECOND / Micros::from(self.load.quality().rate(self.request.rate))
    }

    /// Makes one picture, and the audio up to it. Returns whether the mix has ended.
    fn tick(&mut self) -> bool {
        let now = self.clock.now();
        let due = self.next_tick();
        let late = now - due;
        if late > SUSPENDED {
            self.clock.set_back(late);
            self.inputs.forget_delays();
            return false;
        }
        // Ticks that were missed are left out: the mix never falls behind.
        let missed = late / self.period();
        self.tick += missed + 1;
        let time = due + missed * self.period();
        for _ in 0..missed {
            self.lose(now, Limit::Machine);
        }
        self.inputs.choose(time, self.period() / 2);
        self.watch_encoder_size();
        let encoded = self.draw(time);
        if encoded {
            self.count(now, None);
        } else if self.output.encodes() {
            self.lose(now, Limit::Encoder);
        }
        let audio = self.audio.borrow();
        if let Some(status) = self.report.status(now, &self.inputs, &mut self.output, &self.load, &audio) {
            self.control.set_status(status);
        }
        drop(audio);
        self.ending.as_ref().is_some_and(|(_, end)| now >= *end)
    }

    fn lose(&mut self, now: Micros, limit: Limit) {
        self.report.drops += 1;
        self.count(now, Some(limit));
    }

    fn count(&mut self, now: Micros, lost: Option<Limit>) {
        let time = self.next_tick();
        if let Some(quality) = self.load.record(now, lost) {
            tracing::info!(
                output = self.request.output,
                quality = quality.name(),
                "quality of the mix changed"
            );
            // The frame rate may be another one: the ticks are counted from here.
            (self.base, self.tick) = (time, 0);
            self.set_encoder();
        }
    }

    /// Draws the inputs at the mix time `time`, and encodes the picture. Returns false if the encoder is too slow.
    fn draw(&mut self, time: Micros) -> bool {
        let card = self.ending.as_ref().map(|(card, _)| card.clone());
        let levels = self.audio.borrow().levels();
        let shown = self.inputs.shown(time);
        let mut sources: Vec<Source<'_>> = Vec::with_capacity(shown.len());
        for input in &shown {
            let level = match &*self.request.spotlight {
                "" => levels.input(input.id),
                spotlight if spotlight == input.request.stream => 0,
                _ => SILENT,
            };
            sources.push(Source {
                id: &input.request.stream,
                name: input.request.shown_name(),
                picture: input.picture.as_ref().filter(|_| input.shows == Shows::Picture),
                screen: input.request.screen,
                level,
                hidden: input.request.hidden,
                text: false,
            });
        }
        let last = card.as_deref().filter(|card| !card.is_empty());
        if card.is_some() {
            sources.clear();
        }
        sources.extend(last.map(|text| Source {
            id: text,
            name: text,
            picture: None,
            screen: false,
            level: SILENT,
            hidden: false,
            text: true,
        }));
        let look = self.looks.look(card.is_some(), self.compositor.size());
        let picture = self.compositor.compose(&look, &sources, time);
        match (self.output.sizes().1, &mut self.next_compositor) {
            (Some(_), Some(next)) => {
                let look = self.looks.look(card.is_some(), next.size());
                let other = next.compose(&look, &sources, time);
                self.output.push_next(other, time);
            }
            (Some(_), None) => self.output.push_next(picture.clone(), time),
            (None, _) => {}
        }
        self.output.push(picture, time)
    }

    /// Has pictures drawn in the sizes that the encoders take.
    fn watch_encoder_size(&mut self) {
        let (current, next) = self.output.sizes();
        let other = self.next_compositor.take();
        if self.compositor.size() != current {
            let fits = other.filter(|other| other.size() == current).or_else(|| self.compositor_of(current));
            if let Some(fits) = fits {
                self.compositor = fits;
            }
            return;
        }
        let Some(next) = next.filter(|next| *next != current) else { return };
        self.next_compositor =
            other.filter(|other| other.size() == next).or_else(|| self.compositor_of(next));
    }

    fn compositor_of(&self, (width, height): (u32, u32)) -> Option<Compositor> {
        self.compositor.resized(width, height).ok()
    }

    /// Returns when the next packet of audio is complete.
    fn next_audio(&self) -> Micros {
        self.audio.borrow().due()
    }

    /// Mixes the audio up to now. It has its own times: at low frame rates, viewers would get it in large blocks.
    fn mix_audio(&mut self) {
        let mut audio = self.audio.borrow_mut();
        for mixed in audio.mix(self.clock.now()) {
            match mixed.minus {
                None => self.output.push_audio(mixed.frame),
                Some(input) => self.returns.push(input, mixed.frame),
            }
        }
    }
}

/// Returns the settings of the encoder for a quality.
fn encoder(
    settings: &MixSettings,
    request: &MixRequest,
    quality: super::load::Quality,
) -> Result<EncoderSettings, String> {
    let (width, height) = quality.size((request.width, request.height));
    let rate = quality.rate(request.rate);
    let pixels = |width: u32, height: u32, rate: u32| u64::from(width) * u64::from(height) * u64::from(rate);
    let share =
        pixels(width, height, rate) as f64 / pixels(request.width, request.height, request.rate) as f64;
    let encoder: EncoderName = settings.mix_encoder.parse()?;
    let encoder = if quality == super::load::Quality::Full { encoder } else { encoder.fastest() };
    Ok(EncoderSettings {
        encoder,
        width,
        height,
        rate,
        bits: (request.bits_per_second() as f64 * share) as u64,
    })
}
