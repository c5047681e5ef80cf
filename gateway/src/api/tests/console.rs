//! Logins and server-sent events.

use futures_util::StreamExt as _;

use super::*;
use crate::api::events::MAX_LISTENERS;
use crate::core::auth::{AuthSettings, Tokens};
use crate::core::facts::MAX_WAITING;

/// An API with tokens, and the folder with its key.
struct Bench {
    api: Api,
    context: Context,
    data: std::path::PathBuf,
}

impl Bench {
    fn new(name: &str, auth: Auth) -> Self {
        let data = std::env::temp_dir().join(format!("lianmai-console-{name}-{}", std::process::id()));
        let tokens = Some(Arc::new(Tokens::new(&AuthSettings::default(), &data).unwrap()));
        let context = context(Auth { operator: "o".into(), tokens, ..auth });
        Self { api: api(&context), context, data }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&'static str, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        request.headers_mut().insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        request.extensions_mut().insert(ConnectInfo::<SocketAddr>(HERE.parse().unwrap()));
        router::<()>(self.api.clone()).oneshot(request).await.unwrap()
    }

    async fn log_in(&self, token: &str, site: &'static str) -> (StatusCode, String, Value) {
        let bearer = format!("Bearer {token}");
        let headers =
            [("authorization", bearer.as_str()), ("sec-fetch-site", site), ("user-agent", "Firefox")];
        let response = self.send("POST", "/api/v1/logins", &headers).await;
        let cookie =
            response.headers().get(header::SET_COOKIE).map(|cookie| cookie.to_str().unwrap().to_owned());
        let status = response.status();
        (status, cookie.unwrap_or_default(), json(response).await)
    }

