//! Tokens of issuers with RSA and P-256 keys, and signed addresses. openssl signs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use lianmai_tests::gateway::temp_dir;
use lianmai_tests::{Clip, Gateway, rtmp, wait};
use serde_json::{Value, json};

use crate::{LIMIT, publish};

/// Runs openssl with this input, and returns its output.
#[track_caller]
fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut command = Command::new("openssl");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("openssl is installed");
    child.stdin.take().expect("piped").write_all(input).expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// An issuer with a key in a file.
struct Issuer {
    algorithm: &'static str,
    key: PathBuf,
    jwk: Value,
}

impl Issuer {
    #[track_caller]
    fn rsa(dir: &Path, bits: &str) -> Self {
        let key = dir.join(format!("rsa-{bits}.pem"));
        fs::write(&key, openssl(&["genrsa", bits], b"")).expect("written");
        let path = key.to_str().expect("text");
        let modulus =
            String::from_utf8(openssl(&["rsa", "-in", path, "-noout", "-modulus"], b"")).expect("text");
        let digits = modulus.trim().trim_start_matches("Modulus=").as_bytes().to_vec();
        let digit = |c: u8| (c as char).to_digit(16).expect("a hexadecimal digit") as u8;
        let bytes: Vec<u8> = digits.chunks(2).map(|two| digit(two[0]) << 4 | digit(two[1])).collect();
        let jwk =
            json!({ "kty": "RSA", "kid": format!("rsa-{bits}"), "n": BASE64.encode(bytes), "e": "AQAB" });
        Self { algorithm: "RS256", key, jwk }
    }

    #[track_caller]
    fn p256(dir: &Path) -> Self {
        let key = dir.join("p256.pem");
        fs::write(&key, openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout"], b""))
            .expect("written");
        let path = key.to_str().expect("text");
        let public = openssl(&["ec", "-in", path, "-pubout", "-outform", "DER"], b"");
        // The point stands at the end, without compression.
        let (x, y) = public[public.len() - 64..].split_at(32);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "p256", "x": BASE64.encode(x), "y": BASE64.encode(y) });
        Self { algorithm: "ES256", key, jwk }
    }

    /// Returns a token for `live/x`, whose header names this algorithm.
    #[track_caller]
    fn token_with(&self, algorithm: &str, change: &Value) -> String {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let jti = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut claims = json!({
            "aud": "lianmai", "sub": "7", "stream": "live/x", "act": "publish", "iat": now(), "exp": now() + 300,
            "jti": format!("{}-{jti}", self.algorithm)
        });
        for (name, value) in change.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let head = json!({ "alg": algorithm, "kid": self.jwk["kid"] });
        let text = [head, claims].map(|part| BASE64.encode(part.to_string())).join(".");
        let key = self.key.to_str().expect("text");
        let mut signature = openssl(&["dgst", "-sha256", "-sign", key], text.as_bytes());
        if self.algorithm == "ES256" {
            signature = raw(&signature);
        }
        format!("{text}.{}", BASE64.encode(signature))
    }

    fn token(&self) -> String {
        self.token_with(self.algorithm, &json!({}))
    }
}

