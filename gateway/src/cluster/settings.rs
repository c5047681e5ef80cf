//! Settings of the cluster.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::node::NodeName;
use super::ticket::MIN_SECRET;
use crate::flags;
use crate::remote::RemoteAddress;

/// Largest number of nodes that one node serves for a stream.
const MAX_FANOUT: usize = 1000;

/// Settings of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct ClusterSettings {
    /// NATS servers that connect this gateway with others, nats://HOST:4222 or tls://…; empty: this gateway is alone
    #[arg(
        long,
        env = "LIANMAI_CLUSTER",
        value_name = "URL",
        value_delimiter = ',',
        help_heading = "Cluster",
        hide_env_values = true
    )]
    pub cluster: Vec<String>,

    /// Secret of the cluster, the same for all its gateways, at least 16 characters
    #[arg(
        long,
        env = "LIANMAI_CLUSTER_SECRET",
        value_name = "TEXT",
        default_value = "",
        help_heading = "Cluster",
        hide_env_values = true
    )]
    pub cluster_secret: String,

    /// File with the nkey seed of this gateway for NATS, or its credentials file; empty: none is needed
    #[arg(
        long,
        env = "LIANMAI_CLUSTER_CREDENTIALS",
        value_name = "FILE",
        default_value = "",
        help_heading = "Cluster",
        value_parser = flags::path
    )]
    pub cluster_credentials: PathBuf,

    /// Address under which the other gateways reach the HTTP of this one; empty: where it listens
    #[arg(
        long,
        env = "LIANMAI_CLUSTER_URL",
        value_name = "URL",
        default_value = "",
        help_heading = "Cluster"
    )]
    pub cluster_url: String,

    /// Gateways that one gateway serves with a stream before it sends further ones to them
    #[arg(
        long,
        env = "LIANMAI_CLUSTER_FANOUT",
        value_name = "N",
        default_value_t = 32,
        help_heading = "Cluster"
    )]
    pub cluster_fanout: usize,

    /// Name of this gateway in the cluster, different for each; empty: the host's name and a random part
    #[arg(long, env = "LIANMAI_NODE", value_name = "NAME", default_value = "", help_heading = "Cluster")]
    pub node: String,

    /// Region of this gateway, shown in the list of nodes
    #[arg(long, env = "LIANMAI_REGION", value_name = "NAME", default_value = "", help_heading = "Cluster")]
    pub region: String,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        flags::defaults()
    }
}

impl ClusterSettings {
    /// Returns whether this gateway belongs to a cluster.
    pub fn is_on(&self) -> bool {
        !self.cluster.is_empty()
    }

    /// Checks the settings, before anything starts.
    ///
    /// # Errors
    /// A setting is not valid; the text says which one and why, without its secrets.
    pub fn check(&self) -> Result<(), String> {
        if !self.is_on() {
            return Ok(());
        }
        if self.cluster_secret.is_empty() {
            return Err(format!(
                "a cluster needs a secret: set --cluster-secret, the same for all its gateways, with at least \
                 {MIN_SECRET} characters"
            ));
        }
        if self.cluster_secret.len() < MIN_SECRET {
            return Err(format!("cluster_secret has at least {MIN_SECRET} characters"));
        }
        if self.cluster.iter().any(|url| !url.starts_with("nats://") && !url.starts_with("tls://")) {
            return Err("the addresses of --cluster begin with nats:// or tls://".to_owned());
        }
        if !self.node.is_empty() {
            NodeName::parse(&self.node).map_err(|error| format!("--node {:?}: {error}", self.node))?;
        }
        if !self.cluster_url.is_empty() {
            check_url(&self.cluster_url)
                .map_err(|error| format!("--cluster-url {:?}: {error}", self.cluster_url))?;
        }
        if !(1..=MAX_FANOUT).contains(&self.cluster_fanout) {
            return Err(format!("cluster_fanout is a number from 1 to {MAX_FANOUT}"));
        }
        if self.region.len() > 64 || self.region.chars().any(char::is_control) {
            return Err("region has at most 64 bytes, without control characters".to_owned());
        }
        Ok(())
    }
}

fn check_url(url: &str) -> Result<(), String> {
    let address = RemoteAddress::parse(url).map_err(|error| error.to_string())?;
    if address.scheme.is_rtmp() {
        return Err("the address begins with http:// or https://".to_owned());
    }
    if address.path_and_query() != "/" {
        return Err("the address has no path".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_settings_are_named_and_secrets_are_not() {
        assert_eq!(ClusterSettings::default().check(), Ok(()));
        let good = ClusterSettings {
            cluster: vec!["nats://127.0.0.1:4222".to_owned(), "tls://user:geheim@nats.example".to_owned()],
            cluster_secret: "0123456789abcdef".to_owned(),
            cluster_url: "http://10.0.0.1:8080".to_owned(),
            node: "a".to_owned(),
            ..ClusterSettings::default()
        };
        assert_eq!(good.check(), Ok(()));
        let error = |change: fn(&mut ClusterSettings)| {
            let mut settings = good.clone();
            change(&mut settings);
            let error = settings.check().unwrap_err();
            assert!(!error.contains("geheim"), "{error}");
            error
        };
        assert!(error(|s| s.cluster_secret.clear()).contains("--cluster-secret"));
        assert!(error(|s| "geheim".clone_into(&mut s.cluster_secret)).contains("16"));
        assert!(error(|s| s.cluster.push("http://user:geheim@x".to_owned())).contains("nats://"));
        assert!(error(|s| "a b".clone_into(&mut s.node)).contains("a b"));
        assert!(error(|s| "rtmp://h/a/b".clone_into(&mut s.cluster_url)).contains("--cluster-url"));
        assert!(error(|s| "http://h/x".clone_into(&mut s.cluster_url)).contains("path"));
        assert!(error(|s| s.cluster_fanout = 0).contains("cluster_fanout"));
        assert!(error(|s| s.region = "x".repeat(65)).contains("region"));
    }
}
