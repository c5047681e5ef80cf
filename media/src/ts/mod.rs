//! (module ts)
