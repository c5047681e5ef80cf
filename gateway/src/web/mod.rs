//! What all HTTP edges share.

pub mod problem;
