//! Admission: the only way to the hub.
//!
//! Every edge asks [`Admission`] before it publishes or plays, and gets a [`PublishGrant`] or a
//! [`PlayGrant`]. The hub requires a grant, and only this module can create one. A list of [`Guard`]s
//! decides: secrets and local trust, tokens, and further rules that are added with [`Admission::with`]. Start
//! reading at [`Ask`], the question that a guard answers.
//!
//! Publishing without a grant does not compile:
//!
//! ```compile_fail
//! fn skip(hub: &gateway::core::hub::Hub, name: &gateway::core::hub::StreamName) {
//!     let _ = hub.publish(name);
//! }
//! ```
//!
//! A grant to play does not allow publishing:
//!
//! ```compile_fail
//! fn mix_up(hub: &gateway::core::hub::Hub, grant: &gateway::core::admission::PlayGrant) {
//!     let _ = hub.publish(grant);
//! }
//! ```
//!
//! The hub accepts a grant to publish:
//!
//! ```
//! fn publish(hub: &gateway::core::hub::Hub, grant: &gateway::core::admission::PublishGrant) {
//!     let _ = hub.publish(grant);
//! }
//! ```

mod ask;
mod bans;
mod desk;
mod drain;
pub mod grant;
mod guards;
mod ip_lists;
mod publishing;
#[cfg(test)]
pub(crate) mod tests;

pub use ask::{Ask, Guard, Refusal, Usage};
pub use bans::{Ban, BannedClient, Bans, MAX_BANS, MAX_MINUTES};
pub use desk::Admission;
pub use drain::{Drain, DrainProgress, MAX_DRAIN_WAIT};
pub use grant::{Grant, PlayGrant, PublishGrant};
pub use ip_lists::{IpListSettings, IpLists, IpRule};
pub use publishing::Publishing;
