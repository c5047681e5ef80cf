//! The inputs that are drawn.

use crate::jobs::mix::Picture;

/// Level of digital silence.
pub const SILENT: i8 = -127;

/// An input of the mix, as it is at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Identifies the input from one picture to the next.
    pub id: &'a str,
    /// The displayed name. It may be any text.
    pub name: &'a str,
    /// The newest picture. `None`: a card with the name is drawn instead.
    pub picture: Option<&'a Picture>,
    /// Whether the pictures are those of a shared screen.
    pub screen: bool,
    /// The volume in dBov: 0 is the loudest, [`SILENT`] is silence.
    pub level: i8,
    /// Whether the input is left out.
    pub hidden: bool,
    /// Whether the card has the whole name as its text: the last card of a mix. Otherwise it has initials.
    pub text: bool,
}
