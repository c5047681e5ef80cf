use std::net::SocketAddr;

use super::*;
use crate::core::auth::Secret;
use crate::net::tls::CertSource;

/// Returns settings with which every service listens on a free port, without HTTPS.
fn free_ports() -> Settings {
    let mut settings = Settings::default();
    settings.demo.demo = true;
    settings.http.http = vec!["127.0.0.1:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap()];
    settings.rtmp.addr = "127.0.0.1:0".parse().unwrap();
    settings.webrtc.addr = "127.0.0.1:0".parse().unwrap();
    settings.http.https.0 = None;
    settings
}

fn here(port: u16) -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], port))
}

/// Returns the greeting of a gateway with these rules and the default ports. `RTMP` replaces that port.
async fn greeting_of(auth: Auth, certificate: CertSource) -> String {
    let settings = free_ports();
    let jobs = Jobs::default();
    let services =
        Services::bind(&settings, &ApiParts { jobs: jobs.clone(), ..ApiParts::default() }).unwrap();
    let rtmp = services.listening().port("rtmp");
    let context = Context::new(settings.context.clone(), auth);
    for job in super::services::jobs(&settings) {
        jobs.add(job, &context, &CancellationToken::new()).unwrap();
    }
    let addresses = HttpAddresses { http: Some(here(8080)), https: Some((here(8443), certificate)) };
    greeting(&services, &jobs, &context, &addresses).replace(&format!(":{rtmp}"), ":RTMP")
}

#[tokio::test]
async fn a_public_gateway_tells_its_key() {
    let (secret, operator) = (Secret::from("a&b"), Secret::from("c d"));
    let auth = Auth { public: true, secret, operator, ..Auth::default() };
    let said = greeting_of(auth, CertSource::Own).await;
    assert!(
        said.contains("OBS: Server rtmp://HOST:RTMP/live/   Stream Key livestream?secret=a%26b\n"),
        "{said}"
    );
    assert!(said.contains("  watch    http://HOST:8080/\n"), "{said}");
    assert!(said.contains("camera: https://HOST:8443/players/rtc_publisher.html\n"), "{said}");
    assert!(said.contains("A browser warns"), "{said}");
}

#[tokio::test]
async fn a_local_gateway_tells_addresses_to_open() {
    let auth = Auth { secret: "kept".into(), ..Auth::default() };
    let said = greeting_of(auth, CertSource::Own).await;
    for line in [
        "  watch    http://127.0.0.1:8080/\n",
        "           http://127.0.0.1:8080/live/livestream.flv\n",
        "           http://127.0.0.1:8080/live/livestream.m3u8\n",
        "           rtmp://127.0.0.1:RTMP/live/livestream\n",
        "  publish  OBS: Server rtmp://127.0.0.1:RTMP/live/   Stream Key livestream\n",
        "           ffmpeg -re -i FILE -c copy -f flv 'rtmp://127.0.0.1:RTMP/live/livestream'\n",
        "           camera: http://127.0.0.1:8080/players/rtc_publisher.html\n",
        "  demo     plays as live/livestream until you publish there\n",
    ] {
        assert!(said.contains(line), "{line:?} is missing in {said}");
    }
    assert!(!said.contains("kept"), "{said}");
}

#[tokio::test]
async fn a_gateway_that_takes_tokens_says_how_to_get_one() {
    let auth = Auth { publish_tokens: true, play_tokens: true, ..Auth::default() };
    let tokens = greeting_of(auth.clone(), CertSource::Own).await;
    assert!(tokens.contains("Stream Key livestream?token=TOKEN\n"), "{tokens}");
    assert!(tokens.contains("lianmai token --stream") && tokens.contains("Viewers need"), "{tokens}");
    let both = greeting_of(Auth { secret: "kept".into(), ..auth.clone() }, CertSource::Own).await;
    assert!(both.contains("livestream?secret=kept\n"), "{both}");
    let open = greeting_of(Auth { open: true, ..auth }, CertSource::Own).await;
    assert!(!open.contains("TOKEN"), "{open}");
}

#[tokio::test]
async fn a_gateway_with_a_domain_is_found_there() {
    let auth = Auth { public: true, ..Auth::default() };
    let said = greeting_of(auth, CertSource::Acme(vec!["live.example.com".to_owned()])).await;
    assert!(said.contains("https://live.example.com/players/"), "{said}");
    assert!(!said.contains("A browser warns"), "{said}");
}

#[tokio::test]
async fn the_ready_file_names_where_every_service_listens() {
    let services = Services::bind(&free_ports(), &ApiParts::default()).unwrap();
    let listening = services.listening();
    let json: serde_json::Value = serde_json::from_str(&listening.file()).unwrap();
    assert_eq!(json["rtmp"], format!("127.0.0.1:{}", listening.port("rtmp")));
    assert_eq!((listening.port("http"), listening.port("https")), (0, 0));
    let listens = |entry: &serde_json::Value| {
        entry.as_str().is_some_and(|addr| std::net::TcpStream::connect(addr).is_ok())
    };
    assert!(listens(&json["rtmp"]) && listens(&json["webrtc"]), "{json}");
    let http = json["http"].as_array().unwrap();
    assert!(http.len() == 2 && http.iter().all(listens), "{json}");
    assert_eq!(json["pid"], std::process::id());
    assert!(json.get("https").is_none(), "{json}");
}

#[tokio::test]
async fn every_service_names_its_protocols_once() {
    let services = Services::bind(&free_ports(), &ApiParts::default()).unwrap();
    let mut protocols: Vec<_> = services.all.iter().flat_map(|service| service.protocols()).collect();
    let all = protocols.len();
    protocols.sort_unstable();
    protocols.dedup();
    assert!(protocols.len() == all && all >= 5, "{protocols:?}");
}
