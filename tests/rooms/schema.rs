//! The messages in the source, in the schema and in the documentation are the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use lianmai_tests::room::{SCHEMA, check_request};
use serde_json::{Value, json};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the types of an enum in the folder `message`, as in the JSON.
fn types_in_source(name: &str) -> BTreeSet<String> {
    let files = ["failure", "reply", "request"].map(|file| format!("gateway/src/rooms/message/{file}.rs"));
    let files = files.map(|path| syn::parse_file(&read(&path)).expect("Rust"));
    let found = files.iter().flat_map(|file| &file.items).find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == name => Some(item),
        _ => None,
    });
    let variants = found.unwrap_or_else(|| panic!("there is an enum {name}")).variants.iter();
    variants.map(|variant| snake_case(&variant.ident.to_string())).filter(|kind| kind != "unknown").collect()
}

fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn types_in_schema(schema: &Value, direction: &str) -> BTreeSet<String> {
    let all = schema["$defs"][direction]["oneOf"].as_array().expect("a list");
    all.iter().map(|one| one["properties"]["type"]["const"].as_str().expect("a type").to_owned()).collect()
}

/// Returns the words in code style in the first column of a table below a heading.
fn types_in_table(docs: &str, heading: &str) -> BTreeSet<String> {
    let (_, rest) = docs.split_once(heading).unwrap_or_else(|| panic!("{heading} is there"));
    let section = rest.split("\n#").next().unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn source_schema_and_documentation_have_the_same_messages() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let docs = read("docs/rooms.md");
    for (name, direction, heading) in [
        ("Request", "to_gateway", "### Messages to the gateway"),
        ("Message", "to_client", "### Messages from the gateway"),
    ] {
        let source = types_in_source(name);
        assert_eq!(types_in_schema(&schema, direction), source, "the schema, compared with the source");
        assert_eq!(types_in_table(&docs, heading), source, "rooms.md, compared with the source");
    }
    let codes: BTreeSet<String> =
        serde_json::from_value(schema["$defs"]["code"]["enum"].clone()).expect("names");
    let source = types_in_source("Code");
    assert_eq!(codes, source);
    let (_, told) = docs.split_once("Error codes:").expect("the codes are listed");
    let told = told.split("\n\n").next().unwrap_or_default();
    let told: BTreeSet<String> = told.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(told, source, "the error codes in rooms.md");
}

#[test]
fn the_schema_refuses_what_the_gateway_refuses() {
    for good in [
        json!({ "type": "join", "version": 1, "name": "安娜", "role": "host", "since": 0 }),
        json!({ "type": "settings", "spotlight": null }),
        json!({ "type": "promote", "id": "anna" }),
    ] {
        check_request(&good).expect("allowed");
    }
    for bad in [
        json!({ "type": "join", "version": 2, "name": "Anna" }),
        json!({ "type": "join", "version": 1, "name": "" }),
        json!({ "type": "join", "version": 1, "name": "x".repeat(41) }),
        json!({ "type": "chat", "text": "x".repeat(301) }),
        json!({ "type": "like", "count": 51 }),
        json!({ "type": "settings", "layout": "circle" }),
        json!({ "type": "make_invite", "role": "waiting", "minutes": 1 }),
        json!({ "type": "dance" }),
    ] {
        check_request(&bad).expect_err("it is not allowed");
    }
}
