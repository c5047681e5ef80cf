//! The secrets of publishers, viewers and the operator: from the settings, or from files in the data folder.

use crate::core::auth::{self, Auth, MIN_URL_KEY, secret_of};
use crate::service::StartError;
use crate::settings::Settings;

/// The secrets as texts.
#[derive(Debug, Default)]
pub(super) struct SecretTexts {
    pub(super) publish: Option<String>,
    /// `None` if it could not be kept.
    pub(super) operator: Option<String>,
    pub(super) play: Option<String>,
    pub(super) publish_url: Option<String>,
    pub(super) play_url: Option<String>,
}

impl SecretTexts {
    /// Reads the secrets, and creates those that are needed.
    ///
    /// # Errors
    /// A file cannot be read, or other users may read it; or a public gateway cannot keep its secret.
    pub(super) fn read(settings: &Settings) -> Result<Self, StartError> {
        let auth = &settings.auth;
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let publish = match text(&auth.secret) {
            Some(secret) => Some(secret),
            None => kept(settings, auth::PUBLISH, settings.public && !auth.open)?,
        };
        let operator = match text(&auth.operator_secret) {
            Some(secret) => Some(secret),
            None => operator(settings)?,
        };
        if publish.is_some() && publish == operator {
            tracing::warn!(
                "the operator's secret is the publish secret: every publisher can close the others"
            );
        }
        let (publish_url, play_url) = (text(&auth.publish_url_key), text(&auth.play_url_key));
        if publish_url.iter().chain(&play_url).any(|key| key.len() < MIN_URL_KEY) {
            let text = format!("publish_url_key and play_url_key have at least {MIN_URL_KEY} characters");
            return Err(StartError::Setting(text));
        }
        Ok(Self { publish, operator, play: text(&auth.play_secret), publish_url, play_url })
    }

    /// Makes these secrets valid instead of those of `auth`, and returns the names of those that differ.
    pub(super) fn apply(self, auth: &Auth) -> Vec<&'static str> {
        // The operator keeps a secret that is not in a file.
        let operator = self.operator.or_else(|| auth.operator.text());
        [
            ("secret", &auth.secret, self.publish),
            ("operator_secret", &auth.operator, operator),
            ("play_secret", &auth.play_secret, self.play),
            ("publish_url_key", &auth.publish_url_key, self.publish_url),
            ("play_url_key", &auth.play_url_key, self.play_url),
        ]
        .into_iter()
        .filter_map(|(name, secret, text)| secret.set(text).then_some(name))
        .collect()
    }
}

/// Reads a secret from the data folder.
fn kept(settings: &Settings, name: &str, make: bool) -> Result<Option<String>, StartError> {
    let path = || settings.data.join(name);
    secret_of(&settings.data, name, make).map_err(|e| StartError::File("--data", path(), e))
}

/// Returns the operator's secret; `None` if there is none yet and it cannot be stored.
fn operator(settings: &Settings) -> Result<Option<String>, StartError> {
    if let Some(kept) = kept(settings, auth::OPERATOR, false)? {
        return Ok(Some(kept));
    }
    match secret_of(&settings.data, auth::OPERATOR, true) {
        Ok(made) => Ok(made),
        Err(error) => {
            let folder = settings.data.display();
            tracing::warn!(%folder, %error, "the operator's secret cannot be stored: the next start makes a new one");
            Ok(None)
        }
    }
}
