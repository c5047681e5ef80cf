//! Reads key sets (RFC 7517). Ed25519, RSA and P-256 keys are used, all others are skipped.
//!
//! A key is bound to one algorithm by its type, so a token cannot choose another one for it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, EllipticCurveKeyParameters, Jwk, KeyAlgorithm, KeyOperations,
    OctetKeyPairParameters, PublicKeyUse, RSAKeyParameters, ThumbprintHash,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// Maximum number of keys in one set.
const MAX: usize = 64;
/// Maximum length of a key id in bytes.
const KID: usize = 256;
/// Accepted sizes of RSA keys in bits: smaller ones are weak, larger ones cost much time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// The key id in tokens; for a key without id its thumbprint (RFC 7638).
    pub(super) kid: String,
    /// Identifies the key: an Ed25519 key itself, or the thumbprint of another one.
    pub(super) fingerprint: [u8; 32],
    /// The only algorithm for tokens of this key.
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

impl Key {
    /// Creates a key from the 32 bytes of an Ed25519 key.
    pub(super) fn of_raw(raw: [u8; 32]) -> Result<Self, String> {
        let decoding = DecodingKey::from_ed_der(&raw);
        let kid = jwk_of(&decoding)?.common.key_id.unwrap_or_default();
        Ok(Self { kid, fingerprint: raw, algorithm: Algorithm::EdDSA, decoding })
    }

    fn of_jwk(jwk: &Jwk) -> Result<Self, &'static str> {
        let (algorithm, decoding) = match &jwk.algorithm {
            AlgorithmParameters::OctetKeyPair(pair) => (Algorithm::EdDSA, ed25519(pair)?),
            AlgorithmParameters::RSA(parameters) => (Algorithm::RS256, rsa(parameters)?),
            AlgorithmParameters::EllipticCurve(parameters) => (Algorithm::ES256, p256(parameters)?),
            _ => return Err("its type (kty) is not OKP, RSA or EC"),
        };
        let common = &jwk.common;
        let named = match algorithm {
            Algorithm::RS256 => KeyAlgorithm::RS256,
            Algorithm::ES256 => KeyAlgorithm::ES256,
            _ => KeyAlgorithm::EdDSA,
        };
        if common.key_algorithm.is_some_and(|alg| alg != named) {
            return Err("its algorithm (alg) is not EdDSA, RS256 or ES256, or does not fit its type");
        }
        if common.public_key_use.as_ref().is_some_and(|word| *word != PublicKeyUse::Signature) {
            return Err("its use is not sig");
        }
        if common.key_operations.as_ref().is_some_and(|all| !all.contains(&KeyOperations::Verify)) {
            return Err("its key_ops do not contain verify");
        }
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256);
        let thumbprint = thumbprint.map_err(|_| "its thumbprint cannot be computed")?;
        let fingerprint = match algorithm {
            Algorithm::EdDSA => decoding.try_get_as_bytes().ok().and_then(|raw| raw.try_into().ok()),
            _ => BASE64.decode(&thumbprint).ok().and_then(|hash| hash.try_into().ok()),
        };
        let fingerprint = fingerprint.ok_or("its public key (x) does not have 32 bytes")?;
        let kid = common.key_id.clone().filter(|kid| !kid.is_empty()).unwrap_or(thumbprint);
        if kid.len() > KID {
            return Err("its identifier (kid) is too long");
        }
        Ok(Self { kid, fingerprint, algorithm, decoding })
    }
}

fn ed25519(pair: &OctetKeyPairParameters) -> Result<DecodingKey, &'static str> {
    if pair.curve != EllipticCurve::Ed25519 {
        return Err("its curve is not Ed25519");
    }
    let raw = BASE64.decode(&pair.x).map_err(|_| "its public key (x) is not base64url")?;
    if raw.len() != 32 {
        return Err("its public key (x) does not have 32 bytes");
    }
    DecodingKey::from_ed_components(&pair.x).map_err(|_| "its public key (x) is not base64url")
}

fn rsa(key: &RSAKeyParameters) -> Result<DecodingKey, &'static str> {
    let bytes = |text: &str| BASE64.decode(text).map_err(|_| "its public key (n, e) is not base64url");
    let (modulus, exponent) = (bytes(&key.n)?, bytes(&key.e)?);
    let bits = modulus.iter().skip_while(|byte| **byte == 0).count() * 8;
    if !RSA_BITS.contains(&bits) || exponent.is_empty() || exponent.len() > 8 {
        return Err(
            "its public key does not have 2048 to 8192 bits (n), and an exponent of 8 bytes at most (e)",
        );
    }
    DecodingKey::from_rsa_components(&key.n, &key.e).map_err(|_| "its public key (n, e) is not base64url")
}

fn p256(key: &EllipticCurveKeyParameters) -> Result<DecodingKey, &'static str> {
    if key.curve != EllipticCurve::P256 {
        return Err("its curve is not P-256");
    }
    let is_long = |text: &str| BASE64.decode(text).is_ok_and(|bytes| bytes.len() == 32);
    if !is_long(&key.x) || !is_long(&key.y) {
        return Err("its public key (x, y) does not have 32 bytes each in base64url");
    }
    DecodingKey::from_ec_components(&key.x, &key.y).map_err(|_| "its public key (x, y) is not base64url")
}

