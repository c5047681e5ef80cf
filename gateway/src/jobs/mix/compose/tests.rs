//! Tests of whole pictures.

mod pictures;
mod random;
