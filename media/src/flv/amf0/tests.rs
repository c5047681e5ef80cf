use super::*;

#[test]
fn every_type_comes_back() {
    let value = Value::EcmaArray(vec![
        ("a".into(), Value::Number(1.5)),
        ("b".into(), Value::Boolean(true)),
        ("c".into(), Value::Object(vec![("连麦".into(), "x".into())])),
        ("d".into(), Value::StrictArray(vec![Value::Null, Value::Undefined, Value::Date(7.0)])),
        ("e".into(), Value::String("y".repeat(70_000))),
    ]);
    let mut bytes = Vec::new();
    write(&mut bytes, &value);
    bytes.push(0x05);
    let mut input = &bytes[..];
    assert_eq!(read(&mut input).unwrap(), value);
    assert_eq!(read(&mut input).unwrap(), Value::Null);
    assert!(input.is_empty());
    assert_eq!(value.get("c").and_then(|c| c.get("连麦")).and_then(Value::as_str), Some("x"));
}

#[test]
fn nesting_and_claimed_counts_are_bounded() {
    let deep = [0x0a, 0, 0, 0, 1].repeat(100_000);
    assert_eq!(read(&mut &deep[..]).unwrap_err().kind, ErrorKind::TooLarge("nesting"));
    let objects = [0x03, 0, 1, b'k'].repeat(100_000);
    assert_eq!(read(&mut &objects[..]).unwrap_err().kind, ErrorKind::TooLarge("nesting"));
    let mut many = vec![0x0a, 0xff, 0xff, 0xff, 0xff];
    many.extend(std::iter::repeat_n(0x05, 1_000_000));
    assert_eq!(read(&mut &many[..]).unwrap_err().kind, ErrorKind::TooLarge("number of values"));
    assert_eq!(read(&mut &[0x0c, 0xff, 0xff, 0xff, 0xff, 0][..]).unwrap_err(), Error::truncated(FORMAT, 5));
}
