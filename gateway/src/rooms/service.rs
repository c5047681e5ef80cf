//! The rooms as a service of the gateway.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path as UrlPath};
use axum::routing::any;
use http::Request;

use super::guard::{FreeSeats, SeatKeys};
use super::registry::Rooms;
use super::settings::RoomsSettings;
use super::socket::{self, SocketContext};
use super::{list, pass, sig};
use crate::context::Context;
use crate::jobs::mix::Mixes;
use crate::service::{Gateway, Greeting, Routes, Service, StartError};

/// The service of rooms.
#[derive(Debug)]
pub struct RoomsService {
    settings: RoomsSettings,
    data: PathBuf,
    mixes: Mixes,
    /// All rooms. [`Service::guard`] sets this, unless the operator has turned rooms off.
    rooms: Option<Rooms>,
}

impl RoomsService {
    /// Creates the service. The folder `data` contains the key that signs passes, and the chat log. Broadcasts are mixes.
    pub fn new(settings: &RoomsSettings, data: &Path, mixes: &Mixes) -> Self {
        Self { settings: settings.clone(), data: data.to_owned(), mixes: mixes.clone(), rooms: None }
    }
}

impl Service for RoomsService {
    fn guard(&mut self, context: &mut Context) -> Result<(), StartError> {
        if self.settings.max_rooms == 0 {
            return Ok(());
        }
        let rooms = Rooms::new(context, &self.settings, &self.data, &self.mixes)
            .map_err(|error| StartError::File("--data", self.data.join(pass::FILE), error))?;
        let admission = context.admission.clone();
        context.admission = admission.with_first(SeatKeys(rooms.clone())).with(FreeSeats(rooms.clone()));
        self.rooms = Some(rooms);
        Ok(())
    }

    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        let Some(rooms) = self.rooms.clone() else { return Ok(()) };
        let context = SocketContext {
            rooms: rooms.clone(),
            limits: gateway.context.limits.clone(),
            stop: gateway.stop.clone(),
        };
        tokio::spawn(rooms.clone().watch(gateway.stop.clone()));
        let list = move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request<Body>| {
            let rooms = rooms.clone();
            async move { list::answer(&rooms, peer, &request.into_parts().0).await }
        };
        let signalling = context.clone();
        let router = Router::new()
            .route("/api/v1/rooms", any(list.clone()))
            .route("/api/v1/rooms/", any(list))
            .route(
                "/api/v1/rooms/{name}",
                any(move |ConnectInfo(peer), UrlPath(name): UrlPath<String>, request: Request<Body>| async move {
                    socket::serve(context, name, peer, request)
                }),
            )
            .route(
                "/sig/v1/rtc",
                any(move |ConnectInfo(peer), request: Request<Body>| async move {
                    sig::serve(signalling, peer, request)
                }),
            )
            .route("/sig/v1/versions", any(|| async { "1.0" }));
        routes.add(router);
        Ok(())
    }

    fn greet(&self, greeting: &mut Greeting) {
        if let (Some(pages), true) = (greeting.camera_pages(), self.rooms.is_some()) {
            greeting.publish(format!("{pages}/rooms/ (talk to each other live)"));
        }
    }
}
