//! All protocols over TLS, and the choice of the certificate.

use std::fs;
use std::path::Path;

use lianmai_tests::flv::VIDEO;
use lianmai_tests::packets::View;
use lianmai_tests::player::{FlvViewer, Player};
use lianmai_tests::{Clip, Gateway, Process, gateway, http, publisher, tls, wait};

use crate::{LIMIT, publish};

#[test]
fn every_way_out_and_in_works_by_https() {
    let gateway = Gateway::start(&[]);
    let to = gateway.https();
    let _publisher = publish(&gateway, "x", Clip::Av);
    let direct = FlvViewer::https(to, "/live/x.flv");
    let websocket = FlvViewer::wss(to, "/live/x.flv");
    let mut hls = Player::start(&format!("https://{to}/live/x.m3u8"), View::Whole);
    // This viewer waits for its stream, so it does not use the direct path from the shared bytes to the socket.
    let early = FlvViewer::https(to, "/live/y.flv");
    let url = format!("https://{to}/live/y.flv");
    let _by_post = publisher::ffmpeg_forever(&Clip::Av.file(), &url);
    for viewer in [&direct, &websocket, &early] {
        viewer.wait_frames(VIDEO, 60, LIMIT);
    }
    hls.wait(LIMIT, |packets| packets.video.len() >= 60 && packets.audio.len() >= 60);

    let clients = gateway.json("/api/v1/clients");
    let urls: Vec<_> =
        clients["clients"].as_array().into_iter().flatten().map(|c| c["tcUrl"].clone()).collect();
    let count = |url: String| urls.iter().filter(|known| **known == *url).count();
    // FLV, HLS, the early viewer, the publisher; and the WebSocket.
    assert_eq!((count(format!("https://{to}/live")), count(format!("wss://{to}/live"))), (4, 1), "{urls:?}");
}

#[test]
fn a_page_of_this_machine_may_publish_by_https_and_no_other() {
    let gateway = Gateway::start(&[]);
    let to = gateway.https();
    let post = |header: &str| tls::open(to, "POST", "/live/x.flv", &["Content-Length: 0", header]).status;
    for origin in [format!("https://{to}"), format!("https://localhost:{}", to.port())] {
        assert_eq!(post(&format!("Origin: {origin}")), 204, "{origin}");
    }
    for header in ["Origin: https://example.com", "Host: example.com", "X-Forwarded-For: 203.0.113.9"] {
        assert_eq!(post(header), 403, "{header}");
    }
    // Plain HTTP on this port.
    let hint = http::get(to, "/");
    assert_eq!(hint.status, 400);
    assert!(hint.text().contains("https://"), "{}", hint.text());
}

#[test]
fn a_stop_ends_tls_as_tls_ends() {
    let mut gateway = Gateway::start(&[]);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let viewer = FlvViewer::https(gateway.https(), "/live/x.flv");
    viewer.wait_frames(VIDEO, 5, LIMIT);
    assert_eq!(gateway.stop().code(), Some(0), "{}", gateway.process.stderr());
    wait::until_true("the response to end", LIMIT, || viewer.over());
    // Without TLS's close message this would be an error: somebody may have cut the stream.
    assert_eq!(viewer.error(), None);
}

#[test]
fn the_certificate_outlives_a_restart() {
    let dir = gateway::temp_dir("kept");
    let data = dir.to_str().expect("a path of text");
    let mut first = Gateway::start(&["--data", data]);
    let shown = tls::certificate(first.https());
    first.stop();
    let second = Gateway::start(&["--data", data]);
    assert_eq!(tls::certificate(second.https()), shown);
    let other = Gateway::start(&[]);
    assert_ne!(tls::certificate(other.https()), shown);
    drop((first, second));
    let _ = fs::remove_dir_all(dir);
}

/// Creates a folder with a certificate and its key: a gateway's own.
fn pair(dir: &Path) -> Vec<u8> {
    let gateway = Gateway::start(&["--data", dir.to_str().expect("a path of text")]);
    tls::certificate(gateway.https())
}

#[test]
fn files_are_shown_and_read_again_when_they_change() {
    let dir = gateway::temp_dir("files");
    let (old, new) = (dir.join("old"), dir.join("new"));
    let (first, second) = (pair(&old), pair(&new));
    let copy = |from: &Path, name: &str| fs::copy(from.join(name), dir.join(name)).expect("a copy");
    copy(&old, "cert.pem");
    copy(&old, "key.pem");
    let path = |name: &str| dir.join(name).to_str().expect("a path of text").to_owned();
    let gateway = Gateway::start(&["--cert", &path("cert.pem"), "--key", &path("key.pem")]);
    let to = gateway.https();
    assert_eq!(tls::certificate(to), first);
    let _publisher = publish(&gateway, "x", Clip::Av);
    let viewer = FlvViewer::https(to, "/live/x.flv");
    viewer.wait_frames(VIDEO, 5, LIMIT);

    copy(&new, "cert.pem");
    let warned = || gateway.process.stderr().matches("new certificate ignored").count();
    wait::until_true("the half pair to be noticed", LIMIT, || warned() == 1);
    assert_eq!(tls::certificate(to), first);
    copy(&new, "key.pem");
    wait::until_true("the new certificate", LIMIT, || tls::certificate(to) == second);
    assert_eq!(warned(), 1);
    // An existing connection is not affected.
    let seen = viewer.frames(VIDEO).len();
    viewer.wait_frames(VIDEO, seen + 30, LIMIT);
    let _ = fs::remove_dir_all(dir);
}

#[test]
fn files_that_are_no_use_are_said_in_a_sentence() {
    let dir = gateway::temp_dir("no-files");
    pair(&dir);
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    for (cert, key, words) in
        [(&cert, &dir.join("none"), "cannot read "), (&key, &key, "holds no certificate in PEM form")]
    {
        let mut command = gateway::serve(&[]);
        command.arg("--data").arg(dir.join("data")).arg("--cert").arg(cert).arg("--key").arg(key);
        let mut process = Process::start(&mut command);
        assert!(!process.wait(LIMIT).success());
        let said = process.stderr();
        assert!(said.contains(words) && !said.contains("panicked"), "{said}");
    }
    let _ = fs::remove_dir_all(dir);
}
