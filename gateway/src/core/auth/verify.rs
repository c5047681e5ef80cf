//! Verifies the signature of a token, without memory and clock.

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};

use super::jwks::Key;
use super::token::{Claims, TokenError};

/// Maximum length of a token in bytes.
const LONGEST: usize = 4096;
/// Maximum length of a key id in a token in bytes.
const KID: usize = 256;

/// The algorithms of tokens. None of them has a shared secret.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::EdDSA, Algorithm::RS256, Algorithm::ES256];

/// Returns the key id that the token names.
pub(super) fn kid(token: &str) -> Result<String, TokenError> {
    if token.len() > LONGEST {
        return Err(TokenError::Long);
    }
    if token.split('.').count() != 3 {
        return Err(TokenError::Shape);
    }
    let header = decode_header(token).map_err(|_| TokenError::Shape)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(TokenError::Algorithm);
    }
    if header.crit.is_some() {
        // A critical extension that this gateway does not support (RFC 7515 4.1.11).
        return Err(TokenError::Shape);
    }
    header.kid.filter(|kid| !kid.is_empty() && kid.len() <= KID).ok_or(TokenError::NoKey)
}

/// Returns the claims, if one of `keys` has signed them.
pub(super) fn verify(token: &str, keys: &[Key]) -> Result<(Claims, [u8; 32]), TokenError> {
    use jsonwebtoken::errors::ErrorKind;
    let algorithm = decode_header(token).map_err(|_| TokenError::Shape)?.alg;
    let mut validation = Validation::new(algorithm);
    // Only the signature is checked here; `token` checks the claims.
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    // A key is never used with an algorithm that the token chooses.
    let fitting = keys.iter().filter(|key| key.algorithm == algorithm && ALGORITHMS.contains(&algorithm));
    let mut tried = false;
    for key in fitting {
        tried = true;
        match decode::<Claims>(token, &key.decoding, &validation) {
            Ok(data) => return Ok((data.claims, key.fingerprint)),
            Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {}
            // A public key that is no point of its curve, for example.
            Err(_) if algorithm != Algorithm::EdDSA => {}
            Err(_) => return Err(TokenError::Shape),
        }
    }
    if !keys.is_empty() && !tried {
        return Err(TokenError::Algorithm);
    }
    Err(if keys.is_empty() { TokenError::UnknownKey } else { TokenError::Signature })
}
