use oxc_allocator::Allocator;
use oxc_span::SourceType;

use crate::join::{Joined, join};
use crate::module::{Result, parse};
use crate::output::{minified, readable};

/// Joins `a.js` of these files with its imports.
fn with<T>(files: &[(&str, &str)], then: impl for<'a> FnOnce(&'a Allocator, Joined<'a>) -> T) -> Result<T> {
    let allocator = Allocator::default();
    let read = |path: &str| {
        let file = files.iter().find(|(name, _)| *name == path);
        file.map(|(_, text)| (*text).to_owned()).ok_or_else(|| format!("there is no {path}"))
    };
    let joined = join(&allocator, files[0].0, SourceType::mjs(), &read)?;
    Ok(then(&allocator, joined))
}

fn small(files: &[(&str, &str)]) -> Result<String> {
    with(files, |allocator, mut joined| minified(allocator, &mut joined.program))?
}

fn script(source: &str) -> String {
    let allocator = Allocator::default();
    let mut program = parse(&allocator, "a.js", source, SourceType::script()).unwrap();
    minified(&allocator, &mut program).unwrap()
}

/// Returns the readable code and its source map.
fn large(files: &[(&str, &str)]) -> (String, String) {
    with(files, |_, joined| readable(&joined, "a.js")).unwrap()
}

#[test]
fn texts_that_look_like_comments_stay() {
    let small = small(&[(
        "a.js",
        "export const a = (b) => `// ${b}\n  /* c */\n\n  // d`; // gone\n\
         export const e = /[\"'`]\\/\\/ \\/\\*/g; /* gone\n*/\n\
         export const f = '</script>';",
    )])
    .unwrap();
    assert!(small.contains("}\n  /* c */\n\n  // d`"), "{small}");
    assert!(small.contains("/[\"'`]\\/\\/ \\/\\*/g"), "{small}");
    assert!(small.contains("<\\/script>"), "{small}");
    assert!(!small.contains("gone"), "{small}");
}

#[test]
fn private_and_local_names_are_short_and_public_ones_stay() {
    let small = small(&[(
        "a.js",
        "export class Counter {\n  #count = 0;\n  total = 0;\n\
         static is(counter) { return #count in counter; }\n\
         add(amount) { this.#count += amount; this.total = this.#count; return this; }\n}",
    )])
    .unwrap();
    assert!(!small.contains("count") && !small.contains("amount"), "{small}");
    for name in ["total", "add(", "is(", "as Counter"] {
        assert!(small.contains(name), "{name}: {small}");
    }
}

#[test]
fn addresses_beside_the_module_stay_written_out() {
    let small = small(&[(
        "player/engine/a.js",
        "export const wasm = (flv) => flv ? new URL('../../player_wasm_bg.wasm', import.meta.url)\n\
           : new URL('../../player_ts_bg.wasm', import.meta.url);\n\
         export const worker = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });\n\
         export const glue = (flv) => flv ? import('../../player_wasm.js') : import('../../player_ts.js');\n\
         export const again = (misses) => import(/* @vite-ignore */ /* webpackIgnore: true */ misses());",
    )])
    .unwrap();
    let small = small.replace(['"', '\''], "`");
    for file in ["player_wasm_bg.wasm", "player_ts_bg.wasm", "worker.js"] {
        assert!(small.contains(&format!("new URL(`./{file}`,import.meta.url)")), "{file}: {small}");
    }
    for file in ["player_wasm.js", "player_ts.js"] {
        assert!(small.contains(&format!("import(`./{file}`)")), "{file}: {small}");
    }
    for comment in ["/* @vite-ignore */", "/* webpackIgnore: true */"] {
        assert!(small.contains(comment), "{comment}: {small}");
    }
}

#[test]
fn names_of_joined_modules_do_not_meet() {
    let files = [
        (
            "a.js",
            "import { name as other, twice } from './b.js';\n\
             import { SrsPlayerElement } from './player/element.js';\n\
             const name = 'a';\n\
             export { other as handedOn };\n\
             export function both(name$1, twice$1) { return { name, other, name$1, twice$1, two: twice() }; }\n\
             export class Own extends SrsPlayerElement {}",
        ),
        ("b.js", "export const name = 'b';\nconst count = 2;\nexport const twice = () => [name, count];"),
    ];
    let (code, _) = large(&files);
    // `name$1` and `twice$1` exist already: they would shadow the value that the function returns.
    for part in [
        "const name$2 = 'b'",
        "const name$3 = 'a'",
        "name: name$3",
        "other: name$2",
        "two: twice$2()",
        "from './element.js'",
        "name$2 as handedOn",
    ] {
        assert!(code.contains(part), "{part}: {code}");
    }
    // The imported module runs first, and the file does not have its exports.
    assert!(code.find("'b'") < code.find("'a'"), "{code}");
    assert!(!code.contains("as twice") && !code.contains("as name"), "{code}");
    assert!(!small(&files).unwrap().contains("twice()"));
}

