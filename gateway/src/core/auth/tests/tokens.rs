//! Complete tokens and their results.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use serde_json::{Value, json};

use super::super::AuthSettings;
use super::super::own;
use super::*;
use crate::core::hub::StreamName;

/// A key, and a gateway that trusts it by a file.
pub(super) struct Bench {
    dir: PathBuf,
    key: SigningKey,
    pub(super) auth: Auth,
    pub(super) stream: StreamName,
}

impl Bench {
    pub(super) fn new(name: &str) -> Self {
        Self::with(name, |config| config)
    }

    fn with(name: &str, settings: impl FnOnce(AuthSettings) -> AuthSettings) -> Self {
        let dir = std::env::temp_dir().join(format!("lianmai-tokens-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let key = SigningKey::of_pem(&pem()).unwrap();
        let file = dir.join("keys.json");
        std::fs::write(&file, key.jwks().unwrap()).unwrap();
        let config = AuthSettings { jwks: vec![file.display().to_string()], ..AuthSettings::default() };
        let tokens = Tokens::new(&settings(config), &dir.join("data")).unwrap();
        let auth = Auth {
            secret: SECRET.into(),
            tokens: Some(Arc::new(tokens)),
            publish_tokens: true,
            play_tokens: true,
            ..Auth::default()
        };
        Self { dir, key, auth, stream: StreamName::parse("live/x").unwrap() }
    }

    pub(super) fn token(&self, change: Value) -> String {
        self.key.sign(&claims(change)).unwrap()
    }

    async fn publish(&self, token: &str) -> Result<(), Denied> {
        let query = format!("token={token}");
        self.auth.publish(&AuthRequest { stream: Some(&self.stream), query: &query, ..request() }).await
    }

    async fn play(&self, bearer: &str) -> Result<(), Denied> {
        let about = AuthRequest { stream: Some(&self.stream), bearer: Some(bearer), ..request() };
        self.auth.play(&about).await
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn pem() -> String {
    KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem()
}

/// Valid claims with a new `jti` each, and a change.
fn claims(change: Value) -> Value {
    let now = own::now();
    let mut all = json!({
        "iss": "https://site.example", "aud": "lianmai", "sub": "7", "stream": "live/x", "act": "publish",
        "iat": now, "exp": now + 60, "jti": format!("{:x}", rand::random::<u128>())
    });
    for (key, value) in change.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

const fn refused(why: TokenError) -> Result<(), Denied> {
    Err(Denied::Token(why))
}

#[tokio::test]
async fn a_token_lets_in_once_for_what_it_is_for() {
    let bench = Bench::new("once");
    let token = bench.token(json!({}));
    assert_eq!(bench.play(&token).await, refused(TokenError::Act));
    assert_eq!(bench.publish(&token).await, Ok(()));
    assert_eq!(bench.publish(&token).await, refused(TokenError::Used));
    let token = bench.token(json!({ "act": "play" }));
    assert_eq!(bench.publish(&token).await, refused(TokenError::Act));
    let about = AuthRequest { stream: Some(&bench.stream), bearer: Some(&token), ..request() };
    assert_eq!(bench.auth.might_play(&about).await, Ok(()));
    assert_eq!(bench.play(&token).await, Ok(()));
    assert_eq!(bench.auth.might_play(&about).await, refused(TokenError::Used));
    assert_eq!(bench.play(&token).await, refused(TokenError::Used));
    for (change, why) in [
        (json!({ "stream": "live/y" }), TokenError::Stream),
        (json!({ "aud": "other" }), TokenError::Audience),
        (json!({ "exp": own::now() - 10, "iat": own::now() - 70 }), TokenError::Expired(10)),
        (json!({ "exp": own::now() + 1000, "iat": own::now() - 1000 }), TokenError::Stale),
        (json!({ "jti": null }), TokenError::Missing("jti")),
        (json!({ "iat": "now" }), TokenError::Shape),
    ] {
        let got = bench.publish(&bench.token(change.clone())).await;
        // The clock may advance by a second in between.
        let late = matches!((got, why), (Err(Denied::Token(TokenError::Expired(_))), TokenError::Expired(_)));
        assert!(late || got == refused(why), "{change}: {got:?}");
    }
}

#[tokio::test]
async fn with_signers_nobody_publishes_without_a_token_or_the_secret() {
    let bench = Bench::new("nobody");
    let here = AuthRequest { stream: Some(&bench.stream), ..request() };
    assert_eq!(bench.auth.publish(&here).await, Err(Denied::MissingToken));
    assert_eq!(bench.auth.play(&here).await, Err(Denied::PlayToken));
    assert_eq!(bench.auth.is_free(Act::Publish, &here).await, Ok(false));
    let secret = AuthRequest { query: "secret=s3cret%2B%26", ..here.clone() };
    assert_eq!(bench.auth.publish(&secret).await, Ok(()));
    assert_eq!(bench.auth.play(&secret).await, Ok(()));
    let wrong = AuthRequest { bearer: Some("s3cret"), ..here.clone() };
    assert_eq!(bench.auth.publish(&wrong).await, Err(Denied::Wrong));
    let open = Auth { open: true, ..bench.auth.clone() };
    assert_eq!(open.publish(&here).await, Ok(()));
    assert_eq!(bench.auth.operate(&here).await, Err(Denied::MissingOperator));
    assert_eq!(bench.auth.operate(&secret).await, Err(Denied::WrongOperator));
}

#[tokio::test]
async fn an_operators_token_operates_once_and_only_trusted_keys_sign_one() {
    async fn operate(auth: &Auth, token: &str) -> Result<(), Denied> {
        let query = format!("token={token}");
        auth.operate(&AuthRequest { query: &query, ..request() }).await
    }
    let operator = json!({ "act": "operate", "stream": null });
    let bench = Bench::new("operator");
    assert_eq!(operate(&bench.auth, &bench.token(operator.clone())).await, refused(TokenError::Operator));
    // The gateway's own key, through `lianmai token`.
    let own = SigningKey::kept(&bench.dir.join("data")).unwrap();
    let wish = own::TokenRequest {
        issuer: "lianmai",
        audience: "lianmai",
        subject: "",
        right: Right::Operate,
        ttl: 60,
    };
    let token = own.mint(&wish).unwrap();
    // It neither publishes nor plays.
    assert_eq!(bench.publish(&token).await, refused(TokenError::Missing("stream")));
    assert_eq!(operate(&bench.auth, &token).await, Ok(()));
    assert_eq!(operate(&bench.auth, &token).await, refused(TokenError::Used));
    let look = own.mint(&wish).unwrap();
    let look = AuthRequest { bearer: Some(&look), ..request() };
    assert_eq!(bench.auth.sees_streams(&look).await, Ok(()));
    assert_eq!(bench.auth.sees_streams(&look).await, refused(TokenError::Used));

    let trusted = Bench::with("operators", |config| AuthSettings { operate: true, ..config });
    assert_eq!(operate(&trusted.auth, &trusted.token(operator.clone())).await, Ok(()));
    for (change, why) in [
        (json!({}), TokenError::Act),
        (json!({ "act": "operate" }), TokenError::Act),
        (json!({ "act": "operate", "stream": null, "room": "r" }), TokenError::Act),
        (json!({ "act": "operate", "stream": null, "aud": "other" }), TokenError::Audience),
        (json!({ "act": null, "stream": null }), TokenError::Missing("act")),
    ] {
        assert_eq!(operate(&trusted.auth, &trusted.token(change.clone())).await, refused(why), "{change}");
    }
    // An issuer that is trusted for some streams only does not name operators.
    let prefixed = Bench::with("operators-of-some", |config| {
        let jwks = config.jwks.iter().map(|place| format!("live/={place}")).collect();
        AuthSettings { operate: true, jwks, ..config }
    });
    assert_eq!(operate(&prefixed.auth, &prefixed.token(operator)).await, refused(TokenError::Operator));
    assert_eq!(prefixed.publish(&prefixed.token(json!({}))).await, Ok(()));
}

// In virtual time: wrong tokens are answered late.
#[tokio::test(start_paused = true)]
async fn what_is_no_token_is_refused_in_words() {
    let bench = Bench::new("hostile");
    let good = bench.token(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    let raw = bench.key.public().fingerprint;
    let kid = &bench.key.public().kid;
    let signed = |algorithm, key: &EncodingKey, kid: Option<&str>| {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
        encode(&header, &claims(json!({})), key).unwrap()
    };
    let other = KeyPair::from_pem(&pem()).unwrap();
    let other = EncodingKey::from_ed_der(&other.serialize_der());
    // {"alg":"none"}
    let none = format!("eyJhbGciOiJub25lIn0.{body}.");
    let mut cases = vec![
        (none, TokenError::Shape),
        // The public key used as a shared secret.
        (signed(Algorithm::HS256, &EncodingKey::from_secret(&raw), Some(kid)), TokenError::Algorithm),
        (
            signed(
                Algorithm::HS256,
                &EncodingKey::from_secret(bench.key.jwks().unwrap().as_bytes()),
                Some(kid),
            ),
            TokenError::Algorithm,
        ),
        (signed(Algorithm::EdDSA, &other, Some(kid)), TokenError::Signature),
        (signed(Algorithm::EdDSA, &other, Some("unknown")), TokenError::UnknownKey),
        (signed(Algorithm::EdDSA, &other, None), TokenError::NoKey),
        (format!("{head}.{body}.{}", "A".repeat(86)), TokenError::Signature),
        (format!("{head}.{body}."), TokenError::Signature),
        (format!("{head}.{}.{signature}", parts[1].replace('e', "f")), TokenError::Signature),
        (format!("{head}.{body}"), TokenError::Shape),
        (format!("{good}.{signature}"), TokenError::Shape),
        (format!("{head}.{body}.{}", "A".repeat(100_000)), TokenError::Long),
        ("..".to_owned(), TokenError::Shape),
        ("null".to_owned(), TokenError::Shape),
    ];
    for end in 1..good.len() {
        let why = if end > head.len() + body.len() + 1 { TokenError::Signature } else { TokenError::Shape };
        cases.push((good[..end].to_owned(), why));
    }
    let mut words = BTreeSet::new();
    for (token, why) in cases {
        let got = bench.publish(&token).await;
        // A truncated signature may no longer be valid base64.
        let cut = why == TokenError::Signature && got == refused(TokenError::Shape);
        assert!(got == refused(why) || cut, "{token:.400}: {got:?}, not {why:?}");
        words.insert(got.unwrap_err().to_string());
    }
    assert!(words.len() > 5, "{words:?}");
    assert_eq!(bench.publish(&good).await, Ok(()));
}

#[tokio::test]
async fn a_changed_file_changes_the_keys_and_the_own_key_is_trusted_once_it_is_there() {
    let bench = Bench::new("files");
    let file = bench.dir.join("keys.json");
    assert_eq!(bench.publish(&bench.token(json!({}))).await, Ok(()));
    // An unreadable file changes nothing.
    std::fs::write(&file, "{\"keys\":").unwrap();
    assert_eq!(bench.publish(&bench.token(json!({}))).await, Ok(()));
    std::fs::write(&file, "{\"keys\":[]}").unwrap();
    assert_eq!(bench.publish(&bench.token(json!({}))).await, refused(TokenError::UnknownKey));
    std::fs::write(&file, bench.key.jwks().unwrap()).unwrap();
    assert_eq!(bench.publish(&bench.token(json!({}))).await, Ok(()));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(bench.publish(&bench.token(json!({}))).await, refused(TokenError::UnknownKey));
    let own = SigningKey::kept(&bench.dir.join("data")).unwrap();
    let request = TokenRequest {
        issuer: "lianmai",
        audience: "lianmai",
        subject: "me",
        right: Right::Stream { stream: &bench.stream, act: Act::Publish },
        ttl: 60,
    };
    assert_eq!(bench.publish(&own.mint(&request).unwrap()).await, Ok(()));
    assert!(own.mint(&TokenRequest { ttl: LONGEST + 1, ..request.clone() }).is_err());
    assert!(own.mint(&TokenRequest { ttl: 0, ..request }).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_with_one_token_exactly_one_gets_in() {
    let bench = Arc::new(Bench::new("race"));
    for _ in 0..50 {
        let token = bench.token(json!({}));
        let other = {
            let (bench, token) = (bench.clone(), token.clone());
            tokio::spawn(async move { bench.publish(&token).await })
        };
        let mine = bench.publish(&token).await;
        let other = other.await.unwrap();
        let lost = if mine.is_ok() { other } else { mine };
        assert_eq!((mine.is_ok() != other.is_ok(), lost), (true, refused(TokenError::Used)));
    }
}

#[tokio::test]
async fn an_issuer_and_an_audience_can_be_asked_for() {
    let bench = Bench::with("issuer", |config| AuthSettings {
        issuer: "https://site.example".to_owned(),
        audience: "gateway-7".to_owned(),
        ..config
    });
    assert_eq!(bench.publish(&bench.token(json!({}))).await, refused(TokenError::Audience));
    assert_eq!(bench.publish(&bench.token(json!({ "aud": "gateway-7" }))).await, Ok(()));
    let other = json!({ "aud": "gateway-7", "iss": "https://other.example" });
    assert_eq!(bench.publish(&bench.token(other)).await, refused(TokenError::Issuer));
    // The holder of the gateway's own key is its operator, not a site.
    let own = SigningKey::kept(&bench.dir.join("data")).unwrap();
    let (issuer, audience, subject) = ("lianmai", "gateway-7", "me");
    let right = Right::Stream { stream: &bench.stream, act: Act::Publish };
    let request = TokenRequest { issuer, audience, subject, right, ttl: 60 };
    assert_eq!(bench.publish(&own.mint(&request).unwrap()).await, Ok(()));
}

#[test]
fn places_that_can_not_be_are_said_at_the_start() {
    for place in ["ftp://site.example/jwks", "https://", "https://u:p@site.example/", "http://exa mple/"] {
        let config = AuthSettings { jwks: vec![place.to_owned()], ..AuthSettings::default() };
        assert!(Tokens::new(&config, "data".as_ref()).unwrap_err().contains(place), "{place}");
    }
}

#[test]
fn refusals_say_how_to_come_in() {
    let how = |denied: Denied| denied.challenge().unwrap_or_default();
    assert_eq!(how(Denied::MissingToken), "Bearer");
    assert!(
        how(Denied::Token(TokenError::Used))
            .starts_with("Bearer error=\"invalid_token\", error_description=\"the token was used")
    );
    assert!(how(Denied::Token(TokenError::Stream)).contains("insufficient_scope"));
    assert_eq!(how(Denied::Wrong), "");
    for denied in
        [Denied::Session, Denied::Token(TokenError::Early(7)), Denied::Token(TokenError::Missing("jti"))]
    {
        let how = how(denied);
        assert_eq!((how.matches('"').count(), how.is_ascii()), (4, true), "{how}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_shown_breaks_the_reading(text in ".{0,300}", body in ".{0,200}") {
        let key = SigningKey::of_pem(&pem()).unwrap();
        let keys = [key.public().clone()];
        for token in [text.clone(), format!("eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ.{body}.{text}")] {
            let _ = super::super::verify::kid(&token);
            proptest::prop_assert!(super::super::verify::verify(&token, &keys).is_err());
        }
    }
}

#[tokio::test]
async fn a_site_lets_people_in_below_its_prefix_only() {
    let dir = std::env::temp_dir().join(format!("lianmai-tokens-prefix-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let [a, b] = [SigningKey::of_pem(&pem()).unwrap(), SigningKey::of_pem(&pem()).unwrap()];
    let (mut places, mut both) = (Vec::new(), String::new());
    for (name, key) in [("a", &a), ("b", &b)] {
        let file = dir.join(format!("{name}.json"));
        std::fs::write(&file, key.jwks().unwrap()).unwrap();
        places.push(format!("{name}/={}", file.display()));
        both = file.display().to_string();
    }
    let auth = |places: Vec<String>| {
        let config = AuthSettings { jwks: places, ..AuthSettings::default() };
        let tokens = Some(Arc::new(Tokens::new(&config, &dir.join("data")).unwrap()));
        Auth { tokens, publish_tokens: true, ..Auth::default() }
    };
    let may = async |auth: &Auth, key: &SigningKey, name: &str| {
        let stream = StreamName::parse(name).unwrap();
        let token = key.sign(&claims(json!({ "stream": name }))).unwrap();
        let about = AuthRequest { stream: Some(&stream), bearer: Some(&token), ..request() };
        assert_eq!(auth.might_publish(&about).await, auth.publish(&about).await, "{name}");
        auth.might_publish(&about).await
    };
    let refused = Err(Denied::Token(TokenError::Prefix));
    let used = Err(Denied::Token(TokenError::Used));
    let limited = auth(places.clone());
    for (key, name, expected) in [
        (&a, "a/live/x", used),
        (&a, "a/x", used),
        (&a, "b/x", refused),
        (&a, "ab/x", refused),
        (&a, "A/x", refused),
        (&a, "live/a/x", refused),
        (&b, "b/x", used),
        (&b, "a/x", refused),
    ] {
        assert_eq!(may(&limited, key, name).await, expected, "{name}");
    }
    // One source that trusts the key for all streams is enough.
    places.push(both);
    let wide = auth(places);
    assert_eq!(may(&wide, &b, "a/y").await, used);
    assert_eq!(may(&wide, &a, "b/y").await, refused);
    std::fs::remove_dir_all(&dir).unwrap();
}
