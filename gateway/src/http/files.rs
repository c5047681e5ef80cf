//! The pages and the player, embedded in the binary. A debug build reads them from the source tree.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::net::worker::SharedBody;
use crate::web::endpoint::FILE;
use crate::web::problem::Problem;

#[derive(RustEmbed)]
#[folder = "../player-wasm/dist/"]
#[allow_missing = true]
struct Player;

#[derive(RustEmbed)]
#[folder = "../demo/pages/"]
#[allow_missing = true]
struct Pages;

/// Content security policy: scripts only from this server, streams from any server that the user enters.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: http: https:; media-src * blob: data:; \
    connect-src *; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'";

/// The policy of the console, whose pages hold the operator's login: nothing but this server, and no page around it.
const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The folder of the console.
const CONSOLE: &str = "console/";

/// Pages with isolation (`Cross-Origin-Embedder-Policy: require-corp`) load resources of another host only
/// with this header.
pub(super) const EMBEDDABLE: (&str, &str) = ("cross-origin-resource-policy", "cross-origin");

/// Elements that use a camera: a page that contains one gets the permission.
const CAMERAS: [&[u8]; 3] = [b"<srs-publisher", b"<srs-room>", b"<srs-room "];

/// Returns whether `path` belongs to the player's package and not to a stream.
pub(super) fn is_player(path: &str) -> bool {
    path == "/srs-player.js" || path.starts_with("/srs-player/")
}

/// Returns the file at `path`, or "not found".
pub(super) fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Response {
    let name = path.trim_start_matches('/');
    let name =
        if name.is_empty() || name.ends_with('/') { format!("{name}index.html") } else { name.to_owned() };
    let name = if Pages::get(&name).is_none() { room_page(path).unwrap_or(name) } else { name };
    let get = if is_player(path) { Player::get } else { Pages::get };
    if !is_player(path) && Pages::get(&format!("{name}/index.html")).is_some() {
        // Relative, because a proxy may have put the gateway below a folder.
        let folder = name.rsplit('/').next().unwrap_or_default();
        return (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, format!("{folder}/"))]).into_response();
    }
    // Hidden files next to them are not served.
    let hidden = name.split('/').any(|part| part.starts_with('.'));
    let Some(file) = get(&name).filter(|_| !hidden) else {
        if is_player(path) && Player::iter().next().is_none() {
            let words = "the player is not built: run `cargo xtask build`";
            return Problem::new(StatusCode::NOT_FOUND, words).into_response();
        }
        return Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address").into_response();
    };
    if let Some(response) = FILE.answer(method) {
        return response;
    }
    let brotli = || get(&format!("{name}.br"));
    send(&name, file, brotli, headers)
}

/// Returns the page for the address of a room: `/rooms/NAME`, `/rooms/NAME/watch` or `/rooms/NAME/scene`.
fn room_page(path: &str) -> Option<String> {
    let room = path.strip_prefix("/rooms/")?;
    let (name, view) = room.split_once('/').unwrap_or((room, "room"));
    let known = !name.is_empty() && matches!(view, "room" | "watch" | "scene");
    known.then(|| format!("rooms/{view}.html"))
}

fn send(
    name: &str,
    file: EmbeddedFile,
    brotli: impl Fn() -> Option<EmbeddedFile>,
    headers: &HeaderMap,
) -> Response {
    let hash = file.metadata.sha256_hash();
    let kind = kind(name, &file);
    let mut answer = HeaderMap::new();
    let mut put = |name: HeaderName, value: &str| {
        // All of these values are ASCII.
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.insert(name, value);
        }
    };
    put(
        header::CACHE_CONTROL,
        if is_hashed(name) { "public, max-age=31536000, immutable" } else { "no-cache" },
    );
    put(header::VARY, "accept-encoding");
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Pages of other hosts load modules and wasm.
    put(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    put(HeaderName::from_static(EMBEDDABLE.0), EMBEDDABLE.1);
    if kind.starts_with("text/html") {
        // No foreign page may cover the button that starts the camera (clickjacking).
        let has = |element: &[u8]| file.data.windows(element.len()).any(|part| part == element);
        let publishes = CAMERAS.into_iter().any(has);
        let framed = if publishes { "; frame-ancestors 'self'" } else { "" };
        if name.starts_with(CONSOLE) {
            put(header::CONTENT_SECURITY_POLICY, CONSOLE_POLICY);
            put(header::REFERRER_POLICY, "no-referrer");
            put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
        } else {
            put(header::CONTENT_SECURITY_POLICY, &format!("{POLICY}{framed}"));
            put(header::REFERRER_POLICY, "strict-origin-when-cross-origin");
        }
    }
    let etag: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    // A weak ETag, because all encodings of a file share it.
    let etag = format!("W/\"{etag}\"");
    put(header::ETAG, &etag);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    if known.is_some_and(|list| list.split(',').any(|tag| tag.trim() == etag)) {
        return (StatusCode::NOT_MODIFIED, answer).into_response();
    }
    put(header::CONTENT_TYPE, &kind);
    let accepts = |coding: &str| {
        let list = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
        list.split(',').any(|part| {
            let (name, quality) = part.split_once(';').unwrap_or((part, ""));
            name.trim().eq_ignore_ascii_case(coding) && !matches!(quality.trim(), "q=0" | "q=0.0")
        })
    };
    let small = ["text/", "application/wasm", "application/json", "application/manifest", "image/svg"];
    let mut body = bytes(file.data);
    if let Some(file) = accepts("br").then(brotli).flatten() {
        body = bytes(file.data);
        put(header::CONTENT_ENCODING, "br");
    } else if accepts("gzip") && small.iter().any(|start| kind.starts_with(start)) {
        body = gzip(hash, body);
        put(header::CONTENT_ENCODING, "gzip");
    }
    let mut response = (answer, body).into_response();
    response.extensions_mut().insert(SharedBody::default());
    response
}

