use super::*;

const NOW: i64 = 1_800_000_000;

fn claims(change: serde_json::Value) -> Claims {
    let mut all = serde_json::json!({
        "iss": "https://site.example", "aud": "lianmai", "sub": "7", "stream": "live/x",
        "act": "publish", "iat": NOW, "exp": NOW + 60, "jti": "a"
    });
    for (key, value) in change.as_object().unwrap() {
        all[key] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

fn checked(change: serde_json::Value, now: i64) -> Result<(String, i64), TokenError> {
    let issuer = Some("https://site.example".to_owned());
    let rules = Rules { audience: "lianmai".to_owned(), issuer, started: NOW - 100 };
    let claims = claims(change);
    let stream = StreamName::parse("live/x").unwrap();
    rules.check(&claims, &stream, Act::Publish, now).map(|(jti, until)| (jti.to_owned(), until))
}

#[test]
fn the_rules() {
    use serde_json::{Value, json};
    let good = Ok(("a".to_owned(), NOW + 65));
    for claim in ["aud", "stream", "act", "iat", "exp", "jti"] {
        assert_eq!(checked(json!({ claim: Value::Null }), NOW), Err(TokenError::Missing(claim)));
    }
    assert_eq!(checked(json!({}), NOW), good);
    for (change, at, expected) in [
        (json!({ "aud": ["other", "lianmai"] }), NOW, good.clone()),
        (json!({ "aud": ["other"] }), NOW, Err(TokenError::Audience)),
        (json!({ "aud": [] }), NOW, Err(TokenError::Audience)),
        (json!({ "aud": "Lianmai" }), NOW, Err(TokenError::Audience)),
        (json!({ "iss": "https://site.example/" }), NOW, Err(TokenError::Issuer)),
        (json!({ "iss": null }), NOW, Err(TokenError::Issuer)),
        (json!({ "sub": null }), NOW, good.clone()),
        (json!({ "jti": "" }), NOW, Err(TokenError::Missing("jti"))),
        (json!({ "jti": "a".repeat(257) }), NOW, Err(TokenError::Long)),
        (json!({ "stream": "live/y" }), NOW, Err(TokenError::Stream)),
        (json!({ "stream": "live/X" }), NOW, Err(TokenError::Stream)),
        (json!({ "stream": "*" }), NOW, Err(TokenError::Stream)),
        (json!({ "act": "play" }), NOW, Err(TokenError::Act)),
        (json!({ "act": "" }), NOW, Err(TokenError::Act)),
        // Clocks may differ slightly.
        (json!({}), NOW - 5, good.clone()),
        (json!({}), NOW - 6, Err(TokenError::Early(6))),
        (json!({}), NOW + 64, good.clone()),
        (json!({}), NOW + 65, Err(TokenError::Expired(5))),
        (json!({ "nbf": NOW + 30 }), NOW + 20, Err(TokenError::Early(10))),
        (json!({ "nbf": NOW + 30 }), NOW + 25, good.clone()),
        (json!({ "nbf": NOW - 30 }), NOW, good.clone()),
        // Limits of the lifetime.
        (json!({ "exp": NOW + LONGEST }), NOW, Ok(("a".to_owned(), NOW + LONGEST + 5))),
        (json!({ "exp": NOW + LONGEST + 1 }), NOW, Err(TokenError::Life)),
        (json!({ "exp": NOW }), NOW, Err(TokenError::Life)),
        (json!({ "exp": NOW - 1 }), NOW, Err(TokenError::Life)),
        (json!({ "iat": i64::MIN, "exp": i64::MAX }), NOW, Err(TokenError::Life)),
        (json!({ "iat": i64::MAX - 1, "exp": i64::MAX }), NOW, Err(TokenError::Early(i64::MAX - 1 - NOW))),
        (json!({ "iat": i64::MIN, "exp": i64::MIN + 1 }), NOW, Err(TokenError::Expired(i64::MAX))),
        // Tokens that may have been used before a restart.
        (json!({ "iat": NOW - 105 }), NOW - 60, Ok(("a".to_owned(), NOW + 65))),
        (json!({ "iat": NOW - 106 }), NOW - 60, Err(TokenError::Stale)),
    ] {
        assert_eq!(checked(change.clone(), at), expected, "{change} at {at}");
    }
}

#[test]
fn a_token_for_the_operator_is_not_valid_again_right_after_a_restart() {
    let rules = Rules { audience: "lianmai".to_owned(), issuer: None, started: NOW - 100 };
    let check = |made: i64| {
        let claims = claims(serde_json::json!({ "act": OPERATE, "stream": null, "iat": made }));
        rules.check_operator(&claims, NOW).map(|(jti, _)| jti.to_owned())
    };
    assert_eq!(check(NOW - 100), Ok("a".to_owned()));
    assert_eq!(check(NOW - 101), Err(TokenError::Stale));
}

#[test]
fn only_a_token_for_something_else_is_forbidden() {
    assert_eq!(TokenError::Stream.status(), StatusCode::FORBIDDEN);
    assert_eq!(TokenError::Used.status(), StatusCode::UNAUTHORIZED);
}
