//! The look of a mix, from its request and the settings.

use std::borrow::Cow;

use super::Picture;
use super::compose::{Background, Colour, Layout, Look, Pip, Region, RegionSource};
use super::request::MixRequest;

/// The look of a mix.
#[derive(Debug, Default)]
pub(super) struct Looks {
    look: Look,
    /// The look of the last card.
    card: Look,
    /// The size of the pictures for which the request was made.
    size: (u32, u32),
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
        let background = match (request.background.parse::<Colour>(), &self.image) {
            (Ok(colour), _) => Background::Colour(colour),
            (Err(_), Some(image)) => Background::Picture(image.clone()),
            (Err(_), None) => Look::default().background,
        };
        self.look = Look {
            layout: by_stream(&request.layout, request),
            names: request.names,
            background,
            margin: request.margin as u8,
            border: request.border,
            fade: request.fade,
            ..Look::default()
        };
        self.size = (request.width, request.height);
        self.card = Look { layout: Layout::Grid, names: false, ..self.look.clone() };
    }

    /// Returns the look of the mix, or of its last card, for pictures of this size.
    pub(super) fn look(&self, last_card: bool, size: (u32, u32)) -> Cow<'_, Look> {
        let look = if last_card { &self.card } else { &self.look };
        let layout = if size == self.size { None } else { scaled(&look.layout, self.size, size) };
        match layout {
            Some(layout) => Cow::Owned(Look { layout, ..look.clone() }),
            None => Cow::Borrowed(look),
        }
    }
}

/// Names the inputs of regions by their streams: the compositor gets only the inputs that are shown, and a number would
/// mean another one while an input is missing.
fn by_stream(layout: &Layout, request: &MixRequest) -> Layout {
    let Layout::Regions(regions) = layout else { return layout.clone() };
    let named = |region: &Region| {
        let source = match &region.source {
            RegionSource::Index(index) => RegionSource::Id(request.inputs.get(*index)?.stream.clone()),
            RegionSource::Id(stream) => RegionSource::Id(stream.clone()),
        };
        Some(Region { source, ..region.clone() })
    };
    Layout::Regions(regions.iter().filter_map(named).collect())
}

/// Returns a layout in pixels for another size of the picture; `None` for layouts without pixels.
fn scaled(layout: &Layout, (from_w, from_h): (u32, u32), (to_w, to_h): (u32, u32)) -> Option<Layout> {
    let scale = |n: u32, from: u32, to: u32| (u64::from(n) * u64::from(to) / u64::from(from.max(1))) as u32;
    let (across, down) = (|n| scale(n, from_w, to_w), |n| scale(n, from_h, to_h));
    match layout {
        Layout::Regions(regions) => {
            let smaller = |region: &Region| Region {
                x: across(region.x),
                y: down(region.y),
                w: across(region.w).max(2),
                h: down(region.h).max(2),
                ..region.clone()
            };
            Some(Layout::Regions(regions.iter().map(smaller).collect()))
        }
        Layout::PictureInPicture(pip) => Some(Layout::PictureInPicture(Pip {
            width: pip.width.map(|n| across(n).max(2)),
            height: pip.height.map(|n| down(n).max(2)),
            offset: pip.offset.map(down),
            ..*pip
        })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::mix::compose::Fit;

    fn region(source: RegionSource, x: u32, w: u32) -> Region {
        Region { source, x, y: 0, w, h: 360, fit: Fit::Cover }
    }

    #[test]
    fn regions_mean_the_inputs_of_the_request_and_keep_their_share_of_the_picture() {
        let regions = vec![
            region(RegionSource::Index(1), 640, 640),
            region(RegionSource::Id("live/x".to_owned()), 0, 4),
            region(RegionSource::Index(9), 0, 4),
        ];
        let request = MixRequest {
            layout: Layout::Regions(regions),
            ..MixRequest::new("live/m", &["live/a", "live/b"])
        };
        let request = request.or((1280, 720), 30);
        let mut looks = Looks::default();
        looks.set(&request);
        let own = looks.look(false, (1280, 720)).layout.clone();
        let expected = vec![
            region(RegionSource::Id("live/b".to_owned()), 640, 640),
            region(RegionSource::Id("live/x".to_owned()), 0, 4),
        ];
        assert_eq!(own, Layout::Regions(expected));
        let Layout::Regions(half) = looks.look(false, (640, 360)).layout.clone() else { panic!("regions") };
        assert_eq!((half[0].x, half[0].w, half[0].h, half[1].w), (320, 320, 180, 2));
        let pip = Pip { width: Some(96), height: Some(72), offset: Some(10), ..Pip::default() };
        looks.set(&MixRequest { layout: Layout::PictureInPicture(pip), ..request });
        let Layout::PictureInPicture(half) = looks.look(false, (640, 360)).layout.clone() else {
            panic!("pip")
        };
        assert_eq!((half.width, half.height, half.offset), (Some(48), Some(36), Some(5)));
    }
}
