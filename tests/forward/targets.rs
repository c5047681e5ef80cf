//! Kinds of servers, and what they take.

use std::fs;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use lianmai_tests::clip::SECONDS;
use lianmai_tests::packets::View;
use lianmai_tests::player::Player;
use lianmai_tests::publisher::{WsPublisher, ffmpeg_forever};
use lianmai_tests::{Clip, Gateway, Process, flv, gateway, http, wait};
use media::Config;
use media::flv::mux;

use crate::{LIMIT, free_address, publish, targets, wait_frames, wait_state};

#[test]
fn ffmpeg_as_server_gets_every_frame_in_order() {
    let addr = free_address();
    let dir = gateway::temp_dir("ffmpeg-target");
    let file = dir.join("got.flv");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "warning", "-y", "-listen", "1", "-i"]).arg(format!("rtmp://{addr}/live/x"));
    let mut ffmpeg = Process::start(ffmpeg.args(["-c", "copy", "-t", "4"]).arg(&file));
    let source = Gateway::start(&["--forward", &format!("live/x=rtmp://{addr}/live/x")]);
    let _publisher = publish(&source, "x", Clip::Av);
    assert!(ffmpeg.wait(LIMIT).success(), "{} {:?}", ffmpeg.stderr(), targets(&source));
    let probed = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "packet=codec_type,dts_time", "-of", "csv=p=0"])
        .arg(&file)
        .output()
        .expect("ffprobe starts");
    let text = String::from_utf8_lossy(&probed.stdout).into_owned();
    let times = |kind: &str| -> Vec<f64> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(',')?.parse().ok());
        lines.collect()
    };
    let (video, audio) = (times("video"), times("audio"));
    assert!(video.len() >= 100 && audio.len() >= 150, "{} video, {} audio", video.len(), audio.len());
    for (kind, times) in [("video", &video), ("audio", &audio)] {
        assert!(
            times.windows(2).all(|pair| pair[1] > pair[0] && pair[1] - pair[0] < 0.1),
            "{kind}: {times:?}"
        );
    }
    let _ = fs::remove_dir_all(dir);
}

#[test]
fn audio_of_browsers_arrives_as_aac() {
    let target = Gateway::start(&[]);
    let source = Gateway::start(&["--forward", &format!("*=rtmp://{}/{{app}}/{{stream}}", target.rtmp())]);
    let _publisher = publish_ts(&source, Clip::Opus);
    wait_frames(&target, "x", 30);
    let audio = |gateway: &Gateway| gateway.stream("x").map(|stream| stream["audio"]["codec"].clone());
    assert_eq!(audio(&source), Some("Opus".into()));
    wait::until_true("audio as AAC", LIMIT, || audio(&target) == Some("AAC".into()));
}

/// Publishes a clip in MPEG-TS as `live/x`, as enhanced FLV.
fn publish_ts(gateway: &Gateway, clip: Clip) -> WsPublisher {
    let mut demuxer = media::ts::Demuxer::new();
    demuxer.push(fs::read(clip.file()).expect("a readable clip").into());
    let mut out = mux::header(true, true).to_vec();
    let mut known: [Option<Arc<Config>>; 2] = [None, None];
    while let Some(event) = demuxer.next() {
        let Ok(media::ts::Event::Frame(frame)) = event else { continue };
        let slot = &mut known[usize::from(frame.is_video())];
        if slot.as_ref().is_none_or(|config| **config != *frame.config) {
            out.extend_from_slice(&mux::config_tag(&frame.config, frame.dts));
            *slot = Some(frame.config.clone());
        }
        out.extend_from_slice(&mux::frame_tag(&frame));
    }
    let (flags, tags) = flv::read(&out);
    let tags = flv::repeat(&tags, 20, SECONDS * 1000);
    WsPublisher::start(&gateway.ws_publish_url("x"), flags, tags, 1.0)
}

#[test]
fn h265_is_sent_only_to_servers_that_list_it() {
    // A gateway lists it.
    let target = Gateway::start(&[]);
    let source = Gateway::start(&["--forward", &format!("live/x=rtmp://{}/live/x", target.rtmp())]);
    let _publisher = publish_ts(&source, Clip::Hevc);
    wait_frames(&target, "x", 30);
    drop((target, source));

    // ffmpeg does not.
    let addr = free_address();
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "warning", "-listen", "1", "-i"]).arg(format!("rtmp://{addr}/live/x"));
    let _ffmpeg = Process::start(ffmpeg.args(["-f", "null", "-"]));
    let source = Gateway::start(&["--forward", &format!("live/x=rtmp://{addr}/live/x")]);
    let _publisher = publish_ts(&source, Clip::Hevc);
    let state = wait_state(&source, "refused");
    let words = state["last_words"].as_str().unwrap_or_default();
    assert!(words.contains("hvc1") && words.contains("H.264"), "{state}");
}

