//! Mixes several streams into one.

pub mod audio;
pub mod children;
pub mod compose;
mod picture;

pub use picture::Picture;
