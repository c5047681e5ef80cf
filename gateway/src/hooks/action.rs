//! The actions of hooks, with the names of SRS.

/// An action about which hooks are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// A client wants to come in.
    Connect,
    /// A client has left.
    Close,
    /// A client wants to publish.
    Publish,
    /// A publisher has left.
    Unpublish,
    /// A client wants to play.
    Play,
    /// A viewer has left.
    Stop,
    /// A recording is complete.
    Dvr,
    /// An HLS segment is complete.
    Hls,
    /// A stream begins: where is it sent on to?
    Forward,
    /// An operator tries an address out. No address can choose or omit it.
    Test,
}

impl Action {
    /// All actions.
    pub(super) const ALL: [Self; 9] = [
        Self::Connect,
        Self::Close,
        Self::Publish,
        Self::Unpublish,
        Self::Play,
        Self::Stop,
        Self::Dvr,
        Self::Hls,
        Self::Forward,
    ];

    /// Returns SRS's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "on_connect",
            Self::Close => "on_close",
            Self::Publish => "on_publish",
            Self::Unpublish => "on_unpublish",
            Self::Play => "on_play",
            Self::Stop => "on_stop",
            Self::Dvr => "on_dvr",
            Self::Hls => "on_hls",
            Self::Forward => "on_forward",
            Self::Test => "on_test",
        }
    }

    /// Returns the action with this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// A set of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Actions(u16);

impl Actions {
    /// The actions of an address without names: all but `on_forward`, whose answers decide where streams go.
    pub(super) const UNNAMED: Self = Self((1 << Action::Forward as u16) - 1);

    /// Adds an action.
    pub(super) const fn with(self, action: Action) -> Self {
        Self(self.0 | 1 << action as u16)
    }

    /// Returns whether the set contains an action.
    pub(super) const fn has(self, action: Action) -> bool {
        self.0 & 1 << action as u16 != 0
    }

    /// Returns the names in the set.
    pub(super) fn names(self) -> Vec<&'static str> {
        Action::ALL.into_iter().filter(|action| self.has(*action)).map(Action::name).collect()
    }
}
