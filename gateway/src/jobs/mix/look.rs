//! The look of a mix, from its request and the settings.

use super::Picture;
use super::compose::{Background, Colour, Layout, Look};
use super::request::{MixRequest, colour};

/// The look of a mix.
#[derive(Debug, Default)]
pub(super) struct Looks {
    look: Look,
    /// The look of the last card.
    card: Look,
    /// The background image of the settings.
    image: Option<Picture>,
}

impl Looks {
    /// Uses this background image where a request asks for it.
    pub(super) fn set_image(&mut self, image: Picture) {
        self.image = Some(image);
    }

    /// Uses the look of a request.
    pub(super) fn set(&mut self, request: &MixRequest) {
        let background = match (colour(&request.background), &self.image) {
            (Some([red, green, blue]), _) => Background::Colour(Colour { red, green, blue }),
            (None, Some(image)) => Background::Picture(image.clone()),
            (None, None) => Look::default().background,
        };
        self.look = Look {
            layout: request.layout.clone(),
            names: request.names,
            background,
            margin: request.margin as u8,
            border: request.border,
            fade: request.fade,
            ..Look::default()
        };
        self.card = Look { layout: Layout::Grid, names: false, ..self.look.clone() };
    }

    /// Returns the look of the mix, or of its last card.
    pub(super) const fn look(&self, last_card: bool) -> &Look {
        if last_card { &self.card } else { &self.look }
    }
}
