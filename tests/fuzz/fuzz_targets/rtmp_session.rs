//! A client that may send anything: no panic, and no reply that is much larger than the request.
#![no_main]

use fuzz::edges::rtmp::session::{Event, Session};
use libfuzzer_sys::fuzz_target;

const CONNECT: &[u8] = b"\x02\0\x07connect\0\x3f\xf0\0\0\0\0\0\0\x03\0\x03app\x02\0\x04live\0\0\x09";
const PUBLISH: &[u8] = b"\x02\0\x07publish\0\x40\x08\0\0\0\0\0\0\x05\x02\0\x01x";
const PLAY: &[u8] = b"\x02\0\x04play\0\x40\x08\0\0\0\0\0\0\x05\x02\0\x01x";

fn feed(session: &mut Session, mut bytes: &[u8]) -> bool {
    let length = bytes.len();
    let open = loop {
        match session.read(&mut bytes) {
            Ok(Some(Event::Publish(_))) => session.accept_publish(),
            Ok(Some(Event::Play(request))) if request.address.name.is_err() => {
                session.refuse("code", "words")
            }
            Ok(Some(Event::Play(_))) => session.accept_play(),
            Ok(Some(_)) => {}
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    assert!(session.unfinished() <= (1 << 20) + (256 << 10));
    assert!(session.take_output().len() <= (16 << 10) | (128 * length));
    open
}

fn message(session: &mut Session, kind: u8, payload: &[u8]) -> bool {
    // One chunk each: the reader was told a large chunk size.
    let length = (payload.len() as u32).to_be_bytes();
    let header = [4, 0, 0, 7, length[1], length[2], length[3], kind, 1, 0, 0, 0];
    feed(session, &header) && feed(session, payload)
}

fuzz_target!(|data: &[u8]| {
    let Some((mode, mut rest)) = data.split_first() else { return };
    let mut session = Session::new(1 << 20);
    if *mode == 0 {
        feed(&mut session, rest);
        return;
    }
    let mut hello = vec![0; 1 + 1536 + 1536];
    hello[0] = 3;
    assert!(feed(&mut session, &hello));
    if mode & 1 == 1 {
        feed(&mut session, rest);
        return;
    }
    assert!(feed(&mut session, &[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff]));
    if mode & 2 == 0 {
        assert!(message(&mut session, 20, CONNECT));
    }
    match mode >> 2 & 3 {
        1 => drop(message(&mut session, 20, PUBLISH)),
        2 => drop(message(&mut session, 20, PLAY)),
        _ => {}
    }
    while let [kind, length, after @ ..] = rest {
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        if !message(&mut session, *kind, payload) {
            return;
        }
        rest = after;
    }
});
