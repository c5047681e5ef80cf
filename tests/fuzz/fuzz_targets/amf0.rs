//! AMF0: a value that was read can be written, and then reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::flv::amf0;

fuzz_target!(|data: &[u8]| {
    let mut input = data;
    while let Ok(value) = amf0::read(&mut input) {
        let mut bytes = Vec::new();
        amf0::write(&mut bytes, &value);
        let again = amf0::read(&mut &bytes[..]).expect("what was written");
        // The values are not compared: a number may be NaN, which equals nothing.
        let mut twice = Vec::new();
        amf0::write(&mut twice, &again);
        assert_eq!(bytes, twice);
    }
    let _ = amf0::read_all(data);
});
