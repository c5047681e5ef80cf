//! The OpenAPI document, checked against the answers of a gateway.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use boon::{Compiler, Schemas};
use lianmai_tests::flv::VIDEO;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Clip, Gateway, http, rtmp, wait};
use serde_json::{Value, json};

use crate::{LIMIT, publish};

/// The document, and a gateway that answers.
struct Checked {
    document: Value,
    gateway: Gateway,
    /// The paths and methods that were checked.
    seen: BTreeSet<String>,
}

impl Checked {
    /// Calls the API as the operator, and checks the answer by the schema of `path`, whose `{id}` is replaced.
    #[track_caller]
    fn call(&mut self, method: &str, path: &str, id: &str, body: &Value) -> Value {
        let asked = self.gateway.operator(&path.replace("{id}", id));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let lines = ["Content-Type: application/json"];
        let answer = http::send(self.gateway.http(), method, &asked, &lines, body.as_bytes());
        let value: Value = serde_json::from_slice(&answer.body).expect("JSON");
        let good = [200, 201].contains(&answer.status);
        let responses =
            if good { format!("responses/{}", answer.status) } else { "responses/default".to_owned() };
        let place = path.replace('/', "~1");
        self.check(&format!("paths/{place}/{}/{responses}", method.to_lowercase()), &value);
        self.seen.insert(format!("{} {path}", method.to_lowercase()));
        value
    }

    #[track_caller]
    fn check(&self, place: &str, value: &Value) {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler
            .add_resource("https://lianmai.invalid/openapi.json", self.document.clone())
            .expect("a resource");
        let schema =
            format!("https://lianmai.invalid/openapi.json#/{place}/content/application~1json/schema");
        let index =
            compiler.compile(&schema, &mut schemas).unwrap_or_else(|error| panic!("{place}: {error}"));
        if let Err(error) = schemas.validate(value, index) {
            panic!("{place}: {error:#}\n{value:#}");
        }
    }
}

