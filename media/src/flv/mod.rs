//! (module flv)
