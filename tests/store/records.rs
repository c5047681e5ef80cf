//! Recordings in the object store.

use std::fs;

use lianmai_tests::http::{self, Response};
use lianmai_tests::object_store::PUBLIC;
use lianmai_tests::publisher::ffmpeg;
use lianmai_tests::{Clip, Gateway, ObjectStore, wait};
use serde_json::{Value, json};

use crate::kit::{LIMIT, api, is_finished, list, path, probe, wait_records};

/// Starts a gateway that records into a store; `flags` come in addition.
#[track_caller]
pub(crate) fn gateway(store_flags: &[String], flags: &[&str]) -> Gateway {
    let mut all = vec!["--record", "live/*", "--reconnect", "1"];
    all.extend(flags);
    all.extend(store_flags.iter().map(String::as_str));
    Gateway::start(&all)
}

/// Publishes a short clip as `live/x`, and waits until its recording is finished and `which` is true.
#[track_caller]
pub(crate) fn record(gateway: &Gateway, which: impl Fn(&Value) -> bool) -> Value {
    ffmpeg(&Clip::Av.file(), &gateway.rtmp_url("x")).wait(LIMIT);
    wait_records(gateway, "x", 1, |record| is_finished(record) && which(record)).remove(0)
}

pub(crate) fn is_uploaded(record: &Value) -> bool {
    record["upload"] == "done"
}

fn get(gateway: &Gateway, path: &str, headers: &[&str]) -> Response {
    http::request(gateway.http(), "GET", path, headers)
}

#[test]
fn a_recording_is_uploaded_served_from_the_store_and_deleted_there() {
    let store = ObjectStore::shared();
    let flags = store.flags(PUBLIC, "one");
    let data = lianmai_tests::gateway::temp_dir("store-records");
    let at = data.display().to_string();
    let more = ["--store-keep-local", "0", "--data", &at];
    let mut first = gateway(&flags, &more);
    let record = record(&first, |record| is_uploaded(record) && record["local"] == false);
    assert!(!path(&data, &record).exists() && path(&data, &record).with_extension("m3u8").exists());
    let url = record["url"].as_str().unwrap().to_owned();
    let address = format!("s3://{PUBLIC}/one{url}");
    assert_eq!(record["stored"], address);
    assert_eq!(list(&first, "x")["store"], format!("s3://{PUBLIC}/one"));
    // What everybody finds in the store, as the bucket is public.
    let object = store.get(&format!("one{url}"));
    assert_eq!((object.status, object.header("content-type")), (200, Some("video/mp4")));
    let playlist = store.get(&format!("one{}", record["playlist"].as_str().unwrap()));
    assert_eq!(playlist.header("content-type"), Some("application/vnd.apple.mpegurl"));
    assert_eq!(object.body.len() as u64, record["bytes"].as_u64().unwrap());
    assert!(first.stop().success());

    // A gateway that starts with the same folder knows it, and passes it on with ranges.
    let second = gateway(&flags, &more);
    let again = wait_records(&second, "x", 1, is_uploaded).remove(0);
    assert_eq!((&again["local"], &again["duration_ms"]), (&json!(false), &record["duration_ms"]));
    let (whole, size) = (get(&second, &url, &[]), object.body.len());
    assert_eq!((whole.status, whole.body == object.body), (200, true));
    let etag = whole.header("etag").unwrap();
    let head = http::request(second.http(), "HEAD", &url, &[]);
    assert_eq!((head.status, head.header("content-length")), (200, Some(&*size.to_string())));
    for (range, from, to) in [("bytes=0-9", 0, 10), ("bytes=100-", 100, size), ("bytes=-7", size - 7, size)] {
        let part = get(&second, &url, &[&format!("Range: {range}")]);
        assert_eq!((part.status, part.body == object.body[from..to]), (206, true), "{range}");
        assert_eq!(part.header("content-range"), Some(&*format!("bytes {from}-{}/{size}", to - 1)));
    }
    assert_eq!(get(&second, &url, &[&format!("Range: bytes={size}-")]).status, 416);
    assert_eq!(get(&second, &url, &[&format!("If-None-Match: {etag}")]).status, 304);
    let here = |path: &str| format!("http://{}{path}", second.http());
    let file = probe(&here(&url));
    let played = probe(&here(record["playlist"].as_str().unwrap()));
    assert!(file.streams.iter().all(|(_, frames)| *frames > 10), "{file:?}");
    assert_eq!(played.streams, file.streams);

    // Deleted here, it is deleted there.
    let one = format!("/api/v1/records/live/x/{}", record["file"].as_str().unwrap());
    assert_eq!(api(&second, "DELETE", &one, &Value::Null).status, 200);
    assert_eq!(list(&second, "x")["all"], 0);
    assert_eq!(get(&second, &url, &[]).status, 404);
    wait::until_true("the object to be deleted", LIMIT, || store.get(&format!("one{url}")).status == 404);
    wait::until_true("the folder to be empty", LIMIT, || !data.join("records/live").exists());
    drop(second);
    let _ = fs::remove_dir_all(&data);
}

