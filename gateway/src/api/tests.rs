mod console;

use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Request;
use http_body_util::BodyExt as _;
use media::{Codec, Config, Format, Frame, Video as Size};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::*;
use crate::core::admission::{Admission, Publishing};
use crate::core::auth::{Auth, Secret};
use crate::core::client::ClientInfo;
use crate::core::close::CloseReason;
use crate::core::hub::StreamName;
use crate::jobs::demo::Demo;
use crate::limits::{ClientLimits, LimitSettings};
use crate::net::worker::{Gate, Workers};

fn context(auth: Auth) -> Context {
    Context::new(LimitSettings::default(), auth)
}

fn api(context: &Context) -> Api {
    let gateway = Gateway {
        context: context.clone(),
        workers: Workers::start(1).unwrap(),
        gate: Gate::new(1, 0),
        stop: CancellationToken::new(),
        protocols: vec!["rtmp"],
        tls: None,
        listening: [("rtmp", "0.0.0.0:11935".into()), ("https", "[::]:18443".into())].into_iter().collect(),
    };
    let jobs = Jobs::default();
    jobs.add(Box::new(Demo), context, &gateway.stop).unwrap();
    Api::new(gateway, ApiParts { jobs, ..ApiParts::default() })
}

async fn ask(context: &Context, method: &str, path: &str, peer: &str) -> (StatusCode, Value) {
    ask_api(&api(context), method, path, peer).await
}

async fn ask_api(api: &Api, method: &str, path: &str, peer: &str) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    request.headers_mut().insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
    request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
    let answer = router::<()>(api.clone()).oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

async fn publish(context: &Context, name: &str) -> Publishing {
    let client = ClientInfo {
        protocol: "rtmp",
        peer: "192.0.2.7:5".parse().unwrap(),
        url: "rtmp://host/live/x".to_owned(),
        agent: "OBS".to_owned(),
    };
    let name = StreamName::parse(name).unwrap();
    let credentials = AuthRequest::rtmp(&name, "secret=s", None, client.peer);
    let grant =
        Admission::new(Auth { secret: "s".into(), ..Auth::default() }.into(), ClientLimits::default())
            .publish(&name, &credentials, client)
            .await
            .unwrap();
    let mut publishing = Publishing::start(&context.hub, &context.clients, &grant).unwrap();
    let config = Arc::new(Config {
        codec: Codec::H264,
        format: Format::Video(Size { width: 1280, height: 720 }),
        description: Bytes::from_static(&[1, 77, 0, 31]),
    });
    let frame = Frame { number: 0, config, dts: 0, pts: 0, key: true, data: Bytes::from_static(&[0; 100]) };
    publishing.publisher.push(frame);
    publishing
}

const HERE: &str = "127.0.0.1:5";

#[tokio::test]
async fn lists_have_a_start_and_a_count() {
    let context = context(Auth { operator: "o".into(), ..Auth::default() });
    let mut held = Vec::new();
    for n in 0..12 {
        held.push(publish(&context, &format!("live/s{n:02}")).await);
    }
    for (query, first, length) in
        [("", "s00", 10), ("?start=10", "s10", 2), ("?start=1&count=2", "s01", 2), ("?count=0", "s00", 1)]
    {
        let (_, answer) = ask(&context, "GET", &format!("/api/v1/streams/{query}"), HERE).await;
        let streams = answer["streams"].as_array().unwrap();
        assert_eq!((&streams[0]["name"], streams.len()), (&first.into(), length), "{query}");
        assert_eq!(answer["total"], 12, "{query}");
    }
    let (_, answer) = ask(&context, "GET", "/api/v1/clients?count=2&secret=o", HERE).await;
    assert_eq!((answer["clients"].as_array().unwrap().len(), &answer["total"]), (2, &12.into()));
    let (status, answer) = ask(&context, "GET", "/api/v1/streams?start=x", HERE).await;
    assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &400.into()));
}

#[tokio::test]
async fn a_stream_and_its_publisher_name_each_other() {
    let context = context(Auth { operator: "o".into(), ..Auth::default() });
    let publishing = publish(&context, "live/x").await;
    publishing.client.received(1000);
    let id = publishing.publisher.stream().id().to_owned();
    let (_, answer) = ask(&context, "GET", &format!("/api/v1/streams/{id}"), HERE).await;
    let stream = &answer["stream"];
    assert_eq!(stream["video"]["profile"], "Main");
    assert_eq!((&stream["publish"]["active"], &stream["audio"]), (&true.into(), &Value::Null));
    let cid = stream["publish"]["cid"].as_str().unwrap();
    let (_, answer) = ask(&context, "GET", &format!("/api/v1/clients/{cid}?secret=o"), HERE).await;
    let client = &answer["client"];
    assert_eq!((&client["type"], &client["ip"]), (&"rtmp-publish".into(), &"192.0.2.7".into()));
    assert_eq!(client["identity"], "secret");
    assert_eq!((&client["stream"], &client["recv_bytes"]), (&id.into(), &1000.into()));
    assert_eq!(ask(&context, "GET", "/api/v1/clients/77?secret=o", HERE).await.1["code"], CLIENT_NOT_FOUND);
}

