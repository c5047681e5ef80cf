//! Hooks as a service: its guard asks, and its tasks tell.

use std::path::PathBuf;

use super::observer::follow;
use super::{HookSettings, Hooks};
use crate::context::Context;
use crate::jobs::forward::LateForwards;
use crate::service::{Gateway, Routes, Service, StartError};

/// The service of hooks. It must be the last one in the list: its guard is asked after all others.
#[derive(Debug)]
pub struct HooksService {
    hooks: Hooks,
    settings: HookSettings,
    data: PathBuf,
}

impl HooksService {
    /// Creates the service, which sends `hooks`, and adds to `forwards` what back ends ask for.
    pub fn new(
        hooks: &Hooks,
        settings: &HookSettings,
        data: &std::path::Path,
        forwards: &LateForwards,
    ) -> Self {
        // A gateway has one service of hooks.
        let _ = hooks.0.forwards.set(forwards.clone());
        Self { hooks: hooks.clone(), settings: settings.clone(), data: data.to_owned() }
    }
}

impl Service for HooksService {
    fn guard(&mut self, context: &mut Context) -> Result<(), StartError> {
        self.hooks.attach(context);
        self.hooks.set(&self.settings, &self.data)
    }

    fn start(&mut self, gateway: &Gateway, _: &mut Routes) -> Result<(), StartError> {
        tokio::spawn(follow(self.hooks.clone(), gateway.context.hub.events()));
        Ok(())
    }
}
