//! Reads the settings again on SIGHUP, without dropping a connection.

use std::fmt;

use super::secrets::SecretTexts;
use crate::core::auth::Auth;
use crate::hooks::Hooks;
use crate::log::Log;
use crate::settings::{Settings, differences};

/// The settings that change while the gateway runs. All others need a restart.
const RELOADED: [&str; 6] = ["secret", "operator_secret", "play_secret", "log", "hook", "hook_secret"];

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
    /// The hooks.
    pub(super) hooks: &'a Hooks,
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
        current.log.filter = new.log.filter;
    }
}
