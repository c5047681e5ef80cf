//! Signatures of hooks: HMAC-SHA256 as in the Standard Webhooks specification.

use std::fmt;
use std::path::Path;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rand::TryRngCore as _;

use super::settings::HookSettings;
use crate::core::auth::secret_made_by;
use crate::service::StartError;

/// File name of the secret in the data folder.
pub(super) const FILE: &str = "hook-secret";
/// Prefix of secrets in the specification.
const PREFIX: &str = "whsec_";
/// Lengths of a secret in bytes that the specification allows.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// Signs the bodies of hooks.
pub(super) struct Signer(hmac::Key);

impl Signer {
    /// Takes the secret of the settings, or that of the data folder, which is made if necessary.
    ///
    /// # Errors
    /// The secret is not valid, or cannot be read or stored.
    pub(super) fn of(settings: &HookSettings, data: &Path) -> Result<Self, StartError> {
        if !settings.hook_secret.is_empty() {
            return Self::new(&settings.hook_secret).ok_or_else(|| {
                let text = "hook_secret is whsec_ and 24 to 64 bytes in base64: `echo whsec_$(openssl rand -base64 32)`";
                StartError::Setting(text.to_owned())
            });
        }
        let path = data.join(FILE);
        let kept = secret_made_by(data, FILE, make);
        let kept = kept.map_err(|error| StartError::File("--data", path.clone(), error))?;
        Self::new(&kept).ok_or_else(|| {
            let text = format!("{} is not a secret for hooks: remove it to get a new one", path.display());
            StartError::Setting(text)
        })
    }

    fn new(secret: &str) -> Option<Self> {
        let bytes = BASE64.decode(secret.strip_prefix(PREFIX)?).ok()?;
        LENGTHS.contains(&bytes.len()).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// Returns `webhook-signature` of a body that is sent with this id and time.
    pub(super) fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", BASE64.encode(context.sign()))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

/// Makes a new secret.
fn make() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(std::io::Error::other)?;
    Ok(format!("{PREFIX}{}", BASE64.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_has_its_signature() {
        // From the documentation of Standard Webhooks.
        let signer = Signer::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_has_its_form() {
        assert!(Signer::new(&make().unwrap()).is_some());
        for bad in ["", "whsec_", "whsec_AAAA", "secret", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!"] {
            assert!(Signer::new(bad).is_none(), "{bad}");
        }
    }
}