/// nginx with its RTMP module.
struct NginxRtmp {
    _process: Process,
    dir: PathBuf,
    addr: SocketAddr,
}

impl NginxRtmp {
    fn start() -> Self {
        let module = Path::new("/usr/lib/nginx/modules/ngx_rtmp_module.so");
        assert!(module.exists(), "Debian's package libnginx-mod-rtmp is missing: `cargo xtask tools`");
        let dir = gateway::temp_dir("nginx-rtmp");
        let path = dir.display();
        // A Unix socket, because nginx cannot choose a free port.
        let config = format!(
            "load_module {}; daemon off; master_process off; pid {path}/pid; error_log stderr;
            events {{ worker_connections 64; }}
            rtmp {{ access_log off; server {{ listen unix:{path}/socket; application live {{ live on; }} }} }}",
            module.display()
        );
        fs::write(dir.join("nginx.conf"), config).expect("a writable folder");
        let mut command = Command::new("nginx");
        command.arg("-e").arg("stderr").arg("-p").arg(&dir).arg("-c").arg(dir.join("nginx.conf"));
        let process = Process::start(&mut command);
        let socket = dir.join("socket");
        wait::until_true("nginx to listen", LIMIT, || UnixStream::connect(&socket).is_ok());
        Self { _process: process, addr: to_unix(socket), dir }
    }
}

impl Drop for NginxRtmp {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Passes TCP connections on to a Unix socket.
fn to_unix(socket: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = UnixStream::connect(&socket) else { continue };
            let (Ok(near_in), Ok(far_in)) = (near.try_clone(), far.try_clone()) else { continue };
            thread::spawn(move || up(near_in, far));
            thread::spawn(move || down(far_in, near));
        }
    });
    addr
}

fn up(mut from: TcpStream, mut to: UnixStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

fn down(mut from: UnixStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn nginx_takes_a_forward_and_plays_it() {
    let nginx = NginxRtmp::start();
    let source = Gateway::start(&["--forward", &format!("live/*=rtmp://{}/live/{{stream}}", nginx.addr)]);
    let _publisher = ffmpeg_forever(&Clip::BFrames.file(), &source.rtmp_url("x"));
    wait_state(&source, "sending");
    let mut player = Player::start(&format!("rtmp://{}/live/x", nginx.addr), View::Whole);
    let packets = player.wait(LIMIT, |packets| packets.video.len() >= 90 && packets.audio.len() >= 90);
    assert!(packets.video.windows(2).all(|pair| pair[1].dts > pair[0].dts));
}

#[test]
fn rtmps_asks_for_a_certificate_that_is_trusted() {
    let target = Gateway::start(&[]);
    let rule = format!("live/x=rtmps://localhost:{}/live/x", target.rtmp().port());
    let strict = Gateway::start(&["--forward", &rule]);
    let _publisher = publish(&strict, "x", Clip::Av);
    let state = wait_state(&strict, "retrying");
    let words = state["last_words"].as_str().unwrap_or_default();
    assert!(words.contains("TLS") && words.contains("certificate"), "{state}");
    assert!(target.stream("x").is_none());

    let ca = target.data().join("cert.pem");
    let trusting = Gateway::start(&["--forward", &rule, "--remote-ca", ca.to_str().expect("a path of text")]);
    let _publisher = publish(&trusting, "x", Clip::Av);
    wait_state(&trusting, "sending");
    wait_frames(&target, "x", 60);
}

#[test]
fn a_stream_is_not_forwarded_into_itself() {
    let source = Gateway::start(&[]);
    let body = format!(
        r#"{{"stream":"live/*","to":"rtmp://localhost:{}/live/{{stream}}-copy"}}"#,
        source.rtmp().port()
    );
    let path = source.operator("/api/v1/forwards");
    assert_eq!(http::send(source.http(), "POST", &path, &[], body.as_bytes()).status, 201);
    let _publisher = publish(&source, "x", Clip::Av);
    let state = wait_state(&source, "refused");
    assert!(state["last_words"].as_str().is_some_and(|words| words.contains("to itself")), "{state}");
    assert_eq!(source.json("/api/v1/streams")["streams"].as_array().map(Vec::len), Some(1));
}
