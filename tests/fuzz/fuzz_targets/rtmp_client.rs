//! A server that may send anything: no panic, and no answer that is much larger than what it sent.
#![no_main]

use fuzz::rtmp::client::{ClientAddress, ClientSession, Purpose};
use libfuzzer_sys::fuzz_target;

const MAX_MESSAGE: usize = 1 << 20;

fn feed(session: &mut ClientSession, mut bytes: &[u8]) -> bool {
    let length = bytes.len();
    let open = loop {
        match session.read(&mut bytes) {
            Ok(Some(_)) => {}
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    assert!(session.unfinished() <= MAX_MESSAGE + (256 << 10));
    assert!(session.take_output().len() <= (16 << 10) | (128 * length));
    open
}

fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else { return };
    let Some(address) = ClientAddress::new("rtmp://h", "/live/x") else { return };
    let purpose = if mode & 1 == 0 { Purpose::Publish } else { Purpose::Play(MAX_MESSAGE) };
    let mut session = ClientSession::new(address, purpose, "id");
    if mode & 2 == 0 {
        let mut hello = vec![0; 1 + 1536 + 1536];
        hello[0] = 3;
        assert!(feed(&mut session, &hello));
    }
    if mode & 4 == 0 && !feed(&mut session, &[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff]) {
        return;
    }
    let _ = feed(&mut session, rest);
    session.finish();
});
