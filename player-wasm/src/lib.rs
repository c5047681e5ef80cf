//! The player core.