#[test]
fn every_documented_answer_has_its_documented_form() {
    let hooks = "on_close=http://127.0.0.1:1/";
    let cdn = ["--cdn-url", "https://cdn.example", "--cdn-sign", "tencent", "--cdn-key", "key-of-the-cdn"];
    let flags = ["--demo", "--hook", hooks, "--operator-secret", "operator-of-tests"];
    let gateway = Gateway::start(&[&flags[..], &cdn].concat());
    let answer = gateway.get("/api/v1/openapi.json");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let document: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    let _live = publish(&gateway, "x", Clip::Av);
    let viewer = FlvViewer::http(gateway.http(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 5, LIMIT);
    drop(rtmp::Client::publish(gateway.rtmp(), "short").expect("published"));
    let mut checked = Checked { document, gateway, seen: BTreeSet::new() };
    let none = Value::Null;

    checked.call("GET", "/api/v1/versions", "", &none);
    checked.call("GET", "/api/v1/summaries", "", &none);
    let streams = checked.call("GET", "/api/v1/streams", "", &none);
    let id = |list: &Value| list[0]["id"].as_str().expect("an id").to_owned();
    checked.call("GET", "/api/v1/streams/{id}", &id(&streams["streams"]), &none);
    checked.call("GET", "/api/v1/streams/{id}", "unknown", &none);
    let clients = checked.call("GET", "/api/v1/clients", "", &none);
    let viewer_id =
        clients["clients"].as_array().into_iter().flatten().find(|client| client["publish"] == false);
    let viewer_id = viewer_id.and_then(|client| client["id"].as_str()).expect("the viewer").to_owned();
    checked.call("GET", "/api/v1/clients/{id}", &viewer_id, &none);
    let ban = checked.call("DELETE", "/api/v1/clients/{id}", &format!("{viewer_id}?minutes=5"), &none);
    checked.call("GET", "/api/v1/bans", "", &none);
    checked.call("DELETE", "/api/v1/bans/{id}", ban["ban"]["id"].as_str().expect("an id"), &none);
    let key = checked.call("POST", "/api/v1/keys", "", &json!({ "name": "Anna", "streams": "live/*" }));
    checked.call("POST", "/api/v1/keys", "", &json!({ "name": "Anna" }));
    checked.call("GET", "/api/v1/keys", "", &none);
    checked.call("DELETE", "/api/v1/keys/{id}", key["key"]["id"].as_str().expect("an id"), &none);
    let jobs = checked.call("GET", "/api/v1/jobs", "", &none);
    checked.call("POST", "/api/v1/jobs/{id}/restart", &id(&jobs["jobs"]), &none);
    checked.call("DELETE", "/api/v1/jobs/{id}", &id(&jobs["jobs"]), &none);
    checked.call("GET", "/api/v1/mixes", "", &none);
    checked.call("POST", "/api/v1/mixes", "", &json!({ "unknown": 1 }));
    for method in ["GET", "PATCH", "DELETE"] {
        checked.call(method, "/api/v1/mixes/{id}", "unknown", &json!({}));
    }
    wait::until_true("a hook that was tried", LIMIT, || {
        !checked.call("GET", "/api/v1/hooks", "", &none)["hooks"][0]["last"].is_null()
    });
    wait::until_true("a session", LIMIT, || {
        let sessions = checked.call("GET", "/api/v1/sessions", "", &none);
        sessions["sessions"].as_array().is_some_and(|all| !all.is_empty())
    });
    checked.call("GET", "/api/v1/server", "", &none);
    let to = json!({ "stream": "live/x", "to": "rtmp://127.0.0.1:1/live/key" });
    let forward = checked.call("POST", "/api/v1/forwards", "", &to);
    checked.call("GET", "/api/v1/forwards", "", &none);
    let number = &forward["forward"]["id"];
    let number = number.as_str().map_or_else(|| number.to_string(), str::to_owned);
    checked.call("DELETE", "/api/v1/forwards/{id}", &number, &none);
    let from = json!({ "stream": "live/pulled", "from": "rtmp://127.0.0.1:1/live/key" });
    let pull = checked.call("POST", "/api/v1/pulls", "", &from);
    checked.call("GET", "/api/v1/pulls", "", &none);
    checked.call("DELETE", "/api/v1/pulls/{id}", pull["pull"]["id"].as_str().expect("an id"), &none);
    checked.call("POST", "/api/v1/reload", "", &none);
    checked.call("GET", "/api/v1/nodes", "", &none);
    for method in ["GET", "POST", "DELETE"] {
        checked.call(method, "/api/v1/drain", "", &none);
    }
    checked.call("POST", "/api/v1/records", "", &json!({ "stream": "live/x" }));
    checked.call("GET", "/api/v1/records", "", &none);
    let made = checked.call("POST", "/api/v1/addresses", "", &json!({ "stream": "live/x", "seconds": 60 }));
    let url = made["url"].as_str().expect("an address");
    assert!(url.starts_with("https://cdn.example/live/x.m3u8?txSecret=") && !url.contains("key-of"), "{url}");
    for wrong in [json!({}), json!({ "stream": "live" }), json!({ "stream": "live/x", "seconds": 0 })] {
        let refused = checked.call("POST", "/api/v1/addresses", "", &wrong);
        assert_eq!(refused["code"], 400, "{refused}");
    }
    checked.call("GET", "/api/v1/logins", "", &none);
    checked.call("DELETE", "/api/v1/logins/{id}", "77", &none);
    checked.call("GET", "/api/v1/secrets", "", &none);
    checked.call("POST", "/api/v1/secrets/publish", "", &none);
    checked.call("GET", "/api/v1/issuers", "", &none);
    checked.call("GET", "/api/v1/log", "", &none);
    checked.call("POST", "/api/v1/hooks/{id}/test", "0", &none);

    // Nothing in the document was left out, and the document leaves out nothing of these files.
    let documented: BTreeSet<String> = checked.document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(|(method, _)| format!("{method} {path}")).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(documented, checked.seen);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/src/api/mod.rs");
    let source = fs::read_to_string(source).expect("readable");
    let routes = source.split('"').filter(|text| text.starts_with("/api/v1/") && !text.ends_with('/'));
    let paths = checked.document["paths"].as_object().expect("an object");
    for route in routes.filter(|route| !["/api/v1/openapi.json", "/api/v1/events"].contains(route)) {
        assert!(paths.contains_key(route), "{route} is not in openapi.json");
    }
}
