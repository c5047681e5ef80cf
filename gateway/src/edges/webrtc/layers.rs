//! Simulcast (RFC 8853): selects, of the sizes in which a publisher sends its video, the largest that comes.

use std::time::{Duration, Instant};

use str0m::media::Rid;

/// A layer that was silent for this long has stopped: the sender has no bandwidth for it.
const LAYER_TIMEOUT: Duration = Duration::from_secs(1);

/// The layers of one publisher. Their sizes are known from their first key frames on.
#[derive(Debug, Default)]
pub(super) struct Layers {
    known: Vec<Layer>,
    forwarded: Option<Rid>,
}

#[derive(Debug)]
struct Layer {
    rid: Rid,
    pixels: u64,
    last_frame: Instant,
}

/// The decision about a video frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LayerChoice {
    /// Forward it: its layer is the selected one.
    Forward,
    /// Forward it, as the first frame of another layer than before.
    Switch,
    /// Drop it: a better layer is selected.
    Drop,
    /// Drop it and request a key frame, with which its layer can be selected.
    RequestKeyFrame,
}

impl Layers {
    /// Decides about a frame of the layer `rid`. `pixels` is the size of a key frame.
    pub(super) fn choose(&mut self, rid: Rid, pixels: Option<u64>, now: Instant) -> LayerChoice {
        let at = self.known.iter().position(|layer| layer.rid == rid).unwrap_or_else(|| {
            self.known.push(Layer { rid, pixels: 0, last_frame: now });
            self.known.len() - 1
        });
        if let Some(layer) = self.known.get_mut(at) {
            layer.last_frame = now;
            layer.pixels = pixels.unwrap_or(layer.pixels);
        }
        if self.forwarded == Some(rid) {
            return LayerChoice::Forward;
        }
        let is_current =
            |layer: &&Layer| Some(layer.rid) == self.forwarded && now < layer.last_frame + LAYER_TIMEOUT;
        let current = self.known.iter().find(is_current).map(|layer| layer.pixels);
        match (current, pixels) {
            (Some(current), Some(pixels)) if pixels > current => {}
            (Some(_), _) => return LayerChoice::Drop,
            (None, Some(_)) => {}
            (None, None) => return LayerChoice::RequestKeyFrame,
        }
        match self.forwarded.replace(rid) {
            Some(_) => LayerChoice::Switch,
            None => LayerChoice::Forward,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_layer_that_comes_is_selected_at_its_key_frames() {
        let mut layers = Layers::default();
        let start = Instant::now();
        let [small, large] = ["q", "f"].map(Rid::from);
        let mut choose =
            |rid, pixels, millis| layers.choose(rid, pixels, start + Duration::from_millis(millis));
        assert_eq!(choose(small, None, 0), LayerChoice::RequestKeyFrame);
        assert_eq!(choose(small, Some(100), 40), LayerChoice::Forward);
        assert_eq!(choose(large, None, 80), LayerChoice::Drop);
        assert_eq!(choose(large, Some(400), 120), LayerChoice::Switch);
        assert_eq!(choose(large, None, 160), LayerChoice::Forward);
        assert_eq!(choose(small, Some(100), 160), LayerChoice::Drop);
        // The large layer stops.
        assert_eq!(choose(small, None, 1100), LayerChoice::Drop);
        assert_eq!(choose(small, None, 1160), LayerChoice::RequestKeyFrame);
        assert_eq!(choose(small, Some(100), 1200), LayerChoice::Switch);
        assert_eq!(choose(small, None, 1240), LayerChoice::Forward);
        assert_eq!(choose(large, Some(400), 1280), LayerChoice::Switch);
    }
}