#[test]
fn viewers_are_sent_to_the_store_by_signed_addresses_and_retention_deletes_there() {
    let store = ObjectStore::shared();
    let flags = store.flags("private", "two");
    let data = lianmai_tests::gateway::temp_dir("store-signed");
    let at = data.display().to_string();
    let more = ["--data", &at, "--store-keep-local", "0", "--store-redirect", "--play-secret", "open"];
    let mut first = gateway(&flags, &more);
    let record = record(&first, |record| is_uploaded(record) && record["local"] == false);
    let url = record["url"].as_str().unwrap();
    assert_eq!(get(&first, url, &[]).status, 401, "strangers get no address");
    let sent = get(&first, &format!("{url}?secret=open"), &[]);
    assert_eq!((sent.status, sent.header("cache-control")), (302, Some("no-store")));
    let here = store.address().to_string();
    let path = |url: &str| url.split_once(&here).expect("the store's address").1.to_owned();
    let signed = path(sent.header("location").unwrap());
    let object = http::get(store.address(), &signed);
    assert_eq!((object.status, object.body.len() as u64), (200, record["bytes"].as_u64().unwrap()));
    let (bare, _) = signed.split_once('?').unwrap();
    assert_eq!(http::get(store.address(), bare).status, 403);
    let longer = signed.replace("X-Amz-Expires=3600", "X-Amz-Expires=7200");
    assert_eq!((longer != signed, http::get(store.address(), &longer).status), (true, 403));
    // The operator gets such addresses, too.
    let wanted = format!("live/x/{}", record["file"].as_str().unwrap());
    let made = api(&first, "POST", "/api/v1/addresses", &json!({"record": wanted, "seconds": 60}));
    let made: Value = serde_json::from_slice(&made.body).unwrap();
    assert_eq!(http::get(store.address(), &path(made["url"].as_str().unwrap())).status, 200);
    let unknown = json!({"record": "live/x/2020-01-01T00-00-00Z.mp4"});
    assert_eq!(api(&first, "POST", "/api/v1/addresses", &unknown).status, 404);
    assert!(first.stop().success());

    let second = gateway(&flags, &["--data", &at, "--record-keep", "1"]);
    wait::until_true("the recording to be deleted", LIMIT, || list(&second, "x")["all"] == 0);
    wait::until_true("the object to be deleted", LIMIT, || http::get(store.address(), &signed).status == 404);
    drop(second);
    let _ = fs::remove_dir_all(&data);
}

#[test]
fn a_large_upload_goes_on_after_a_crash() {
    let store = ObjectStore::shared();
    let data = lianmai_tests::gateway::temp_dir("store-large");
    let at = data.display().to_string();
    let mut first = gateway(&[], &["--data", &at]);
    let record = record(&first, |_| true);
    assert_eq!((&record["upload"], &record["stored"]), (&json!("none"), &Value::Null));
    assert!(first.stop().success());
    // A box that players skip makes the file large.
    let (file, size) = (path(&data, &record), 160_u32 << 20);
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend(size.to_be_bytes());
    bytes.extend(b"free");
    bytes.resize(bytes.len() + size as usize - 8, 0x5a);
    fs::write(&file, &bytes).unwrap();

    let flags = store.flags(PUBLIC, "large");
    let mut second = gateway(&flags, &["--data", &at]);
    let parts = file.with_extension("parts");
    let count = || fs::read_to_string(&parts).map_or(0, |text| text.lines().count().saturating_sub(1));
    wait::until_true("three parts", LIMIT, || count() >= 3);
    second.process.signal("KILL");
    second.process.wait(LIMIT);
    let there = count() as u64;
    assert!(there < 20, "the upload was too fast for this test: {there}");

    let third = gateway(&flags, &["--data", &at]);
    let before = third.rss();
    let record = wait_records(&third, "x", 1, is_uploaded).remove(0);
    assert_eq!(record["local"], true, "store_keep_local is an hour");
    let metric = third.get("/metrics").text();
    let uploaded = metric.lines().find_map(|line| line.strip_prefix("lianmai_record_uploaded_bytes_total "));
    let uploaded: u64 = uploaded.and_then(|number| number.parse().ok()).expect("the metric");
    assert_eq!(uploaded, bytes.len() as u64 - there * (8 << 20), "{there} parts were there");
    assert!(!parts.exists());
    // One part is in memory at a time.
    let grown = peak(third.process.pid()).saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
    let object = store.get(&format!("large{}", record["url"].as_str().unwrap()));
    assert!(object.body == bytes, "{} of {} bytes", object.body.len(), bytes.len());
    drop(third);
    let _ = fs::remove_dir_all(&data);
}

/// Returns the largest resident memory so far of a process.
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("status has VmHWM");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}

#[test]
fn a_store_that_refuses_is_given_up_with_a_reason() {
    let store = ObjectStore::shared();
    let mut flags = store.flags("private", "refused");
    let last = flags.len() - 1;
    flags[last] = "another secret".to_owned();
    let gateway = gateway(&flags, &[]);
    let record = record(&gateway, |record| record["upload"] == "failed");
    let reason = record["upload_failure"].as_str().unwrap();
    assert!(reason.contains("SignatureDoesNotMatch") && !reason.contains("another secret"), "{reason}");
    assert_eq!((&record["local"], &record["stored"]), (&json!(true), &Value::Null));
    assert_eq!(get(&gateway, record["url"].as_str().unwrap(), &[]).status, 200);
    // It is tried again when the operator wants it.
    let one = format!("/api/v1/records/live/x/{}", record["file"].as_str().unwrap());
    assert_eq!(api(&gateway, "PATCH", &one, &json!({"upload": true})).status, 200);
    wait_records(&gateway, "x", 1, |record| record["upload"] != "failed");
    for bad in [json!({}), json!({"upload": false}), json!({"keep": 1})] {
        assert_eq!(api(&gateway, "PATCH", &one, &bad).status, 400, "{bad}");
    }
    let log = gateway.process.stderr();
    assert!(log.contains("recording not uploaded") && !log.contains("another secret"), "{log}");
    // Settings that are shown have no keys.
    let server = api(&gateway, "GET", "/api/v1/server", &Value::Null).text();
    assert!(server.contains("store_secret_key") && !server.contains("another secret"), "{server}");
}
