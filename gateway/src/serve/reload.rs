//! Reads the settings again on SIGHUP or for the API, without dropping a connection.

use std::fmt;

use super::running::RunningGateway;
use super::secrets::SecretTexts;
use crate::api::ReloadReport;
use crate::hooks::Hooks;
use crate::jobs::forward::Forwards;
use crate::jobs::pull::Pulls;
use crate::log::Log;
use crate::net::worker::has_both_families;
use crate::settings::{Settings, differences};

/// How to read the settings again.
pub struct Reload {
    /// Reads the settings from the same sources as at the start.
    pub settings: Box<dyn Fn() -> Result<Settings, String> + Send + Sync>,
    /// The log, whose filter can change.
    pub log: Log,
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload").finish_non_exhaustive()
    }
}

impl Reload {
    /// Reads the settings and the secrets in the data folder again, and applies what can be applied. `current` are
    /// the settings that the gateway was started with, and those applied since.
    ///
    /// # Errors
    /// The settings cannot be read, or are not valid: nothing changes.
    pub(super) fn run(
        &self,
        current: &mut Settings,
        running: &RunningGateway,
    ) -> Result<ReloadReport, String> {
        let reloaded = self.read(current).map(|(new, secrets)| self.apply(current, &new, secrets, running));
        match &reloaded {
            Ok(ReloadReport { changed, needs_restart, failed }) => {
                let (changed, needs_restart) = (changed.join(" "), needs_restart.join(" "));
                tracing::info!(changed, needs_restart, "settings reloaded");
                failed.iter().for_each(|error| tracing::warn!(error, "setting not changed"));
            }
            Err(error) => tracing::warn!(error, "settings not reloaded"),
        }
        reloaded
    }

    /// Reads everything, and checks what will be applied.
    fn read(&self, current: &Settings) -> Result<(Settings, SecretTexts), String> {
        let new = (self.settings)()?;
        // The folder and the mode are those of the start.
        let effective = Settings { data: current.data.clone(), public: current.public, ..new.clone() };
        let secrets = SecretTexts::read(&effective).map_err(|error| error.to_string())?;
        Forwards::check(&new.forward).map_err(|error| error.to_string())?;
        Pulls::check(&new.pull).map_err(|error| error.to_string())?;
        new.slate.check()?;
        Hooks::check(&new.hooks).map_err(|error| error.to_string())?;
        Ok((new, secrets))
    }

    fn apply(
        &self,
        current: &mut Settings,
        new: &Settings,
        secrets: SecretTexts,
        running: &RunningGateway,
    ) -> ReloadReport {
        let before = current.clone();
        // Secrets may be in files, which are no settings.
        let mut changed: Vec<String> =
            secrets.apply(&running.context.auth).into_iter().map(str::to_owned).collect();
        current.auth.secret.clone_from(&new.auth.secret);
        current.auth.operator_secret.clone_from(&new.auth.operator_secret);
        current.auth.play_secret.clone_from(&new.auth.play_secret);
        current.auth.publish_url_key.clone_from(&new.auth.publish_url_key);
        current.auth.play_url_key.clone_from(&new.auth.play_url_key);
        let failed = running.apply(current, new, &self.log);
        let applied = differences(&before, current).into_iter().filter(|key| !changed.contains(key));
        let applied: Vec<String> = applied.filter(|key| !is_secret(key)).collect();
        changed.extend(applied);
        let mut shown = current.clone();
        shown.open_addresses(has_both_families());
        running.facts.set(&shown);
        ReloadReport { changed, needs_restart: differences(current, new), failed }
    }
}

/// Returns whether the key is one of those that [`SecretTexts::apply`] names: a setting that takes the place of a file
/// with the same secret changes nothing.
fn is_secret(key: &str) -> bool {
    ["secret", "operator_secret", "play_secret", "publish_url_key", "play_url_key"].contains(&key)
}
