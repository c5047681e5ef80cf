use std::path::PathBuf;

use http::{HeaderMap, Method, Uri};

use super::*;

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("lianmai-logins-{name}-{}", std::process::id()))
}

fn browser(agent: &str) -> NewLogin<'_> {
    NewLogin { subject: "operator", agent, from: "192.0.2.1".parse().unwrap() }
}

/// Returns whether a request with these headers uses the login with this cookie.
fn finds(
    logins: &Logins,
    cookie: &str,
    method: &Method,
    secure: bool,
    more: &[(&'static str, &str)],
) -> bool {
    let mut headers = HeaderMap::new();
    for (name, value) in more {
        headers.append(*name, value.parse().unwrap());
    }
    let name = logins.store().cookie.clone();
    headers.insert("host", "live.example:8443".parse().unwrap());
    headers.append("cookie", format!("other=1; {name}={cookie}; more=2").parse().unwrap());
    let uri = Uri::from_static("/api/v1/clients");
    let request =
        AuthRequest::http(None, &uri, &headers, "192.0.2.1:5".parse().unwrap()).over(method, secure);
    assert_eq!(logins.shown(&request).as_deref(), Some(cookie));
    logins.find(&request).is_some()
}

#[test]
fn a_login_serves_the_pages_of_the_gateway_only() {
    let logins = Logins::default();
    let (login, cookie) = logins.create(&browser("Firefox")).unwrap();
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
    let own = "https://live.example:8443";
    for (method, secure, headers, expected) in [
        (&get, true, &[][..], true),
        (&get, true, &[("sec-fetch-site", "none")], true),
        (&get, true, &[("sec-fetch-site", "same-origin")], true),
        (&get, true, &[("sec-fetch-site", "same-site")], false),
        (&get, true, &[("sec-fetch-site", "cross-site")], false),
        (&get, true, &[("origin", "https://other.example")], false),
        (&delete, true, &[("sec-fetch-site", "same-origin")], true),
        (&delete, true, &[("sec-fetch-site", "same-origin"), ("origin", own)], true),
        (&delete, true, &[("sec-fetch-site", "none")], false),
        (&delete, true, &[("sec-fetch-site", "same-site"), ("origin", own)], false),
        (&delete, true, &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false),
        // Browsers that send no metadata.
        (&post, true, &[], false),
        (&post, true, &[("origin", own)], true),
        (&post, true, &[("origin", "HTTPS://LIVE.EXAMPLE:8443")], false),
        (&post, true, &[("origin", "https://live.example:8080")], false),
        (&post, true, &[("origin", "https://live.example")], false),
        (&post, true, &[("origin", "null")], false),
        (&post, true, &[("origin", own), ("origin", own)], false),
        // The same host without TLS is another page, unless the gateway itself speaks without TLS.
        (&post, true, &[("origin", "http://live.example:8443")], false),
        (&post, false, &[("origin", "http://live.example:8443")], true),
    ] {
        assert_eq!(finds(&logins, &cookie, method, secure, headers), expected, "{method} {headers:?}");
    }
    assert!(finds(&logins, &cookie, &get, true, &[]));
    for wrong in ["", "x", &cookie[1..], &login.hash] {
        assert!(!finds(&logins, wrong, &get, true, &[]), "{wrong}");
    }
    assert!(logins.end(login.id).unwrap() && !logins.end(login.id).unwrap());
    assert!(!finds(&logins, &cookie, &get, true, &[]) && !logins.has(login.id));
}

#[test]
fn logins_survive_a_restart_and_their_cookies_are_not_on_the_disk() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = folder("kept");
    let logins = Logins::kept(&dir).unwrap();
    assert!(!dir.exists(), "nothing is made before somebody logs in");
    let (login, cookie) = logins.create(&browser("Firefox\n\u{7}<b>")).unwrap();
    assert_eq!(login.agent, "Firefox<b>");
    let file = dir.join(FILE);
    let stored = std::fs::read_to_string(&file).unwrap();
    assert!(stored.contains("Firefox") && !stored.contains(&cookie), "{stored}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = Logins::kept(&dir).unwrap();
    assert!(finds(&again, &cookie, &Method::GET, true, &[]));
    assert_eq!(again.set_cookie("x", true), logins.set_cookie("x", true), "the cookie's name stays");
    // A login that cannot be stored does not exist, and an end that cannot be stored is none.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir_all(file.join("full")).unwrap();
    assert!(again.create(&browser("Chrome")).is_err() && again.end(login.id).is_err());
    assert_eq!(again.list().len(), 1);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_login_ends_and_the_number_of_logins_is_bounded() {
    let logins = Logins::default();
    let (first, cookie) = logins.create(&browser("first")).unwrap();
    let (second, _) = logins.create(&browser("second")).unwrap();
    logins.store().logins[1].used -= 10;
    for n in 2..=MAX_LOGINS {
        logins.create(&browser(&n.to_string())).unwrap();
    }
    assert!(logins.list().len() == MAX_LOGINS && logins.has(first.id) && !logins.has(second.id));
    logins.store().logins[0].expires = now();
    assert!(!finds(&logins, &cookie, &Method::GET, true, &[]) && !logins.has(first.id));
    assert_eq!(logins.list().len(), MAX_LOGINS - 1);
}

#[test]
fn the_cookie_is_out_of_reach_for_scripts_and_other_sites() {
    let logins = Logins::default();
    let name = logins.store().cookie.clone();
    assert_ne!(name, Logins::default().store().cookie, "two gateways on one host have cookies of their own");
    let expected = format!("{name}=abc; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure");
    assert_eq!(logins.set_cookie("abc", true), expected);
    assert_eq!(
        logins.set_cookie("", false),
        format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict")
    );
}
