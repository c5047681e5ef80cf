//! The gateway's own signing key, with which an operator creates tokens by hand.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rand::TryRngCore as _;
use rcgen::KeyPair;
use serde::Serialize;

use super::jwks::{self, Key};
use super::token::{LONGEST, OPERATE};
use crate::core::client::Act;
use crate::core::name::StreamName;
use crate::secret_file::{self, Readers};

/// Returns the path of the key in the data folder.
pub(super) fn path(data: &Path) -> PathBuf {
    data.join("token-key.pem")
}

/// The content of a token to be created.
#[derive(Debug, Clone)]
pub struct TokenRequest<'a> {
    /// The issuer (`iss`).
    pub issuer: &'a str,
    /// The audience (`aud`).
    pub audience: &'a str,
    /// The subject (`sub`), for the log.
    pub subject: &'a str,
    /// What the token allows.
    pub right: Right<'a>,
    /// Lifetime in seconds.
    pub ttl: i64,
}

/// What a token allows.
#[derive(Debug, Clone)]
pub enum Right<'a> {
    /// To publish or play a stream.
    Stream {
        /// The stream.
        stream: &'a StreamName,
        /// The allowed act.
        act: Act,
    },
    /// To join a room.
    Room {
        /// The room's name.
        room: &'a str,
        /// The role: host, guest or audience.
        role: &'a str,
    },
    /// To operate the gateway.
    Operate,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    #[serde(flatten)]
    right: RightClaims<'a>,
    iat: i64,
    exp: i64,
    jti: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum RightClaims<'a> {
    Stream { stream: &'a str, act: Act },
    Room { room: &'a str, role: &'a str },
    Operate { act: &'static str },
}

/// A private key and its public key.
pub struct SigningKey {
    private: EncodingKey,
    public: Key,
}

impl SigningKey {
    /// Reads the key in the data folder, and creates it if there is none.
    ///
    /// # Errors
    /// A text: the key cannot be created, or the file is not a key.
    pub fn kept(data: &Path) -> Result<Self, String> {
        let path = path(data);
        match Self::read(&path) {
            Err(None) => {}
            Ok(key) => return Ok(key),
            Err(Some(words)) => return Err(words),
        }
        make(data, &path).map_err(|error| format!("{}: {error}", path.display()))?;
        // Another process may have been first: the file counts.
        Self::of_file(&path)
    }

    /// Reads the key from a PEM file (PKCS #8), as written by `openssl genpkey -algorithm ed25519`.
    ///
    /// # Errors
    /// A text that says what is wrong.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        Self::read(path).map_err(|words| {
            words.unwrap_or_else(|| format!("cannot read {}: there is no such file", path.display()))
        })
    }

    /// Reads a key file. The error is `None` if there is no file.
    fn read(path: &Path) -> Result<Self, Option<String>> {
        let text = secret_file::read_text(path, Readers::AnyOwner).map_err(|error| {
            (error.kind() != io::ErrorKind::NotFound).then(|| format!("{}: {error}", path.display()))
        })?;
        Self::of_pem(&text).map_err(|why| Some(format!("{}: {why}", path.display())))
    }

    /// Parses a key in PEM format.
    pub(super) fn of_pem(text: &str) -> Result<Self, &'static str> {
        let wrong = "the file contains no private Ed25519 key in PEM form (PKCS #8)";
        let pair = KeyPair::from_pem(text).map_err(|_| wrong)?;
        if !pair.is_compatible(&rcgen::PKCS_ED25519) {
            return Err(wrong);
        }
        let raw = pair.public_key_raw().try_into().map_err(|_| wrong)?;
        let public = Key::of_raw(raw).map_err(|_| wrong)?;
        Ok(Self { private: EncodingKey::from_ed_der(&pair.serialize_der()), public })
    }

    /// Returns the public key.
    pub(super) fn public(&self) -> &Key {
        &self.public
    }

    /// Returns the public key as a key set, for other gateways.
    ///
    /// # Errors
    /// A text that says what is wrong.
    pub fn jwks(&self) -> Result<String, String> {
        let set = JwkSet { keys: vec![jwks::jwk_of(&self.public.decoding)?] };
        serde_json::to_string(&set).map_err(|error| error.to_string())
    }

    /// Creates a token.
    ///
    /// # Errors
    /// A text that says what is wrong.
    pub fn mint(&self, request: &TokenRequest<'_>) -> Result<String, String> {
        if request.ttl < 1 || request.ttl > LONGEST {
            return Err(format!("a token is valid for 1 to {LONGEST} seconds, not for {}", request.ttl));
        }
        let now = now();
        let claims = Claims {
            iss: request.issuer,
            aud: request.audience,
            sub: request.subject,
            right: match request.right {
                Right::Stream { stream, act } => RightClaims::Stream { stream: stream.as_str(), act },
                Right::Room { room, role } => RightClaims::Room { room, role },
                Right::Operate => RightClaims::Operate { act: OPERATE },
            },
            iat: now,
            exp: now + request.ttl,
            jti: random().map_err(|error| error.to_string())?,
        };
        self.sign(&claims)
    }

    /// Signs any claims.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, String> {
        let header = Header { kid: Some(self.public.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, claims, &self.private).map_err(|error| error.to_string())
    }
}

/// Returns the current time in seconds since 1970.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

/// Returns 128 random bits as letters and digits.
fn random() -> io::Result<String> {
    let mut bytes = [0; 16];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Creates a key at `path`. If another process was faster, its key stays.
fn make(data: &Path, path: &Path) -> io::Result<()> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).map_err(io::Error::other)?;
    secret_file::make_folder(data)?;
    // No reader may see an incomplete file: write to a temporary file, then link it, which fails if `path`
    // exists.
    let part = data.join(format!("token-key.{}.part", random()?));
    let mut file = secret_file::create(&part, 0o600)?;
    let linked = file.write_all(key.serialize_pem().as_bytes()).and_then(|()| fs::hard_link(&part, path));
    fs::remove_file(&part)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let dir = std::env::temp_dir().join(format!("lianmai-token-key-{}", std::process::id()));
        let first = SigningKey::kept(&dir).unwrap().jwks().unwrap();
        assert_eq!(SigningKey::kept(&dir).unwrap().jwks().unwrap(), first);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(path(&dir)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(path(&dir), "no key").unwrap();
        assert!(SigningKey::kept(&dir).err().unwrap().contains("no private Ed25519 key"));
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_key_of_openssl_signs_and_an_rsa_key_is_refused() {
        // From `openssl genpkey -algorithm ed25519`: the seed of RFC 8037 A.1.
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
        let key = SigningKey::of_pem(pem).unwrap();
        assert_eq!(key.public.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(key.sign(&serde_json::json!({})).unwrap().split('.').count(), 3);
        let other = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
        assert!(SigningKey::of_pem(&other).is_err());
    }
}
