use super::*;

fn args(command: &Command) -> Vec<String> {
    command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect()
}

#[test]
fn every_listener_gets_port_0_unless_named() {
    let args = args(&serve(&["--http", "127.0.0.1:0,127.0.0.1:40000", "--public"]));
    for listener in LISTENERS {
        let at: Vec<_> = args.iter().enumerate().filter(|(_, arg)| *arg == listener).collect();
        assert_eq!(at.len(), 1, "{listener} in {args:?}");
        let address = &args[at[0].0 + 1];
        assert!(address.starts_with("127.0.0.1:0"), "{listener} {address}");
    }
}

#[test]
#[should_panic(expected = "--rtmp 127.0.0.1:1935")]
fn a_fixed_port_is_refused() {
    serve(&["--rtmp", "127.0.0.1:1935"]);
}

#[test]
#[should_panic(expected = "127.0.0.1:8080")]
fn a_fixed_port_among_several_is_refused() {
    serve(&["--http", "127.0.0.1:0,127.0.0.1:8080"]);
}
