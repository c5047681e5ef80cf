//! Reads and writes layouts.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::layout::{Layout, LayoutError, Pip};

/// The layouts that have a name, in the order of the documentation.
pub const LAYOUTS: [&str; 5] = ["grid", "speaker", "side", "pip", "screen"];

impl Layout {
    /// Returns the name. `regions` is the only one that is not in [`LAYOUTS`].
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Speaker => "speaker",
            Self::SideBySide => "side",
            Self::PictureInPicture(_) => "pip",
            Self::Screen => "screen",
            Self::Regions(_) => "regions",
        }
    }
}

impl FromStr for Layout {
    type Err = LayoutError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(match name {
            "grid" => Self::Grid,
            "speaker" => Self::Speaker,
            "side" => Self::SideBySide,
            "pip" => Self::PictureInPicture(Pip::default()),
            "screen" => Self::Screen,
            other => {
                // The text comes from a request: an answer does not repeat more than a word of it.
                let other: String = other.chars().take(20).collect();
                return Err(LayoutError::new(format!("{other:?} is no layout: use {}", LAYOUTS.join(", "))));
            }
        })
    }
}

impl Serialize for Layout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let map = |serializer: S| serializer.serialize_map(Some(1));
        match self {
            Self::PictureInPicture(pip) if *pip != Pip::default() => {
                let mut map = map(serializer)?;
                map.serialize_entry(self.name(), pip)?;
                map.end()
            }
            Self::Regions(regions) => {
                let mut map = map(serializer)?;
                map.serialize_entry(self.name(), regions)?;
                map.end()
            }
            _ => serializer.serialize_str(self.name()),
        }
    }
}

impl<'de> Deserialize<'de> for Layout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Layouts)
    }
}

struct Layouts;

impl<'de> Visitor<'de> for Layouts {
    type Value = Layout;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a layout: one of {}, or an object with `pip` or `regions`", LAYOUTS.join(", "))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Layout, E> {
        name.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Layout, A::Error> {
        let layout = match map.next_key::<String>()?.as_deref() {
            Some("pip") => Layout::PictureInPicture(map.next_value()?),
            Some("regions") => Layout::Regions(map.next_value()?),
            _ => return Err(A::Error::custom("a layout is a name, or an object with `pip` or `regions`")),
        };
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::custom("a layout has `pip` or `regions`, and nothing else"));
        }
        Ok(layout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::mix::compose::layout::{Corner, Fit, Region, RegionSource};
    use crate::jobs::mix::compose::limits::MAX_REGIONS;

    fn read(text: &str) -> Result<Layout, String> {
        serde_json::from_str(text).map_err(|e| e.to_string())
    }

    fn region(source: RegionSource) -> Region {
        Region { source, x: 0, y: 2, w: 640, h: 360, fit: Fit::Auto }
    }

    #[test]
    fn layouts_are_read_as_they_are_written() {
        let pip = Pip { corner: Corner::TopLeft, width: Some(96), height: Some(72), ..Pip::default() };
        let regions = vec![region(RegionSource::Index(1)), region(RegionSource::Id("anna-1".into()))];
        for (layout, text) in [
            (Layout::Grid, "\"grid\""),
            (Layout::Speaker, "\"speaker\""),
            (Layout::SideBySide, "\"side\""),
            (Layout::PictureInPicture(Pip::default()), "\"pip\""),
            (Layout::Screen, "\"screen\""),
            (
                Layout::PictureInPicture(pip),
                r#"{"pip":{"corner":"top-left","width":96,"height":72,"fit":"auto"}}"#,
            ),
            (
                Layout::Regions(regions),
                concat!(
                    r#"{"regions":[{"source":1,"x":0,"y":2,"w":640,"h":360,"fit":"auto"},"#,
                    r#"{"source":"anna-1","x":0,"y":2,"w":640,"h":360,"fit":"auto"}]}"#
                ),
            ),
        ] {
            assert_eq!(serde_json::to_string(&layout).unwrap(), text);
            assert_eq!(read(text), Ok(layout));
        }
        assert!(LAYOUTS.iter().all(|name| name.parse::<Layout>().is_ok_and(|layout| layout.name() == *name)));
    }

    #[test]
    fn errors_say_what_is_possible() {
        for (text, part) in [
            ("\"mosaic\"", "\"mosaic\" is no layout: use grid, speaker, side, pip, screen"),
            ("3", "one of grid, speaker"),
            ("{}", "`pip` or `regions`"),
            (r#"{"grid":1}"#, "`pip` or `regions`"),
            (r#"{"pip":{},"regions":[]}"#, "nothing else"),
            (r#"{"pip":{"corner":"middle"}}"#, "unknown variant `middle`, expected one of `top-left`"),
            (r#"{"pip":{"size":3}}"#, "unknown field `size`"),
            (
                r#"{"regions":[{"source":-1,"x":0,"y":0,"w":2,"h":2}]}"#,
                "a number (0 is the first) or an identifier",
            ),
            (r#"{"regions":[{"source":0,"x":0,"y":0,"w":2}]}"#, "missing field `h`"),
            (r#"{"regions":[{"source":0,"x":-2,"y":0,"w":2,"h":2}]}"#, "invalid value: integer `-2`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(read(&format!("\"{}\"", "x".repeat(999))).unwrap_err().len() < 120);
    }

    #[test]
    fn regions_are_inside_the_canvas() {
        let check = |layout: Layout| layout.check(1280, 720).map_err(|e| e.to_string());
        let at = |x, y, w, h| Layout::Regions(vec![Region { x, y, w, h, ..region(RegionSource::Index(0)) }]);
        assert_eq!(check(at(0, 0, 1280, 720)), Ok(()));
        for bad in [at(2, 0, 1280, 720), at(0, 2, 1280, 720), at(u32::MAX, 0, u32::MAX, 2)] {
            assert_eq!(check(bad), Err("region 0 reaches beyond the canvas of 1280x720".into()));
        }
        assert!(check(at(0, 0, 1, 9)).is_err());
        let many = |n| Layout::Regions(vec![region(RegionSource::Index(0)); n]);
        assert_eq!(check(many(MAX_REGIONS)), Ok(()));
        assert_eq!(check(many(MAX_REGIONS + 1)), Err("17 regions: 1 to 16 are possible".into()));
        assert!(check(many(0)).is_err());
        let pip = |width, offset| {
            Layout::PictureInPicture(Pip { width: Some(width), offset: Some(offset), ..Pip::default() })
        };
        assert_eq!(check(pip(1280, 0)), Ok(()));
        assert!(
            check(pip(1280, 2)).is_err() && check(pip(0, 2)).is_err() && check(pip(9, u32::MAX)).is_err()
        );
        assert_eq!(check(Layout::Grid), Ok(()));
    }
}
