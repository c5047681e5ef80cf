//! Files with credentials for NATS: an nkey seed, or a credentials file with a JWT and an nkey seed.

use std::fmt;
use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::BASE32_NOPAD;

/// Maximum size of the file in bytes.
const MAX_FILE: usize = 64 << 10;
/// The first byte of an encoded seed, whose lower bits hold the kind of key; the same for the public key of a user.
const SEED: u8 = 18 << 3;
const USER: u8 = 20 << 3;

/// Credentials of a user of NATS. They are not shown.
pub(super) struct Credentials {
    key: Ed25519KeyPair,
    jwt: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, or has no seed of a user. The text does not contain its content.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        if text.len() > MAX_FILE {
            return Err(format!("the file is larger than {MAX_FILE} bytes"));
        }
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let block = |name: &str| {
            let begin = lines.iter().position(|line| line.contains("BEGIN") && line.contains(name))?;
            lines[begin + 1..].iter().find(|line| !line.is_empty()).copied()
        };
        let seed = lines.iter().find_map(|line| seed(line)).ok_or(
            "the file has no nkey seed of a user: a line that begins with SU, as `nk -gen user` or `nsc` write it",
        )?;
        let key = Ed25519KeyPair::from_seed_unchecked(&seed);
        let key = key.map_err(|_| "the nkey seed in the file is not valid".to_owned())?;
        Ok(Self { key, jwt: block("USER JWT").map(str::to_owned) })
    }

    /// Returns the JWT, if there is one.
    pub(super) fn jwt(&self) -> Option<&str> {
        self.jwt.as_deref()
    }

    /// Returns the public key, as NATS writes it.
    pub(super) fn public_key(&self) -> String {
        let mut bytes = vec![USER];
        bytes.extend(self.key.public_key().as_ref());
        bytes.extend(crc16(&bytes).to_le_bytes());
        BASE32_NOPAD.encode(&bytes)
    }

    /// Signs the nonce of a server.
    pub(super) fn sign(&self, nonce: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.key.sign(nonce.as_bytes()))
    }
}

/// Reads the seed of a user.
fn seed(line: &str) -> Option<[u8; 32]> {
    let bytes = BASE32_NOPAD.decode(line.as_bytes()).ok().filter(|bytes| bytes.len() == 36)?;
    let (content, crc) = bytes.split_at(34);
    let kind = ((content[0] & 7) << 5) | (content[1] >> 3);
    let fits = content[0] & 0xf8 == SEED && kind == USER && crc16(content).to_le_bytes() == crc;
    fits.then(|| content[2..].try_into().ok()).flatten()
}

/// The checksum of nkeys: CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc: u16, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // From the documentation of NATS.
    const SEED_TEXT: &str = "SUAEL6GG2L2HIF7DUGZJGMRUFKXELGGYFMHF76UO2AYBG3K4YLWR3FKC2Q";

    #[test]
    fn seeds_are_read_from_both_kinds_of_files() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        let plain = Credentials::parse(&format!("{SEED_TEXT}\n")).unwrap();
        let public = plain.public_key();
        // The tests of the cluster show it to a server.
        assert_eq!((plain.jwt(), public.len(), &public[..1]), (None, 56, "U"));
        let creds = format!(
            "-----BEGIN NATS USER JWT-----\r\neyJ0.x.y\r\n------END NATS USER JWT------\r\n\r\n\
             -----BEGIN USER NKEY SEED-----\r\n{SEED_TEXT}\r\n------END USER NKEY SEED------\r\n"
        );
        let creds = Credentials::parse(&creds).unwrap();
        assert_eq!((creds.jwt(), creds.public_key()), (Some("eyJ0.x.y"), public.clone()));
        assert!(!format!("{creds:?}").contains("SUAE"));
        // A damaged seed, a public key, and no seed.
        let damaged = SEED_TEXT.replacen("SUAEL6", "SUAEL7", 1);
        for bad in [damaged.as_str(), &public, "", "SU"] {
            let error = Credentials::parse(bad).unwrap_err();
            assert!(error.contains("no nkey seed of a user") && !error.contains("SUAEL"), "{error}");
        }
    }
}
