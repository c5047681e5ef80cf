//! One entry of the setting `hook`: an address, and the actions that it gets.

use std::fmt;
use std::str::FromStr;

use http::Uri;

use super::action::{Action, Actions};
use crate::net::outgoing;

/// An address for hooks: `URL` for all actions but `on_forward`, or `on_publish+on_play=URL`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct HookAddress {
    uri: Uri,
    actions: Actions,
}

impl HookAddress {
    /// Returns the address for requests. It may contain secrets.
    pub(super) const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns whether the address gets this action.
    pub(super) const fn wants(&self, action: Action) -> bool {
        self.actions.has(action)
    }

    /// Returns the names of its actions.
    pub(super) fn actions(&self) -> Vec<&'static str> {
        self.actions.names()
    }
}

impl FromStr for HookAddress {
    type Err = String;

    fn from_str(entry: &str) -> Result<Self, String> {
        let entry = entry.trim();
        let (names, url) = match entry.split_once('=') {
            // An address may contain the sign, too, but not before its scheme.
            Some((names, url)) if !names.contains(':') => (Some(names), url),
            _ => (None, entry),
        };
        let mut actions = names.map_or(Actions::UNNAMED, |_| Actions::default());
        for name in names.into_iter().flat_map(|names| names.split('+')) {
            let known = Action::of(name.trim());
            let action = known.ok_or_else(|| {
                let all = Action::ALL.map(Action::name).join(", ");
                format!("hook: there is no action {:?}: the actions are {all}", cut(name))
            })?;
            actions = actions.with(action);
        }
        let uri: Uri = url.trim().parse().map_err(|error| format!("hook: this is no address: {error}"))?;
        outgoing::check(&uri).map_err(|why| format!("hook: {why}"))?;
        Ok(Self { uri, actions })
    }
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Shows the address without its query, which may contain a secret.
impl fmt::Display for HookAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let authority = self.uri.authority().map_or("", http::uri::Authority::as_str);
        write!(f, "{scheme}://{authority}{}", self.uri.path())?;
        if self.uri.query().is_some() { f.write_str("?…") } else { Ok(()) }
    }
}

impl fmt::Debug for HookAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_its_actions_or_gets_all() {
        let all: HookAddress = "https://b.example/hook?key=a=b".parse().unwrap();
        assert!(all.actions().len() == 8 && all.to_string() == "https://b.example/hook?…", "{all}");
        assert!(!format!("{all:?}").contains("a=b"));
        let two: HookAddress =
            "on_publish+on_unpublish=http://127.0.0.1:8085/api/v1/streams".parse().unwrap();
        assert_eq!(two.actions(), ["on_publish", "on_unpublish"]);
        assert!(two.wants(Action::Publish) && !two.wants(Action::Play));
        let forward: HookAddress = "on_forward=http://h/".parse().unwrap();
        assert!(forward.wants(Action::Forward) && !all.wants(Action::Forward));
        assert_eq!(two.to_string(), "http://127.0.0.1:8085/api/v1/streams");
        for (bad, words) in [
            ("on_pub=http://h/", "on_publish"),
            ("=http://h/", "no action"),
            ("ftp://h/", "http://"),
            ("http://me:secret@h/", "password"),
            ("h:80", "http://"),
            ("", "address"),
        ] {
            let error = bad.parse::<HookAddress>().unwrap_err();
            assert!(error.contains(words) && !error.contains("secret"), "{bad}: {error}");
        }
    }
}