fn bytes(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => data.into(),
    }
}

/// Returns `body` compressed. Each file is compressed once per run.
fn gzip(hash: [u8; 32], body: Bytes) -> Bytes {
    static DONE: Mutex<Option<HashMap<[u8; 32], Bytes>>> = Mutex::new(None);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    let done = done.get_or_insert_default();
    if let Some(done) = done.get(&hash) {
        return done.clone();
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to a vector cannot fail.
    let _ = encoder.write_all(&body);
    let compressed: Bytes = encoder.finish().unwrap_or_default().into();
    done.insert(hash, compressed.clone());
    compressed
}

fn kind(name: &str, file: &EmbeddedFile) -> String {
    let extension = name.rsplit('.').next().unwrap_or_default();
    match extension {
        "js" | "mjs" => "text/javascript; charset=utf-8".to_owned(),
        // TypeScript declarations, not MPEG-TS.
        "ts" => "text/plain; charset=utf-8".to_owned(),
        "wasm" => "application/wasm".to_owned(),
        _ => {
            let kind = file.metadata.mimetype();
            if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind.to_owned() }
        }
    }
}

/// Returns whether the name contains a hash of the content: `player-0a1b2c3d.wasm`.
fn is_hashed(name: &str) -> bool {
    let hex = |part: &str| part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit());
    name.rsplit('/').next().unwrap_or_default().split(['.', '-']).skip(1).any(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_never_change() {
        assert!(is_hashed("srs-player/player-0a1b2c3d.wasm"));
        for name in ["srs-player.js", "srs-player/player_wasm_bg.wasm", "deadbeef0/index.js", "a-b.js"] {
            assert!(!is_hashed(name), "{name}");
        }
    }

    #[test]
    fn a_room_has_its_pages() {
        for (path, page) in [
            ("/rooms/friday-show", Some("rooms/room.html")),
            ("/rooms/%E5%AE%89", Some("rooms/room.html")),
            ("/rooms/friday-show/watch", Some("rooms/watch.html")),
            ("/rooms/friday-show/scene", Some("rooms/scene.html")),
            ("/rooms/friday-show/other", None),
            ("/rooms/friday-show/scene/", None),
            ("/rooms//scene", None),
            ("/rooms/", None),
            ("/rooms", None),
        ] {
            assert_eq!(room_page(path).as_deref(), page, "{path}");
        }
    }

    #[test]
    fn what_is_not_there_or_not_for_asking_is_not_found() {
        let get = |path| answer(&Method::GET, path, &HeaderMap::new()).status();
        for path in
            ["/nothing.html", "/../Cargo.toml", "/srs-player/../.stamp", "/.stamp", "/srs-player/%2e%2e/x"]
        {
            assert_eq!(get(path), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn a_file_is_sent_small_and_only_once() {
        let file = || EmbeddedFile {
            data: Cow::Owned(b"let a = 1;".repeat(100)),
            metadata: rust_embed::Metadata::__rust_embed_new([7; 32], None, None, "text/javascript"),
        };
        let with = |name, value: &str| HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())]);
        let plain = send("a.js", file(), || None, &HeaderMap::new());
        assert_eq!(plain.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert_eq!(plain.headers()["cross-origin-resource-policy"], "cross-origin");
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        let etag = plain.headers()[header::ETAG].to_str().unwrap().to_owned();
        let again = send("a.js", file(), || None, &with(header::IF_NONE_MATCH, &etag));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let accepts = with(header::ACCEPT_ENCODING, "gzip, br;q=1.0");
        let zipped = send("a.js", file(), || None, &accepts);
        assert_eq!(zipped.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(send("a.js", file(), || Some(file()), &accepts).headers()[header::CONTENT_ENCODING], "br");
    }
}
