//! `/api/v1/logins`: browsers that are logged in to the console, for the operator.

use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::{Api, Asker, types};
use crate::core::auth::LoginEntry;
use crate::core::facts::Fact;
use crate::net::worker::Secure;
use crate::web::request::shown;

/// SRS has no logins, so this is the HTTP status.
const LOGIN_NOT_FOUND: u32 = 404;
/// The same for a login that cannot be stored.
const NOT_STORED: u32 = 507;
/// The id of the login that the request itself uses.
const CURRENT: &str = "current";

#[derive(Serialize)]
struct Login {
    id: String,
    /// The `sub` of the token with which the browser logged in.
    subject: String,
    agent: String,
    ip: String,
    /// In seconds since 1970.
    created: u64,
    used: u64,
    expires: u64,
    /// Whether this request uses it.
    current: bool,
}

impl Login {
    fn of(login: &LoginEntry, current: Option<u64>) -> Self {
        Self {
            id: login.id.to_string(),
            subject: login.subject.clone(),
            agent: login.agent.clone(),
            ip: login.from.to_string(),
            created: login.created,
            used: login.used,
            expires: login.expires,
            current: current == Some(login.id),
        }
    }
}

#[derive(Serialize)]
struct Logins {
    logins: Vec<Login>,
}

#[derive(Serialize)]
struct OneLogin {
    login: Login,
}

/// Returns the response with the cookie.
fn with_cookie(api: &Api, asked: &Asker, mut response: Response, text: &str) -> Response {
    // A proxy may end TLS before the gateway: then the browser says so by the address of its page.
    let origin = asked.head.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let secure = asked.head.extensions.get::<Secure>().is_some()
        || origin.is_some_and(|origin| origin.starts_with("https://"));
    let cookie = api.0.context.auth.logins.set_cookie(text, secure);
    response.headers_mut().extend(HeaderValue::try_from(cookie).map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// Handles `POST /api/v1/logins`: an operator's token in `Authorization: Bearer` buys a cookie.
pub(super) async fn create(State(api): State<Api>, asked: Asker) -> Response {
    let auth = &api.0.context.auth;
    let agent = shown(&asked.head.headers, HeaderName::from_static("user-agent"));
    let created = match auth.log_in(&asked.about(), &agent).await {
        Ok(created) => created,
        Err(denied) => {
            let (fact, reason) = (asked.fact(), denied.to_string());
            // A stranger who tries again and again must not push other facts out.
            if fact.ip.is_some_and(|ip| auth.refusals.count("login", ip)) {
                tracing::info!(peer = %asked.peer, reason, "login refused");
                api.0.context.facts.push(Fact { what: "login_refused", reason, ..fact });
            }
            return api.denied(denied);
        }
    };
    match created {
        Ok((login, cookie)) => {
            tracing::info!(peer = %asked.peer, login = login.id, subject = login.subject, "operator logged in");
            let name = login.subject.clone();
            api.0.context.facts.push(Fact { what: "logged_in", name, ..asked.fact() });
            let answer = api.answer(OneLogin { login: Login::of(&login, Some(login.id)) });
            with_cookie(&api, &asked, answer, &cookie)
        }
        Err(error) => {
            let text = format!("the login cannot be stored in the data folder: {error}");
            api.refuse(StatusCode::INSUFFICIENT_STORAGE, NOT_STORED, &text)
        }
    }
}

/// Handles `GET /api/v1/logins`.
pub(super) async fn list(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let auth = &api.0.context.auth;
    let current = auth.login(&asked.about()).map(|login| login.id);
    api.answer(Logins { logins: auth.logins.list().iter().map(|login| Login::of(login, current)).collect() })
}

/// Handles `DELETE /api/v1/logins/ID`, and `…/current` for the login that the request uses.
pub(super) async fn end(State(api): State<Api>, asked: Asker, Path(id): Path<String>) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let auth = &api.0.context.auth;
    let current = auth.login(&asked.about()).map(|login| login.id);
    let id = if id == CURRENT { current } else { id.parse().ok() };
    let Some(id) = id else {
        return api.refuse(StatusCode::NOT_FOUND, LOGIN_NOT_FOUND, "there is no login with this id");
    };
    match auth.logins.end(id) {
        Ok(true) => {}
        Ok(false) => {
            return api.refuse(StatusCode::NOT_FOUND, LOGIN_NOT_FOUND, "there is no login with this id");
        }
        Err(error) => {
            let text = format!("the login stays, because that cannot be stored: {error}");
            return api.refuse(StatusCode::INSUFFICIENT_STORAGE, NOT_STORED, &text);
        }
    }
    tracing::info!(peer = %asked.peer, login = id, "login ended by an operator");
    api.0.context.facts.push(Fact { what: "login_ended", ..asked.fact() });
    let answer = api.answer(types::Nothing {});
    if current == Some(id) { with_cookie(&api, &asked, answer, "") } else { answer }
}