/// Returns the key in the form of a key set, with its thumbprint as id.
pub(super) fn jwk_of(key: &DecodingKey) -> Result<Jwk, String> {
    let words = |error: jsonwebtoken::errors::Error| error.to_string();
    let mut jwk = Jwk::from_decoding_key(key, Some(Algorithm::EdDSA)).map_err(words)?;
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    jwk.common.key_id = Some(jwk.thumbprint(ThumbprintHash::SHA256).map_err(words)?);
    Ok(jwk)
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

/// Returns the usable keys of a set, and the faults of the others.
pub(super) fn parse(text: &[u8]) -> Result<(Vec<Key>, Vec<String>), String> {
    let set: Set = serde_json::from_slice(text)
        .map_err(|error| format!("the text is not a JSON Web Key Set: {error}"))?;
    let (mut keys, mut bad) = (Vec::new(), Vec::new());
    for (index, value) in set.keys.into_iter().enumerate() {
        let key = serde_json::from_value::<Jwk>(value).map_err(|_| "it is not a JSON Web Key (RFC 7517)");
        match key.and_then(|jwk| Key::of_jwk(&jwk)) {
            Ok(_) if keys.len() >= MAX => bad.push(format!("key {index}: there are too many")),
            Ok(key) => keys.push(key),
            Err(why) => bad.push(format!("key {index}: {why}")),
        }
    }
    Ok((keys, bad))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The key of RFC 8037 A.2, and its thumbprint of A.3.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    fn set(keys: &[Value]) -> Vec<u8> {
        json!({ "keys": keys }).to_string().into_bytes()
    }

    #[test]
    fn a_key_without_a_name_is_called_by_its_thumbprint() {
        let (keys, bad) = parse(&set(&[json!({ "kty": "OKP", "crv": "Ed25519", "x": X })])).unwrap();
        assert_eq!((keys[0].kid.as_str(), bad.len()), (THUMBPRINT, 0));
        let told = serde_json::to_value(jwk_of(&keys[0].decoding).unwrap()).unwrap();
        let whole = json!({
            "kty": "OKP", "crv": "Ed25519", "x": X, "use": "sig", "alg": "EdDSA", "kid": THUMBPRINT
        });
        assert_eq!(told, whole);
        assert_eq!(parse(&set(&[whole])).unwrap().0[0].fingerprint, keys[0].fingerprint);
    }

    #[test]
    fn other_keys_are_passed_over_with_words() {
        let good = json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": "mine" });
        let with = |change: Value| {
            let mut key = good.clone();
            for (name, value) in change.as_object().unwrap() {
                key[name] = value.clone();
            }
            key
        };
        for (other, words) in [
            (json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }), "2048"),
            (json!({ "kty": "RSA", "n": "!", "e": "AQAB" }), "base64"),
            (json!({ "kty": "RSA", "n": "_".repeat(1400), "e": "AQAB" }), "2048"),
            (json!({ "kty": "RSA", "n": "_".repeat(344), "e": "AQAB", "alg": "HS256" }), "algorithm"),
            (json!({ "kty": "RSA", "n": "_".repeat(344), "e": "AQAB", "alg": "ES256" }), "algorithm"),
            (json!({ "kty": "oct", "k": X, "alg": "HS256", "kid": "mine" }), "OKP"),
            (json!({ "kty": "EC", "crv": "P-256", "x": X, "y": "AAAA" }), "32 bytes"),
            (json!({ "kty": "EC", "crv": "P-256", "x": X, "y": X, "alg": "EdDSA" }), "algorithm"),
            (json!({ "kty": "EC", "crv": "P-384", "x": X, "y": X }), "P-256"),
            (with(json!({ "crv": "Ed448" })), "key"),
            (with(json!({ "crv": "X25519" })), "key"),
            (with(json!({ "x": "AAAA" })), "32 bytes"),
            (with(json!({ "x": "not base64!" })), "base64"),
            (with(json!({ "x": null })), "key"),
            (with(json!({ "alg": "HS256" })), "algorithm"),
            (with(json!({ "use": "enc" })), "use"),
            (with(json!({ "key_ops": ["sign"] })), "verify"),
            (with(json!({ "kid": "x".repeat(257) })), "kid"),
            (json!(7), "key"),
        ] {
            let (keys, bad) = parse(&set(&[other.clone(), good.clone()])).unwrap();
            assert_eq!((keys.len(), keys[0].kid.as_str(), bad.len()), (1, "mine", 1), "{other}");
            assert!(bad[0].contains(words), "{other}: {bad:?}");
        }
        for no_set in [&b"<html>"[..], b"", b"{}", b"[]", b"{\"keys\":{}}", b"\xff"] {
            assert!(parse(no_set).is_err(), "{no_set:?}");
        }
        assert_eq!(parse(&set(&vec![good; 100])).unwrap().0.len(), MAX);
    }
}