/// Returns the two numbers of an ECDSA signature in DER with 32 bytes each (RFC 7518 3.4).
fn raw(der: &[u8]) -> Vec<u8> {
    let number = |at: usize| {
        let length = usize::from(der[at + 1]);
        let digits = &der[at + 2..at + 2 + length];
        let digits = &digits[digits.iter().take_while(|byte| **byte == 0).count()..];
        let mut fixed = vec![0; 32 - digits.len()];
        fixed.extend_from_slice(digits);
        (fixed, at + 2 + length)
    };
    let (r, next) = number(2);
    let (s, _) = number(next);
    [r, s].concat()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// Returns whether `live/x` can be published with this token.
fn publishes(gateway: &Gateway, token: &str) -> bool {
    let client = rtmp::Client::publish(gateway.rtmp(), &format!("x?token={token}"));
    let published = client.is_ok();
    drop(client);
    // The name is free as soon as the gateway has noticed that.
    wait::until_true("a free name", LIMIT, || {
        gateway.stream("x").is_none_or(|x| x["publish"]["active"] == false)
    });
    published
}

#[test]
fn issuers_sign_by_rsa_and_by_p256_and_no_key_by_another_algorithm() {
    let dir = temp_dir("issuers");
    let (rsa, p256, small) = (Issuer::rsa(&dir, "2048"), Issuer::p256(&dir), Issuer::rsa(&dir, "1024"));
    let set = json!({ "keys": [rsa.jwk, p256.jwk, small.jwk] });
    let file = dir.join("jwks.json");
    fs::write(&file, set.to_string()).expect("written");
    let gateway = Gateway::start(&["--auth-jwks", file.to_str().expect("text")]);
    for issuer in [&rsa, &p256] {
        let token = issuer.token();
        assert!(publishes(&gateway, &token), "{}: {}", issuer.algorithm, gateway.process.stderr());
        assert!(!publishes(&gateway, &token), "{} twice", issuer.algorithm);
        let other = issuer.token_with(issuer.algorithm, &json!({ "stream": "live/y" }));
        assert!(!publishes(&gateway, &other));
        let old = issuer.token_with(issuer.algorithm, &json!({ "iat": now() - 500, "exp": now() - 100 }));
        assert!(!publishes(&gateway, &old));
    }
    // A weak key is not used at all.
    assert!(!publishes(&gateway, &small.token()));
    // The token chooses no algorithm: neither another signature, nor the public key as a shared secret.
    for issuer in [&rsa, &p256] {
        for algorithm in ["EdDSA", "RS256", "ES256", "RS512", "PS256", "ES384", "HS256", "none"] {
            if algorithm != issuer.algorithm {
                assert!(!publishes(&gateway, &issuer.token_with(algorithm, &json!({}))), "{algorithm}");
            }
        }
    }
    let head = json!({ "alg": "HS256", "kid": "rsa-2048" });
    let claims = json!({
        "aud": "lianmai", "stream": "live/x", "act": "publish", "iat": now(), "exp": now() + 60, "jti": "hs"
    });
    let text = [head, claims].map(|part| BASE64.encode(part.to_string())).join(".");
    let public = openssl(&["rsa", "-in", rsa.key.to_str().expect("text"), "-pubout"], b"");
    for secret in [public.clone(), public.trim_ascii().to_vec(), set["keys"][0].to_string().into_bytes()] {
        let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = format!("hexkey:{digits}");
        let mac = openssl(&["dgst", "-sha256", "-mac", "HMAC", "-macopt", &key, "-binary"], text.as_bytes());
        assert!(!publishes(&gateway, &format!("{text}.{}", BASE64.encode(mac))));
    }
    let mut damaged = rsa.token();
    damaged.replace_range(damaged.len() - 8.., "AAAAAAAA");
    assert!(!publishes(&gateway, &damaged));
    let _ = fs::remove_dir_all(dir);
}

#[test]
fn signed_addresses_open_one_stream_for_one_act_until_they_expire() {
    const PUBLISH: &str = "publish-key-of-32-characters-abc";
    const PLAY: &str = "play-key-of-32-characters-abcdef";
    let flags = ["--public", "--secret", "geheim", "--publish-url-key", PUBLISH, "--play-url-key", PLAY];
    let gateway = Gateway::start(&flags);
    let signed = |key: &str, text: &str| {
        let out = openssl(&["dgst", "-sha256", "-hmac", key, "-r"], text.as_bytes());
        String::from_utf8_lossy(&out).split(' ').next().expect("digits").to_owned()
    };
    let address = |key: &str, act: &str, stream: &str, expires: u64| {
        format!("expires={expires}&sig={}", signed(key, &format!("{act}\n{stream}\n{expires}")))
    };
    let tx = |key: &str, name: &str, expires: u64| {
        let time = format!("{expires:X}");
        let out = openssl(&["dgst", "-md5", "-r"], format!("{key}{name}{time}").as_bytes());
        let digits = String::from_utf8_lossy(&out).split(' ').next().expect("digits").to_owned();
        format!("txSecret={digits}&txTime={time}")
    };
    let soon = now() + 300;
    for (name, query) in [("a", address(PUBLISH, "publish", "live/a", soon)), ("b", tx(PUBLISH, "b", soon))] {
        drop(rtmp::Client::publish(gateway.rtmp(), &format!("{name}?{query}")).expect(name));
    }
    for (name, query) in [
        ("c", address(PUBLISH, "publish", "live/other", soon)),
        ("d", address(PUBLISH, "play", "live/d", soon)),
        ("e", address(PLAY, "publish", "live/e", soon)),
        ("f", address(PUBLISH, "publish", "live/f", now() - 1)),
        ("g", tx(PLAY, "g", soon)),
        ("h", tx(PUBLISH, "h", now() - 1)),
        ("i", "sig=00&expires=99999999999".to_owned()),
        ("j", format!("{}&secret=geheim", address(PLAY, "publish", "live/j", soon))),
    ] {
        assert!(rtmp::Client::publish(gateway.rtmp(), &format!("{name}?{query}")).is_err(), "{name}");
    }
    let log = wait::until("the reasons", LIMIT, || {
        let log = gateway.process.stderr();
        (log.contains("signature of the address is wrong") && log.contains("identity=signed")).then_some(log)
    });
    assert!(![PUBLISH, PLAY].iter().any(|key| log.contains(key)), "{log}");
    let _live = {
        let (flags, tags) = Clip::Av.minutes(2);
        let url = format!("{}&secret=geheim", gateway.ws_publish_url("x"));
        let live = lianmai_tests::publisher::WsPublisher::start(&url, flags, tags, 1.0);
        gateway.wait_published("x");
        live
    };
    assert_eq!(gateway.get("/live/x.m3u8").status, 401, "playing needs a signature");
    let query = address(PLAY, "play", "live/x", now() + 4);
    let path = format!("/live/x.m3u8?{query}");
    let pass = wait::until("a playlist", LIMIT, || {
        let (pass, answer) = gateway.follow(&path);
        (answer.status == 200).then_some(pass)
    });
    let late = address(PLAY, "play", "live/x", now() - 5);
    let answer = gateway.get(&format!("/live/x.flv?{late}"));
    assert!(answer.status == 403 && answer.text().contains("expired"), "{}", answer.text());
    // The signature says until when a viewer may begin; who watches goes on.
    wait::until_true("the expiry", LIMIT, || {
        let other = format!("/live/x.flv?{query}&other");
        lianmai_tests::http::request(gateway.http(), "HEAD", &other, &[]).status == 403
    });
    assert_eq!(gateway.get(&pass).status, 200);
}

#[test]
fn networks_that_may_not_come_in_are_refused_until_sighup_allows_them() {
    let dir = temp_dir("networks");
    let config = dir.join("lianmai.toml");
    let write = |text: &str| fs::write(&config, text).expect("written");
    write("deny_ip = [\"publish=127.0.0.0/8\"]\n");
    let gateway = Gateway::start(&["--config", config.to_str().expect("text"), "--play-wait", "0"]);
    assert!(rtmp::Client::publish(gateway.rtmp(), "x").is_err());
    assert_eq!(gateway.get("/live/x.flv?x").status, 404, "playing is allowed");
    let reload = |text: &str, times: usize| {
        write(text);
        gateway.process.signal("HUP");
        wait::until_true("the reload", LIMIT, || {
            gateway.process.stderr().matches("settings reloaded").count() == times
        });
    };
    reload("allow_ip = [\"192.0.2.0/24\"]\n", 1);
    assert!(rtmp::Client::publish(gateway.rtmp(), "x").is_err());
    // Naming an allowed address in a header helps nobody.
    let answer =
        lianmai_tests::http::request(gateway.http(), "GET", "/live/x.flv", &["X-Forwarded-For: 192.0.2.1"]);
    assert!(answer.status == 403 && answer.text().contains("may not play"), "{}", answer.text());
    reload("allow_ip = [\"192.0.2.0/24\", \"127.0.0.1\"]\n", 2);
    let _live = publish(&gateway, "x", Clip::Av);
    assert!(gateway.process.stderr().contains("allow_ip"), "{}", gateway.process.stderr());
    let _ = fs::remove_dir_all(dir);
}
