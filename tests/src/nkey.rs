//! Keys and JWTs of NATS, as `nk` and `nsc` make them.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};

/// The kind of a key: the first letter of its public part.
#[derive(Debug, Clone, Copy)]
pub enum NkeyKind {
    /// `O`
    Operator,
    /// `A`
    Account,
    /// `U`
    User,
}

impl NkeyKind {
    const fn prefix(self) -> u8 {
        match self {
            Self::Operator => 14 << 3,
            Self::Account => 0,
            Self::User => 20 << 3,
        }
    }
}

/// A pair of keys.
#[derive(Debug)]
pub struct Nkey {
    kind: NkeyKind,
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

impl Nkey {
    /// Creates a key. The same `n` gives the same key.
    pub fn new(kind: NkeyKind, n: u8) -> Self {
        let seed = [n; 32];
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("any bytes are a seed");
        Self { kind, seed, pair }
    }

    /// Returns the public key as NATS writes it.
    pub fn public(&self) -> String {
        encode(&[self.kind.prefix()], self.pair.public_key().as_ref())
    }

    /// Returns the private key as NATS writes it: the seed.
    pub fn seed(&self) -> String {
        let prefix = self.kind.prefix();
        encode(&[(18 << 3) | (prefix >> 5), (prefix & 31) << 3], &self.seed)
    }

    /// Returns a JWT of this key about another one.
    pub fn jwt(&self, about: &Self, kind: &str, mut claims: Value) -> String {
        claims["type"] = kind.into();
        claims["version"] = 2.into();
        let claims = json!({"jti": "test", "iat": 1_700_000_000, "iss": self.public(), "name": kind, "sub": about.public(), "nats": claims});
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(json!({"typ": "JWT", "alg": "ed25519-nkey"})), part(claims));
        let signature = self.pair.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn encode(prefix: &[u8], key: &[u8]) -> String {
    let mut bytes = [prefix, key].concat();
    let crc = bytes.iter().fold(0_u16, |mut crc, byte| {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
        }
        crc
    });
    bytes.extend(crc.to_le_bytes());
    BASE32_NOPAD.encode(&bytes)
}
