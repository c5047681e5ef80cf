//! Networks from which clients may and may not publish and play.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use clap::Args;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ask::{Ask, Guard, Refusal};
use crate::core::client::{Act, Identity};
use crate::flags::{self, BadNetwork, Network};

/// A network, for one act or for both: `10.0.0.0/8` or `publish=10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpRule {
    act: Option<Act>,
    network: Network,
}

impl IpRule {
    fn is_about(&self, act: Act) -> bool {
        self.act.is_none_or(|only| only == act)
    }

    fn has(&self, act: Act, ip: IpAddr) -> bool {
        self.is_about(act) && self.network.contains(ip)
    }
}

impl FromStr for IpRule {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let (act, network) = match text.trim().split_once('=') {
            Some(("publish", network)) => (Some(Act::Publish), network),
            Some(("play", network)) => (Some(Act::Play), network),
            Some(_) => return Err(BadNetwork),
            None => (None, text),
        };
        Ok(Self { act, network: network.parse()? })
    }
}

impl fmt::Display for IpRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.act.map_or(Ok(()), |act| write!(f, "{}=", act.word()))?;
        self.network.fmt(f)
    }
}

impl Serialize for IpRule {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IpRule {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Settings of the lists.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct IpListSettings {
    /// Networks from which clients may publish and play; publish=NETWORK and play=NETWORK are for one of both. Empty: all
    #[arg(long, env = "LIANMAI_ALLOW_IP", value_name = "NETWORK", value_delimiter = ',')]
    pub allow_ip: Vec<IpRule>,

    /// Networks from which clients may not publish and play, in the same form; they count before allow_ip
    #[arg(long, env = "LIANMAI_DENY_IP", value_name = "NETWORK", value_delimiter = ',')]
    pub deny_ip: Vec<IpRule>,
}

impl Default for IpListSettings {
    fn default() -> Self {
        flags::defaults()
    }
}

/// The lists in use. Cloning shares them.
#[derive(Debug, Clone)]
pub struct IpLists(Arc<RwLock<IpListSettings>>);

impl IpLists {
    /// Creates the guard with these lists.
    pub fn new(settings: IpListSettings) -> Self {
        Self(Arc::new(RwLock::new(settings)))
    }

    /// Replaces the lists from now on. Running connections stay.
    pub fn set(&self, settings: IpListSettings) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    fn refusal(&self, ask: &Ask<'_>) -> Option<Refusal> {
        let lists = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (peer, from) = (ask.credentials.peer.ip(), ask.credentials.from);
        // A client cannot hide its own address by naming another one in a header, nor borrow an allowed one.
        let denied = lists.deny_ip.iter().any(|rule| rule.has(ask.act, peer) || rule.has(ask.act, from));
        let mut allowing = lists.allow_ip.iter().filter(|rule| rule.is_about(ask.act)).peekable();
        let allowed = allowing.peek().is_none() || allowing.any(|rule| rule.has(ask.act, peer));
        let text = format!("this address may not {} here", ask.act.word());
        (denied || !allowed).then_some(Refusal::Rule(text))
    }
}

impl Guard for IpLists {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        _: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        ready(self.refusal(ask).map_or(Ok(None), Err)).boxed()
    }

    fn restricts_play(&self) -> bool {
        let lists = self.0.read().unwrap_or_else(PoisonError::into_inner);
        lists.allow_ip.iter().chain(&lists.deny_ip).any(|rule| rule.is_about(Act::Play))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_may_be_for_one_act() {
        let rule: IpRule = "publish=10.1.0.0/8".parse().unwrap();
        assert_eq!(rule.to_string(), "publish=10.0.0.0/8");
        let ip = "10.9.9.9".parse().unwrap();
        assert!(rule.has(Act::Publish, ip) && !rule.has(Act::Play, ip));
        assert!("10.0.0.0/8".parse::<IpRule>().unwrap().has(Act::Play, ip));
        for bad in ["operate=10.0.0.0/8", "publish=", "publish=x", ""] {
            assert!(bad.parse::<IpRule>().is_err(), "{bad}");
        }
    }
}
