//! Controls a running mix from outside.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::request::{MixChange, MixRequest};
use super::status::MixStatus;

/// The orders of the controllers to a mix.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Orders {
    /// The inputs, the layout and the output.
    pub(super) request: Arc<MixRequest>,
    /// Whether the mix ends: its last card, which may be empty.
    pub(super) ending: Option<String>,
}

/// The shared state of a mix and its controllers.
#[derive(Debug)]
pub(super) struct Control {
    orders: watch::Sender<Orders>,
    status: Mutex<MixStatus>,
}

impl Control {
    /// Creates the state of a mix that has not begun.
    pub(super) fn new(request: MixRequest) -> Self {
        let orders = Orders { request: Arc::new(request), ending: None };
        Self { orders: watch::Sender::new(orders), status: Mutex::default() }
    }

    /// Returns a receiver of the orders.
    pub(super) fn orders(&self) -> watch::Receiver<Orders> {
        self.orders.subscribe()
    }

    /// Returns the current request.
    pub(super) fn request(&self) -> Arc<MixRequest> {
        self.orders.borrow().request.clone()
    }

    /// Changes the mix.
    ///
    /// # Errors
    /// The changed mix would not be valid; the text says why.
    pub(super) fn change(&self, change: MixChange) -> Result<(), String> {
        let mut result = Ok(());
        self.orders.send_if_modified(|orders| match orders.request.changed(change) {
            Ok(new) if new == *orders.request => false,
            Ok(new) => {
                orders.request = Arc::new(new);
                true
            }
            Err(error) => {
                result = Err(error);
                false
            }
        });
        result
    }

    /// Ends the mix with a last card, or at once if the text is empty.
    pub(super) fn end(&self, card: &str) {
        self.orders.send_modify(|orders| orders.ending = Some(card.to_owned()));
    }

    /// Returns whether the mix is ending.
    pub(super) fn is_ending(&self) -> bool {
        self.orders.borrow().ending.is_some()
    }

    /// Returns the state.
    pub(super) fn status(&self) -> MixStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stores the state.
    pub(super) fn set_status(&self, status: MixStatus) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }
}
