//! Peers against a browser's part (str0m too, which offers), over a network that loses, delays and
//! reorders, in virtual time: no socket, and a minute in a moment.

mod alive;
mod broadcast;
mod client;
mod hostile;
mod loss;
mod media_kit;
mod network;
mod play;

mod publish;
mod show;
mod world;
