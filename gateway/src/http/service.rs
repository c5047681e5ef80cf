//! The HTTP service: the listeners of HTTP and HTTPS, which serve the routes of all services.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use tokio::net::TcpListener;

use super::connection::{self, BUSY};
use super::settings::HttpSettings;
use super::{acme, router};
use crate::net::tls::{self, CertReport, CertSource, Tls, TlsSettings};
use crate::net::worker::accept;
use crate::service::{Gateway, Greeting, HttpAddresses, Routes, StartError, listen};

/// The HTTP service. It starts last, when all other services have added their routes.
pub struct Http {
    addresses: Vec<SocketAddr>,
    secure: Option<SocketAddr>,
    /// The source and the state of the certificate.
    certificate: Option<(CertSource, CertReport)>,
    reachable: HttpAddresses,
    /// Present until the service starts: each listener with its TLS, if it has any.
    listeners: Vec<(TcpListener, Option<Tls>)>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl Http {
    /// Listens for HTTP and HTTPS. A self-signed certificate is kept in the folder `data`.
    ///
    /// # Errors
    /// An address is in use or does not belong to this machine, or the certificate cannot be used.
    pub fn bind(settings: &HttpSettings, data: &Path) -> Result<Self, StartError> {
        let (mut addresses, mut listeners) = (Vec::new(), Vec::new());
        for addr in settings.http.iter().filter_map(|addr| addr.0) {
            let listener = listen("--http", addr)?;
            addresses.push(listener.local_addr().map_err(StartError::System)?);
            listeners.push((listener, None));
        }
        let mut reachable = HttpAddresses { http: addresses.first().copied(), https: None };
        let (mut secure, mut certificate) = (None, None);
        if let Some(addr) = settings.https.0 {
            let listener = listen("--https", addr)?;
            let addr = listener.local_addr().map_err(StartError::System)?;
            // Only after all sockets are bound: a failed start must not create a certificate.
            let here: Vec<_> =
                settings.http.iter().chain([&settings.https]).filter_map(|addr| Some(addr.0?.ip())).collect();
            let own_cert = tls::OwnCertInfo { data, listeners: &here };
            let ports: Vec<u16> = addresses.iter().map(SocketAddr::port).collect();
            let acme_challenge = settings.tls.acme_challenge.for_ports(&ports, addr.port());
            let tls_settings = TlsSettings { acme_challenge, ..settings.tls.clone() };
            let tls = Tls::new(&tls_settings, &own_cert).map_err(StartError::Tls)?;
            reachable.https = Some((addr, tls.source().clone()));
            certificate = Some((tls.source().clone(), tls.report().clone()));
            secure = Some(addr);
            listeners.push((listener, Some(tls)));
        }
        Ok(Self { reachable, secure, certificate, addresses, listeners })
    }

    /// Returns the source and the state of the certificate, if there is HTTPS.
    pub const fn certificate(&self) -> &Option<(CertSource, CertReport)> {
        &self.certificate
    }

    /// Returns the addresses for browsers.
    pub const fn addresses(&self) -> &HttpAddresses {
        &self.reachable
    }

    /// Returns TLS with the certificate of HTTPS; `None` if HTTPS is off.
    pub fn tls(&self) -> Option<&Tls> {
        self.listeners.iter().find_map(|(_, tls)| tls.as_ref())
    }

    /// Serves `routes` from now on.
    pub fn start(&mut self, gateway: &Gateway, mut routes: Routes) {
        if let Some(tls) = self.tls().filter(|tls| tls.has_proofs()) {
            routes.add(acme::routes(tls.clone()));
        }
        let router = router(gateway.context.clone(), routes);
        for (listener, tls) in self.listeners.drain(..) {
            let refusal = if tls.is_some() { tls::BUSY } else { BUSY };
            let (context, router, stopped) = (gateway.context.clone(), router.clone(), gateway.stop.clone());
            let serve = move |connection| {
                let (context, tls, router, stop) =
                    (context.clone(), tls.clone(), router.clone(), stopped.clone());
                async move { connection::serve(connection, tls, router, &context, stop).await }
            };
            let Gateway { workers, gate, stop, .. } = gateway.clone();
            tokio::spawn(accept(listener, workers, gate, stop, refusal, serve));
        }
    }

    /// Returns its entries in the ready file.
    pub fn ready(&self) -> Vec<(&'static str, serde_json::Value)> {
        let http: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        let mut entries = vec![("http", http.into())];
        entries.extend(self.secure.map(|addr| ("https", addr.to_string().into())));
        entries
    }

    /// Adds its lines to the greeting.
    pub fn greet(&self, greeting: &mut Greeting) {
        if let Some(http) = &greeting.http {
            greeting.watch(format!("http://{http}/"));
        }
    }
}
