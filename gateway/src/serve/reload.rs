//! Reads the settings again on SIGHUP, without dropping a connection.

use std::fmt;

use super::secrets::SecretTexts;
use crate::api::ServerFacts;
use crate::core::admission::IpLists;
use crate::core::auth::Auth;
use crate::hooks::Hooks;
use crate::log::Log;
use crate::net::worker::has_both_families;
use crate::settings::{Settings, differences};

/// The settings that change while the gateway runs. All others need a restart.
const RELOADED: [&str; 10] = [
    "secret",
    "operator_secret",
    "play_secret",
    "publish_url_key",
    "play_url_key",
    "allow_ip",
    "deny_ip",
    "log",
    "hook",
    "hook_secret",
];

/// How to read the settings again.
pub struct Reload {
    /// Reads the settings from the same sources as at the start.
    pub settings: Box<dyn Fn() -> Result<Settings, String> + Send + Sync>,
    /// The log, whose filter can change.
    pub log: Log,
}

/// The parts of a running gateway whose settings change.
pub(super) struct ReloadedParts<'a> {
    /// The secrets.
    pub(super) auth: &'a Auth,
    /// Networks of clients.
    pub(super) ip_lists: &'a IpLists,
    /// The hooks.
    pub(super) hooks: &'a Hooks,
    /// The settings that the API shows.
    pub(super) facts: &'a ServerFacts,
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload").finish_non_exhaustive()
    }
}

impl Reload {
    /// Reads the settings and the secrets in the data folder again, and applies what can be applied. `current` are
    /// the settings that the gateway was started with, and those applied since. Nothing changes if the settings
    /// cannot be read.
    pub(super) fn run(&self, current: &mut Settings, parts: &ReloadedParts<'_>) {
        let new = match (self.settings)() {
            Ok(new) => new,
            Err(error) => return tracing::warn!(error, "settings not reloaded"),
        };
        // The folder and the mode are those of the start.
        let effective = Settings { data: current.data.clone(), public: current.public, ..new.clone() };
        let secrets = match SecretTexts::read(&effective) {
            Ok(secrets) => secrets,
            Err(error) => return tracing::warn!(%error, "settings not reloaded"),
        };
        let mut changed = secrets.apply(parts.auth);
        if new.context.ip_lists != current.context.ip_lists {
            parts.ip_lists.set(new.context.ip_lists.clone());
            current.context.ip_lists = new.context.ip_lists.clone();
            changed.push("ip_lists");
        }
        if new.hooks != current.hooks {
            match parts.hooks.set(&new.hooks, &current.data) {
                Ok(()) => {
                    changed.push("hook");
                    current.hooks = new.hooks.clone();
                }
                Err(error) => tracing::warn!(%error, "hooks not changed"),
            }
        }
        if new.log.filter != current.log.filter {
            match self.log.set(&new.log.filter) {
                Ok(()) => changed.push("log"),
                Err(error) => tracing::warn!(error, "log filter not changed"),
            }
        }
        let differences = differences(current, &new);
        let restart: Vec<_> =
            differences.iter().map(String::as_str).filter(|key| !RELOADED.contains(key)).collect();
        let (changed, needs_restart) = (changed.join(" "), restart.join(" "));
        tracing::info!(changed, needs_restart, "settings reloaded");
        current.log.filter = new.log.filter.clone();
        (current.auth.secret, current.auth.operator_secret) = (new.auth.secret, new.auth.operator_secret);
        current.auth.play_secret = new.auth.play_secret;
        current.auth.publish_url_key = new.auth.publish_url_key;
        current.auth.play_url_key = new.auth.play_url_key;
        let mut shown = current.clone();
        shown.open_addresses(has_both_families());
        parts.facts.set(&shown);
    }
}
