//! The session log as a service without a socket.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::{MeteringSettings, SessionLog};
use crate::service::{Gateway, Routes, Service, StartError};

/// The session log, once it is started; shared with the API. Cloning shares it.
pub type LateSessionLog = Arc<OnceLock<SessionLog>>;

/// The service of the session log.
#[derive(Debug)]
pub struct MeteringService {
    keep_days: u64,
    data: PathBuf,
    log: LateSessionLog,
}

impl MeteringService {
    /// Creates the service. It fills `log` when it starts.
    pub fn new(settings: &MeteringSettings, data: &Path, log: &LateSessionLog) -> Self {
        Self { keep_days: settings.sessions_keep, data: data.to_owned(), log: log.clone() }
    }
}

impl Service for MeteringService {
    fn start(&mut self, gateway: &Gateway, _: &mut Routes) -> Result<(), StartError> {
        if self.keep_days == 0 {
            return Ok(());
        }
        let context = &gateway.context;
        let log = SessionLog::start(&self.data, self.keep_days, &context.ids.service, &context.clients);
        let log = log.map_err(StartError::System)?;
        context.admission.observers().add(Arc::new(log.clone()));
        // A gateway starts once.
        let _ = self.log.set(log);
        Ok(())
    }
}
