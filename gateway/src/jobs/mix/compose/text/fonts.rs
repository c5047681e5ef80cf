//! The fonts of the names.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use ab_glyph::{Font, FontArc, FontVec, GlyphId};

use crate::jobs::mix::compose::limits::MAX_FONT_BYTES;

/// Latin, Greek, Cyrillic and more. Its licence is beside it.
static DEJAVU: &[u8] = include_bytes!("../fonts/DejaVuSans.ttf");

/// Where Linux distributions and macOS have a font with Chinese, Japanese and Korean characters. The first one found
/// is used.
const SYSTEM: [&str; 9] = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/System/Library/Fonts/STHeiti Medium.ttc",
];

/// The fonts, in the order in which they are searched for a character. Cloning copies no font.
#[derive(Clone)]
pub struct Fonts(Arc<[FontArc]>);

/// A font file cannot be used.
#[derive(Debug)]
pub struct FontError {
    path: String,
    why: String,
}

impl fmt::Display for FontError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the font {} cannot be used: {}; choose a .ttf, .otf or .ttc file", self.path, self.why)
    }
}

impl std::error::Error for FontError {}

impl fmt::Debug for Fonts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fonts", self.0.len())
    }
}

impl Fonts {
    /// Returns the font in the program alone: Latin, Greek, Cyrillic, Arabic and a few more scripts.
    pub fn built_in() -> Self {
        Self::of(Vec::new())
    }

    /// Loads the operator's font, which comes first, and a system font with Chinese characters if there is one in the
    /// usual places. Reads files; fails only if the operator's font cannot be used.
    pub fn load(own: Option<&Path>) -> Result<Self, FontError> {
        let mut first = Vec::new();
        if let Some(path) = own {
            first.push(read(path)?);
        }
        let mut fonts = Self::of(first);
        if !fonts.has('中')
            && let Some(system) = SYSTEM.iter().find_map(|path| read(Path::new(path)).ok())
        {
            fonts.0 = fonts.0.iter().cloned().chain([system]).collect();
        }
        Ok(fonts)
    }

    /// Appends the font in the program.
    fn of(mut fonts: Vec<FontArc>) -> Self {
        // A test reads it, and it cannot change.
        fonts.extend(FontArc::try_from_slice(DEJAVU).ok());
        Self(fonts.into())
    }

    /// Returns whether one of the fonts has the character.
    pub fn has(&self, c: char) -> bool {
        self.0.iter().any(|font| font.glyph_id(c) != GlyphId(0))
    }

    /// Returns the font for a character. Without one, the last font draws a box.
    pub(super) fn find(&self, c: char) -> Option<(&FontArc, GlyphId)> {
        let glyph = |font: &FontArc| font.glyph_id(c);
        let found = self.0.iter().find(|font| glyph(font) != GlyphId(0)).or(self.0.last());
        found.map(|font| (font, glyph(font)))
    }

    /// Returns the font that measures the lines.
    pub(super) fn main(&self) -> Option<&FontArc> {
        self.0.last()
    }
}

fn read(path: &Path) -> Result<FontArc, FontError> {
    let error = |why: String| FontError { path: path.display().to_string(), why };
    let load = || -> io::Result<Vec<u8>> {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let mut data = Vec::new();
        File::open(path)?.take(MAX_FONT_BYTES + 1).read_to_end(&mut data)?;
        Ok(data)
    };
    let data = load().map_err(|e| error(e.to_string()))?;
    if data.len() as u64 > MAX_FONT_BYTES {
        return Err(error(format!("it has more than {} MiB", MAX_FONT_BYTES >> 20)));
    }
    FontVec::try_from_vec(data).map(FontArc::from).map_err(|_| error("it is no font".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_in_the_program_is_readable() {
        let fonts = Fonts::built_in();
        assert_eq!(fonts.0.len(), 1);
        assert!("Ærø Ζωή Юлия …".chars().all(|c| fonts.has(c)) && !fonts.has('中'));
    }

    #[test]
    fn a_bad_font_has_a_clear_error() {
        let folder = std::env::temp_dir();
        let file = folder.join(format!("lianmai-font-{}", std::process::id()));
        fs::write(&file, "not a font").unwrap();
        for (path, why) in [(&file, "it is no font"), (&folder, "it is no file")] {
            let error = Fonts::load(Some(path)).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains(&path.display().to_string()), "{error}");
        }
        // A sparse file takes no room on the disk.
        File::options().write(true).open(&file).unwrap().set_len(MAX_FONT_BYTES + 1).unwrap();
        let error = Fonts::load(Some(&file)).unwrap_err().to_string();
        assert!(error.contains("more than 64 MiB"), "{error}");
        fs::write(&file, DEJAVU).unwrap();
        assert!(Fonts::load(Some(&file)).unwrap().0.len() >= 2);
        fs::remove_file(&file).unwrap();
        assert!(Fonts::load(Some(&file)).is_err());
        assert!(Fonts::load(None).is_ok());
    }
}
