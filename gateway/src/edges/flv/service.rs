//! The FLV service: the addresses that end in `.flv`.

use axum::response::IntoResponse as _;
use http::{Method, StatusCode, header};

use super::serve;
use crate::service::{Asked, Gateway, Greeting, Routes, Service, StartError};

/// The FLV service.
#[derive(Debug, Default)]
pub struct Flv;

impl Service for Flv {
    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        let context = gateway.context.clone();
        routes.add_streams(
            |path| path.ends_with(".flv"),
            move |Asked { peer, request }| {
                let context = context.clone();
                async move {
                    if *request.method() == Method::OPTIONS {
                        return preflight();
                    }
                    serve(context, peer, request).await
                }
            },
        );
        Ok(())
    }

    fn protocols(&self) -> &'static [&'static str] {
        &["http-flv", "ws-flv"]
    }

    fn greet(&self, greeting: &mut Greeting) {
        if let Some(http) = &greeting.http {
            greeting.watch(format!("http://{http}/live/livestream.flv"));
        }
    }
}

/// What a browser asks before it sends a header of its own to another host.
fn preflight() -> axum::response::Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, range"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