#[test]
fn a_module_is_joined_once_also_in_a_circle() {
    let (code, _) = large(&[
        (
            "a.js",
            "import { b } from './b.js';\nimport { c } from './c.js';\nexport const a = () => b() + c();",
        ),
        (
            "b.js",
            "import { c } from './c.js';\nimport { a } from './a.js';\nexport const b = () => c() + a();",
        ),
        ("c.js", "export const c = () => 'once';"),
    ]);
    assert_eq!(code.matches("'once'").count(), 1, "{code}");
}

#[test]
fn what_cannot_be_joined_is_an_error() {
    let error = |files: &[(&str, &str)]| small(files).unwrap_err();
    let (none, default) = ("import { none } from './b.js';\nnone();", "import b from './b.js';\nb();");
    assert_eq!(error(&[("a.js", none), ("b.js", "")]), "a.js: b.js does not export `none`");
    assert_eq!(error(&[("a.js", default), ("b.js", "")]), "a.js: import b.js by names, it is joined");
    assert_eq!(
        error(&[("a.js", "export * from './b.js';"), ("b.js", "")]),
        "a.js: a joined module cannot `export * from`"
    );
    assert_eq!(error(&[("a.js", "import('./b.js');")]), "a.js: ./b.js is no file of the package");
    assert_eq!(error(&[("a.js", "import './b.js';")]), "there is no b.js");
    assert!(error(&[("a.js", "const a = ;")]).starts_with("a.js: "));
    assert!(error(&[("a.js", "const a = 1;\nconst a = 2;")]).starts_with("a.js: "));
}

#[test]
fn names_of_a_classic_script_are_everybodys() {
    assert_eq!(
        script("// A\nvar page = 1;\nfunction look() { let far = page; return far + far; }"),
        "var page=1;function look(){let e=page;return e+e}\n"
    );
}

#[test]
fn glue_loses_what_nobody_calls() {
    let glue = "function initSync(module) { return module; }\n\
        let wasm = 0;\n\
        if (Symbol.dispose) wasm = 1;\n\
        async function __wbg_init(path) {\n\
          if (wasm !== undefined) { console.warn('advice'); }\n\
          return new URL('player_wasm_bg.wasm', import.meta.url);\n\
        }\n\
        export { initSync, __wbg_init as default };";
    let small = crate::glue("player_wasm.js", glue).unwrap();
    for part in ["dispose", "advice", "initSync"] {
        assert!(!small.contains(part), "{part}: {small}");
    }
    assert!(small.contains("as default") && small.contains("import.meta.url"), "{small}");
}

#[test]
fn a_source_map_leads_to_the_module() {
    let (code, map) = large(&[
        ("a.js", "import { b } from './b.js';\n\nexport const a = () => b;"),
        ("b.js", "// A comment.\n\nexport const b = 'found';"),
    ]);
    assert!(code.ends_with("\n//# sourceMappingURL=a.js.map\n"), "{code}");
    let map = oxc_sourcemap::SourceMap::from_json_string(&map).unwrap();
    assert_eq!(map.get_sources().collect::<Vec<_>>(), ["b.js", "a.js"]);
    let place = |text: &str| {
        let line = code.lines().position(|line| line.contains(text)).unwrap();
        let column = code.lines().nth(line).unwrap().find(text).unwrap();
        let token = map
            .get_source_view_tokens()
            .find(|token| (token.get_dst_line() as usize, token.get_dst_col() as usize) == (line, column))
            .unwrap();
        (token.get_source().unwrap().to_owned(), token.get_src_line(), token.get_src_col())
    };
    assert_eq!(place("'found'"), ("b.js".to_owned(), 2, 17));
    assert_eq!(place("a$1 ="), ("a.js".to_owned(), 2, 13));
}
