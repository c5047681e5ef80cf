//! Cost of rooms: the chat with a large audience, ten hosts who see each other, and guests who come and go.

mod chat;
mod crowd;
mod guests;
mod hosts;

pub(crate) fn run() {
    chat::run();
    hosts::run();
    guests::run();
}
