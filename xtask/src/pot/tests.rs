use super::*;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("lianmai-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Returns the placeholders in a text: `%s`, `%1$d` and similar.
fn places(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .split('%')
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_digit() || "$sd".contains(*c)).collect())
        .filter(|place: &String| !place.is_empty())
        .collect();
    found.sort();
    found
}

#[test]
fn the_translations_have_every_sentence_and_no_other() {
    let folder = folder("pot");
    let wanted = read(&fs::read_to_string(template(&folder).unwrap()).unwrap());
    fs::remove_dir_all(&folder).unwrap();
    assert!(wanted.contains_key(&(None, "Log in to publish.".into())), "{wanted:?}");
    assert!(wanted.contains_key(&(Some("block title".into()), "Live player".into())));
    for po in translations().unwrap() {
        let text = output(command("msgcat").arg("--no-wrap").arg(&po)).unwrap();
        assert!(!text.contains("fuzzy"), "{}", po.display());
        let there = read(&text);
        let missing: Vec<_> = wanted
            .keys()
            .filter(|id| there.get(id).is_none_or(|of| of.is_empty() || of.iter().any(String::is_empty)))
            .collect();
        assert!(missing.is_empty(), "{}: not translated: {missing:#?}", po.display());
        let left: Vec<_> = there.keys().filter(|id| !wanted.contains_key(id)).collect();
        assert!(left.is_empty(), "{}: not in the plugin: {left:#?}", po.display());
        for ((_, id), translated) in there.iter().filter(|((_, id), _)| !id.is_empty()) {
            for one in translated {
                assert_eq!(places(id), places(one), "{id} / {one}");
            }
        }
    }
}

#[test]
fn what_wordpress_reads_is_made_and_the_same_each_time() {
    let (one, two) = (folder("one"), folder("two"));
    for folder in [&one, &two] {
        languages(folder).unwrap();
    }
    for name in ["lianmai.pot", "lianmai-zh_CN.mo", "lianmai-zh_CN-lianmai-editor.json"] {
        assert_eq!(fs::read(one.join(name)).unwrap(), fs::read(two.join(name)).unwrap(), "{name}");
    }
    let json = fs::read_to_string(one.join("lianmai-zh_CN-lianmai-editor.json")).unwrap();
    for folder in [&one, &two] {
        fs::remove_dir_all(folder).unwrap();
    }
    let json: Value = serde_json::from_str(&json).unwrap();
    let messages = json["locale_data"]["lianmai"].as_object().unwrap();
    assert!(messages.len() > 3, "{messages:?}");
    assert_eq!(messages[""]["plural-forms"], "nplurals=1; plural=0;");
    assert!(!messages.contains_key("Log in to publish."), "that is PHP's");
}

#[test]
fn a_po_is_read_with_contexts_plurals_and_long_lines() {
    let po = "# me\nmsgid \"\"\nmsgstr \"\"\n\"A: b\\n\"\n\"C: d\\n\"\n\n#, c-format\nmsgctxt \"x\"\nmsgid \"one \\\"%d\\\"\"\n\
                  msgid_plural \"many\"\nmsgstr[0] \"eins\"\nmsgstr[1] \"viele\"\n";
    let entries = read(po);
    assert_eq!(entries[&(None, String::new())], ["A: b\nC: d\n"]);
    assert_eq!(entries[&(Some("x".into()), "one \"%d\"".into())], ["eins", "viele"]);
}
