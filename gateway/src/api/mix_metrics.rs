//! The metrics of the mixes. Their labels are bounded: there are at most `mix_max` mixes, with at most 16 inputs each,
//! and the lines of a mix end with it.

use crate::jobs::mix::{InputStatus, MixInfo, MixStatus};
use crate::metrics::{family, gauge, sample};

/// A family of metrics: name, kind, help, and its value.
type Family<T> = (&'static str, &'static str, &'static str, fn(&T) -> f64);

const MIX: [Family<MixStatus>; 8] = [
    ("mix_pictures_total", "counter", "Pictures that were encoded.", |mix| mix.pictures as f64),
    ("mix_dropped_total", "counter", "Pictures left out: the encoder or the machine was too slow.", |mix| {
        mix.drops as f64
    }),
    ("mix_cpu_seconds_total", "counter", "Processor time of a mix with its child processes.", |mix| {
        mix.cpu_ms as f64 / 1e3
    }),
    ("mix_encoder_seconds", "gauge", "Time from a picture to its encoded frame.", |mix| {
        f64::from(mix.encoder_ms) / 1e3
    }),
    ("mix_encoder_restarts_total", "counter", "Encoders that ended and were replaced.", |mix| {
        mix.encoder_restarts as f64
    }),
    ("mix_quality_steps", "gauge", "Steps by which the quality is lowered; 0 is the full quality.", |mix| {
        mix.quality_steps as f64
    }),
    ("mix_limited", "gauge", "1 while the encoder or the machine is too slow.", |mix| {
        f64::from(u8::from(mix.limited_by.is_some()))
    }),
    ("mix_inputs", "gauge", "Inputs that are shown or heard now.", |mix| {
        mix.inputs.iter().filter(|input| input.state != "waiting").count() as f64
    }),
];

const INPUT: [Family<InputStatus>; 5] = [
    ("mix_input_pictures_total", "counter", "Pictures of an input that were shown.", |input| {
        input.pictures as f64
    }),
    ("mix_input_repeated_total", "counter", "Pictures that showed the picture of an input again.", |input| {
        input.repeats as f64
    }),
    (
        "mix_input_dropped_total",
        "counter",
        "Frames and audio packets of an input that were left out.",
        |input| input.drops as f64,
    ),
    ("mix_input_decoder_restarts_total", "counter", "Decoders that ended and were replaced.", |input| {
        input.decoder_restarts as f64
    }),
    ("mix_input_delay_seconds", "gauge", "Delay that a mix adds to an input.", |input| {
        input.delay_ms as f64 / 1e3
    }),
];

/// Appends the metrics of the mixes in Prometheus' text format. `most` is the maximum number of mixes.
pub(super) fn render(out: &mut String, mixes: &[MixInfo], most: usize) {
    gauge(out, "mixes", "Mixes.", mixes.len() as f64);
    gauge(out, "mixes_max", "Maximum number of mixes at the same time.", most as f64);
    for (name, kind, help, read) in MIX {
        family(out, name, kind, help);
        for mix in mixes {
            sample(out, name, &format!("{{mix=\"{}\"}}", mix.request.output), read(&mix.status));
        }
    }
    for (name, kind, help, read) in INPUT {
        family(out, name, kind, help);
        for mix in mixes {
            for input in &mix.status.inputs {
                let labels = format!("{{mix=\"{}\",input=\"{}\"}}", mix.request.output, input.stream);
                sample(out, name, &labels, read(input));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::jobs::JobState;
    use crate::jobs::mix::MixRequest;

    #[test]
    fn each_mix_and_each_input_has_its_lines() {
        let input = InputStatus {
            stream: "live/a".to_owned(),
            state: "live",
            failure: None,
            fps: 30,
            pictures: 300,
            repeats: 4,
            delay_ms: 25,
            drops: 3,
            level: -20,
            decoder_restarts: 2,
        };
        let waiting = InputStatus { stream: "live/b".to_owned(), state: "waiting", ..input.clone() };
        let status = MixStatus {
            inputs: vec![input, waiting],
            pictures: 310,
            drops: 5,
            cpu_ms: 1500,
            encoder_ms: 12,
            encoder_restarts: 1,
            quality_steps: 2,
            limited_by: Some("the encoder is too slow"),
            ..MixStatus::default()
        };
        let mix = MixInfo {
            id: 1,
            request: Arc::new(MixRequest::new("live/merge", &["live/a", "live/b"])),
            status,
            state: JobState::Running,
            failure: None,
        };
        let mut out = String::new();
        render(&mut out, &[mix], 2);
        let own = "{mix=\"live/merge\"}";
        let of_a = "{mix=\"live/merge\",input=\"live/a\"}";
        for line in [
            "mixes 1".to_owned(),
            "mixes_max 2".to_owned(),
            format!("mix_pictures_total{own} 310"),
            format!("mix_dropped_total{own} 5"),
            format!("mix_cpu_seconds_total{own} 1.5"),
            format!("mix_encoder_seconds{own} 0.012"),
            format!("mix_encoder_restarts_total{own} 1"),
            format!("mix_quality_steps{own} 2"),
            format!("mix_limited{own} 1"),
            format!("mix_inputs{own} 1"),
            format!("mix_input_pictures_total{of_a} 300"),
            format!("mix_input_repeated_total{of_a} 4"),
            format!("mix_input_dropped_total{of_a} 3"),
            format!("mix_input_decoder_restarts_total{of_a} 2"),
            format!("mix_input_delay_seconds{of_a} 0.025"),
        ] {
            assert!(out.contains(&format!("\nlianmai_{line}\n")), "{line}: {out}");
        }
        // Without mixes there are no lines of any, but the families stay known.
        let mut none = String::new();
        render(&mut none, &[], 2);
        assert!(
            none.contains("lianmai_mixes 0\n")
                && none.contains("# TYPE lianmai_mix_pictures_total counter\n")
        );
        assert!(!none.contains("live/merge"));
    }
}