#[tokio::test]
async fn only_an_operator_sees_restarts_and_removes_jobs() {
    let context = context(Auth { operator: "o".into(), ..Auth::default() });
    for (method, path) in
        [("GET", "/api/v1/jobs"), ("POST", "/api/v1/jobs/1/restart"), ("DELETE", "/api/v1/jobs/1")]
    {
        assert_eq!(ask(&context, method, path, HERE).await.0, StatusCode::UNAUTHORIZED, "{path}");
        let (status, answer) = ask(&context, method, &format!("{path}?secret=o"), HERE).await;
        assert_eq!((status, &answer["code"]), (StatusCode::OK, &0.into()), "{path}");
    }
    let (_, answer) = ask(&context, "GET", "/api/v1/jobs/?secret=o", HERE).await;
    let job = &answer["jobs"][0];
    assert_eq!((&job["id"], &job["kind"], &job["state"]), (&"1".into(), &"demo".into(), &"running".into()));
    assert_eq!((&job["target"], &job["failure"]), (&"live/livestream".into(), &Value::Null));
    let missing = [("POST", "2/restart"), ("POST", "x/restart"), ("DELETE", "2"), ("DELETE", "x")];
    for (method, path) in missing {
        let path = format!("/api/v1/jobs/{path}?secret=o");
        let (status, answer) = ask(&context, method, &path, HERE).await;
        assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &404.into()), "{method} {path}");
    }

    let api = api(&context);
    assert_eq!(ask_api(&api, "DELETE", "/api/v1/jobs/1?secret=o", HERE).await.0, StatusCode::OK);
    let (_, answer) = ask_api(&api, "GET", "/api/v1/jobs?secret=o", HERE).await;
    assert_eq!(answer["jobs"], Value::Array(Vec::new()));
    assert_eq!(ask_api(&api, "DELETE", "/api/v1/jobs/1?secret=o", HERE).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_an_operator_sees_and_kicks_clients() {
    let (secret, operator) = (Secret::from("s"), Secret::from("o"));
    let context = context(Auth { public: true, secret, operator, ..Auth::default() });
    let publishing = publish(&context, "live/x").await;
    let path = format!("/api/v1/clients/{}", publishing.client.client().id);
    for (method, path) in [("GET", "/api/v1/clients"), ("GET", &path), ("DELETE", &path)] {
        let (status, answer) = ask(&context, method, path, HERE).await;
        assert_eq!((status, &answer["code"]), (StatusCode::UNAUTHORIZED, &DENIED.into()), "{method} {path}");
        // The secret for publishing does not operate.
        let (status, answer) = ask(&context, method, &format!("{path}?secret=s"), HERE).await;
        assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &DENIED.into()), "{method} {path}");
        assert!(answer["message"].as_str().unwrap().contains("operator-secret"), "{answer}");
    }
    assert!(publishing.revoked().now_or_never().is_none());
    let (status, answer) = ask(&context, "DELETE", &format!("{path}?secret=o"), HERE).await;
    assert_eq!((status, &answer["code"]), (StatusCode::OK, &0.into()));
    assert_eq!(publishing.revoked().await, CloseReason::Operator);
}

#[tokio::test]
async fn metrics_are_whole_families() {
    let context = context(Auth::default());
    let _held = publish(&context, "live/x").await;
    let text = metrics::render(&context, &Gate::new(1, 0), &["rtmp"]);
    assert!(text.contains("\nlianmai_stream_frames_total{stream=\"live/x\"} 1\n"), "{text}");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert_eq!(text.matches(&format!("# TYPE {name} ")).count(), 1, "{name}");
    }
}

#[tokio::test]
async fn strangers_do_not_hear_which_streams_there_are_once_playing_is_closed() {
    let play_secret = Secret::from("watch");
    let secret = Secret::from("s");
    let play = Auth { public: true, secret: secret.clone(), play_secret, ..Auth::default() };
    let tokens = Auth { public: true, secret, play_tokens: true, ..Auth::default() };
    for (auth, own) in [(play, "watch"), (tokens, "s")] {
        let context = context(auth);
        let publishing = publish(&context, "private/board").await;
        let one = format!("/api/v1/streams/{}", publishing.publisher.stream().id());
        for path in [
            "/api/v1/streams",
            "/api/v1/streams/",
            &one,
            "/api/v1/streams/none",
            "/api/v1/summaries",
            "/metrics",
        ] {
            let (status, answer) = ask(&context, "GET", path, HERE).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
            assert!(!answer.to_string().contains("board"), "{answer}");
            if path != "/api/v1/streams/none" {
                let (status, _) = ask(&context, "GET", &format!("{path}?secret={own}"), HERE).await;
                assert_eq!(status, StatusCode::OK, "{path}");
            }
        }
        assert_eq!(ask(&context, "GET", "/healthz", HERE).await.0, StatusCode::OK);
    }
}

#[tokio::test(start_paused = true)]
async fn the_version_is_no_oracle() {
    let context = context(Auth { public: true, secret: "s".into(), ..Auth::default() });
    let began = tokio::time::Instant::now();
    for n in 0..200 {
        ask(&context, "GET", &format!("/api/v1/versions?secret=guess{n}"), HERE).await;
    }
    assert!(began.elapsed().as_secs() > 400, "200 guesses took {:?}", began.elapsed());
    // The right secret gets its response immediately in spite of that.
    let began = tokio::time::Instant::now();
    let (_, answer) = ask(&context, "GET", "/api/v1/versions?secret=s", HERE).await;
    assert_eq!((began.elapsed().as_secs(), &answer["data"]["may_publish"]), (0, &true.into()));
    // The services' ports, for pages that build addresses.
    assert_eq!((&answer["data"]["rtmp_port"], &answer["data"]["https_port"]), (&11935.into(), &18443.into()));
}
