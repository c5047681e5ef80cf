//! Peers against a browser's side (which is str0m, too), over a simulated network that loses, delays and reorders
//! datagrams. The time is virtual and there is no socket, so a minute takes a moment.

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
