//! The cluster as a service of the gateway.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use super::guard::{NodeTickets, StreamClaims};
use super::observer::SessionObserver;
use super::registry::{Me, Registry};
use super::relay::Relays;
use super::settings::ClusterSettings;
use super::ticket::ClusterSecret;
use super::{Cluster, LateCluster, NatsBus, NodeName};
use crate::context::Context;
use crate::core::bus::{Bus, Subscription};
use crate::net::worker::Workers;
use crate::remote::{Dialer, RemoteSettings};
use crate::service::{Gateway, Greeting, Routes, Service, StartError};

/// The service of a cluster. It does nothing if the settings name none.
#[derive(Debug)]
pub struct ClusterService {
    settings: ClusterSettings,
    dialer: Dialer,
    late: LateCluster,
    /// The thread of the bus: a busy network thread must not delay it.
    thread: Option<Workers>,
    /// End with the service.
    subscriptions: Vec<Subscription>,
}

impl ClusterService {
    /// Creates the service. `late` is set once the cluster exists.
    ///
    /// # Errors
    /// A setting is not valid.
    pub fn new(
        settings: &ClusterSettings,
        remote: &RemoteSettings,
        late: &LateCluster,
    ) -> Result<Self, StartError> {
        settings.check().map_err(StartError::Setting)?;
        let dialer = Dialer::new(remote).map_err(StartError::Setting)?;
        let (settings, late) = (settings.clone(), late.clone());
        Ok(Self { settings, dialer, late, thread: None, subscriptions: Vec::new() })
    }

    fn secret(&self) -> ClusterSecret {
        ClusterSecret::new(&self.settings.cluster_secret)
    }

    /// Adds the guards and the observer of a node with this bus.
    fn join(&self, context: &mut Context, bus: Arc<dyn Bus>, node: NodeName, thread: &Workers) {
        let me = Me { node, region: self.settings.region.clone(), url: Arc::default() };
        let runtime = thread.next().clone();
        let registry = Registry::new(bus, me, context.hub.clone(), self.settings.cluster_fanout, runtime);
        let relays = Arc::new(OnceLock::new());
        let tickets =
            NodeTickets { secret: self.secret(), registry: registry.clone(), relays: relays.clone() };
        context.admission =
            context.admission.clone().with_first(tickets).with(StreamClaims(registry.clone()));
        let observer = SessionObserver { registry: registry.clone(), clients: context.clients.clone() };
        context.admission.observers().add(Arc::new(observer));
        let cluster = Cluster::new(registry, relays, context.clone());
        context.admission.observers().add(cluster.0.meter.clone());
        let _ = self.late.set(cluster);
    }
}

impl Service for ClusterService {
    fn guard(&mut self, context: &mut Context) -> Result<(), StartError> {
        if !self.settings.is_on() {
            return Ok(());
        }
        let node = match self.settings.node.as_str() {
            "" => NodeName::made(),
            name => NodeName::parse(name).map_err(|error| StartError::Setting(error.to_string()))?,
        };
        let thread = Workers::named("cluster", 1).map_err(StartError::System)?;
        let ClusterSettings { cluster, cluster_credentials, .. } = &self.settings;
        let bus = NatsBus::new(cluster, cluster_credentials, node.as_str(), &self.dialer, thread.next());
        let bus = bus.map_err(StartError::Setting)?;
        self.join(context, Arc::new(bus), node, &thread);
        self.thread = Some(thread);
        Ok(())
    }

    fn start(&mut self, gateway: &Gateway, _: &mut Routes) -> Result<(), StartError> {
        let (Some(cluster), Some(thread)) = (self.late.get().cloned(), &self.thread) else { return Ok(()) };
        let url = match self.settings.cluster_url.as_str() {
            "" => own_url(gateway)?,
            url => url.trim_end_matches('/').to_owned(),
        };
        let me = cluster.registry().me();
        tracing::info!(node = %me.node, url, "node of a cluster");
        let _ = me.url.set(url);
        let parts = (&gateway.context, &gateway.workers, &gateway.stop);
        let relays = Relays::new(cluster.registry().clone(), self.secret(), self.dialer.clone(), parts);
        let _ = cluster.0.relays.set(relays.clone());
        gateway.context.hub.add_origin(Arc::new(relays.clone()));
        self.subscriptions = cluster.listen();
        cluster.share_tokens();
        let stop = &gateway.stop;
        thread.next().spawn(cluster.registry().clone().follow(stop.clone()));
        thread.next().spawn(cluster.clone().greet(stop.clone()));
        thread.next().spawn(relays.follow());
        thread.next().spawn(cluster.0.meter.clone().run(stop.clone()));
        Ok(())
    }

    fn greet(&self, greeting: &mut Greeting) {
        if let Some(cluster) = self.late.get() {
            greeting.operate(format!("node {} of a cluster", cluster.node()));
        }
    }
}

/// Returns the address under which other nodes reach the HTTP of this one: its first listener, or the first address
/// of this machine if it listens on all.
fn own_url(gateway: &Gateway) -> Result<String, StartError> {
    let setting = |words: &str| StartError::Setting(format!("{words}: set --cluster-url"));
    let addr = gateway.listening.first("http");
    let addr = addr
        .ok_or_else(|| setting("the other gateways reach this one by HTTP, and it does not listen for it"))?;
    if !addr.ip().is_unspecified() {
        return Ok(format!("http://{addr}"));
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let fits = |ip: &IpAddr| !ip.is_loopback() && ip.is_ipv4();
    let ip = interfaces.iter().map(if_addrs::Interface::ip).find(fits);
    let ip = ip.ok_or_else(|| setting("this machine has no address under which other gateways reach it"))?;
    Ok(format!("http://{}", SocketAddr::new(ip, addr.port())))
}
