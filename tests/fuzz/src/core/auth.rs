//! `gateway::core::auth`: tokens and key sets.

use std::sync::OnceLock;

use jsonwebtoken::EncodingKey;

use crate::core::client::Act;
use crate::core::hub::StreamName;

#[path = "../../../../gateway/src/core/auth/jwks.rs"]
mod jwks;
#[path = "../../../../gateway/src/core/auth/token.rs"]
mod token;
#[path = "../../../../gateway/src/core/auth/verify.rs"]
mod verify;

/// The seed of RFC 8037 A.1 as PKCS #8, and the public key.
const SEED: &str = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v_VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn keys() -> &'static (EncodingKey, Vec<jwks::Key>) {
    static KEYS: OnceLock<(EncodingKey, Vec<jwks::Key>)> = OnceLock::new();
    KEYS.get_or_init(|| {
        use base64::Engine as _;
        let der = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(SEED).expect("base64");
        let set = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{X}"}}]}}"#);
        (EncodingKey::from_ed_der(&der), jwks::parse(set.as_bytes()).expect("a set").0)
    })
}

/// Reads a key set.
pub fn set(bytes: &[u8]) {
    if let Ok((keys, bad)) = jwks::parse(bytes) {
        assert!(keys.len() <= 64 && keys.iter().all(|key| key.kid.len() <= 256));
        assert!(bad.iter().all(|words| words.len() < 200 && !words.contains(char::is_control)));
    }
}

/// Checks a complete token. Nobody else has the key, so it is never valid.
pub fn token(text: &str) {
    if let Ok(kid) = verify::kid(text) {
        assert!(!kid.is_empty() && kid.len() <= 256 && text.len() <= 4096);
    }
    assert!(verify::verify(text, &keys().1).is_err());
}

/// Checks claims that are signed by the trusted key.
pub fn claims(body: &str, now: i64) {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let (private, public) = keys();
    let head = encode(r#"{"alg":"EdDSA","kid":"k"}"#);
    let message = format!("{head}.{}", encode(body));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), private, jsonwebtoken::Algorithm::EdDSA);
    let Ok(signature) = signature else { return };
    let Ok((claims, _)) = verify::verify(&format!("{message}.{signature}"), public) else { return };
    let rules = token::Rules { audience: "lianmai".to_owned(), issuer: None, started: now - 100 };
    let stream = StreamName::parse("live/x").expect("a name");
    for act in [Act::Publish, Act::Play] {
        match rules.check(&claims, &stream, act, now) {
            Ok((jti, until)) => {
                assert!(!jti.is_empty() && jti.len() <= 256);
                assert!((now..=now + token::LONGEST + 2 * token::SKEW).contains(&until));
                assert_eq!(claims.stream.as_deref(), Some("live/x"));
            }
            Err(why) => assert!(!why.to_string().is_empty() && why.status().is_client_error()),
        }
    }
}