    fn token(&self) -> String {
        self.context.auth.tokens.as_ref().unwrap().mint_for_console(600).unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

async fn json(response: Response) -> Value {
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

/// Reads the next event of a response: its name and its data.
async fn next(events: &mut axum::body::BodyDataStream) -> Option<(String, Value)> {
    let bytes = events.next().await?.unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    let (name, data) = text.strip_prefix("event: ")?.strip_suffix("\n\n")?.split_once("\ndata: ")?;
    Some((name.to_owned(), serde_json::from_str(data).unwrap()))
}

#[tokio::test]
async fn a_token_buys_one_login_which_operates_from_the_gateways_own_page() {
    let bench = Bench::new("login", Auth { play_secret: "watch".into(), ..Auth::default() });
    let token = bench.token();
    let (status, _, answer) = bench.log_in(&token, "cross-site").await;
    assert_eq!(
        (status, answer["message"].as_str().unwrap().contains("another page")),
        (StatusCode::FORBIDDEN, true)
    );
    let (status, cookie, answer) = bench.log_in(&token, "same-origin").await;
    assert_eq!((status, &answer["login"]["subject"]), (StatusCode::OK, &"operator".into()), "{answer}");
    let (status, none, answer) = bench.log_in(&token, "same-origin").await;
    assert_eq!((status, none.as_str()), (StatusCode::UNAUTHORIZED, ""));
    assert!(answer["message"].as_str().unwrap().contains("used already"), "{answer}");
    // Neither the operator's secret nor a token for a stream logs in.
    assert_eq!(bench.log_in("o", "same-origin").await.0, StatusCode::UNAUTHORIZED);

    let cookie = cookie.split(';').next().unwrap();
    let own = [("cookie", cookie), ("sec-fetch-site", "same-origin")];
    let other = [("cookie", cookie), ("sec-fetch-site", "same-site")];
    for path in ["/api/v1/clients", "/api/v1/streams", "/api/v1/logins"] {
        assert_eq!(bench.send("GET", path, &own).await.status(), StatusCode::OK, "{path}");
        assert!(bench.send("GET", path, &other).await.status().is_client_error(), "{path}");
    }
    let refused = bench.send("DELETE", "/api/v1/logins/current", &other).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let list = json(bench.send("GET", "/api/v1/logins", &own).await).await;
    assert_eq!(list["logins"][0]["agent"], "Firefox");
    assert_eq!(list["logins"][0]["current"], true);
    let mut events = bench.send("GET", "/api/v1/events", &own).await.into_body().into_data_stream();
    assert_eq!(next(&mut events).await.unwrap().0, "past");

    let ended = bench.send("DELETE", "/api/v1/logins/current", &own).await;
    assert!(ended.headers()[header::SET_COOKIE].to_str().unwrap().contains("=; Path=/; Max-Age=0"));
    let after = bench.send("GET", "/api/v1/clients", &own).await;
    assert_eq!(after.status(), StatusCode::UNAUTHORIZED);
    assert!(json(after).await["message"].as_str().unwrap().contains("lianmai console"));
    // The events end with the login.
    while let Some((name, _)) = next(&mut events).await {
        assert_ne!(name, "figures");
    }
}

#[tokio::test(start_paused = true)]
async fn events_tell_facts_and_figures() {
    let bench = Bench::new("events", Auth::default());
    assert_eq!(bench.send("GET", "/api/v1/events", &[]).await.status(), StatusCode::UNAUTHORIZED);
    let publishing = publish(&bench.context, "live/x").await;
    let response = bench.send("GET", "/api/v1/events?secret=o", &[]).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut events = response.into_body().into_data_stream();
    let (name, past) = next(&mut events).await.unwrap();
    assert_eq!((name.as_str(), &past["facts"][0]["what"]), ("past", &"publisher_came".into()), "{past}");
    let (name, figures) = next(&mut events).await.unwrap();
    assert_eq!((name.as_str(), &figures["total"]), ("figures", &1.into()));
    let stream = &figures["streams"][0];
    assert_eq!(
        (&stream["name"], &stream["live"], &stream["audio"]),
        (&"live/x".into(), &true.into(), &Value::Null)
    );
    assert_eq!((&stream["video"]["width"], &stream["publisher"]["agent"]), (&1280.into(), &"OBS".into()));
    assert_eq!((&stream["publisher"]["ip"], &stream["key_ms"]), (&"192.0.2.7".into(), &0.into()), "{stream}");
    drop(publishing);
    let (name, fact) = next(&mut events).await.unwrap();
    assert_eq!(
        (name.as_str(), &fact["what"], &fact["reason"]),
        ("fact", &"publisher_left".into(), &"the client left".into())
    );
    // Then the figures follow every two seconds, until the gateway stops.
    for _ in 0..3 {
        assert_eq!(next(&mut events).await.unwrap().0, "figures");
    }
    bench.api.0.stop.cancel();
    assert!(next(&mut events).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn listeners_are_few_and_a_slow_one_is_told_what_it_missed() {
    let bench = Bench::new("slow", Auth::default());
    let mut held = Vec::new();
    for _ in 0..MAX_LISTENERS {
        let response = bench.send("GET", "/api/v1/events?secret=o", &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        held.push(response.into_body().into_data_stream());
    }
    let refused = bench.send("GET", "/api/v1/events?secret=o", &[]).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let slow = held.last_mut().unwrap();
    for n in 0..MAX_WAITING + 7 {
        bench.context.facts.push(Fact { what: "key_made", name: n.to_string(), ..Fact::default() });
    }
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.extend(next(slow).await.filter(|(name, _)| name == "missed" || name == "fact"));
    }
    assert_eq!((seen[0].0.as_str(), &seen[0].1["count"]), ("missed", &7.into()), "{seen:?}");
    assert_eq!((seen[1].0.as_str(), &seen[1].1["name"]), ("fact", &"7".into()), "{seen:?}");
    // A place that is free is given again.
    held.pop();
    assert_eq!(bench.send("GET", "/api/v1/events?secret=o", &[]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_operator_who_kicks_leaves_a_fact() {
    let bench = Bench::new("kick", Auth::default());
    let publishing = publish(&bench.context, "live/x").await;
    let path = format!("/api/v1/clients/{}?secret=o&minutes=10", publishing.client.client().id);
    assert_eq!(bench.send("DELETE", &path, &[]).await.status(), StatusCode::OK);
    let (facts, _) = bench.context.facts.listen();
    let fact = facts.last().unwrap();
    assert_eq!((fact.what, fact.stream.as_str(), fact.count), ("kicked", "live/x", Some(10)));
}

#[tokio::test]
async fn a_stranger_who_tries_to_log_in_again_and_again_leaves_few_facts() {
    let bench = Bench::new("strangers", Auth::default());
    for _ in 0..20 {
        assert_eq!(bench.log_in("a.b.c", "same-origin").await.0, StatusCode::UNAUTHORIZED);
    }
    let (facts, _) = bench.context.facts.listen();
    let refused = facts.iter().filter(|fact| fact.what == "login_refused").count();
    assert_eq!(refused as u64, crate::core::refusals::LOGGED);
    let own = bench.log_in(&bench.token(), "same-origin").await.0;
    assert_eq!(own, StatusCode::OK);
}
