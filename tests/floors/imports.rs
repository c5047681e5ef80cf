//! Finds all paths that a Rust file names, written from the crate root.

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemFn, ItemMod, ItemUse, Macro, UseTree};

/// A source file.
pub(crate) struct File {
    /// The path below `src`.
    pub(crate) name: String,
    /// The content.
    pub(crate) text: String,
}

impl File {
    /// Returns the module's path in the crate; empty for `lib.rs` and `main.rs`.
    pub(crate) fn module(&self) -> Vec<String> {
        let path = self.name.trim_end_matches(".rs");
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            parts.pop();
        }
        parts
    }

    pub(crate) fn parse(&self) -> syn::File {
        syn::parse_file(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// Returns all paths in `use` lines, expressions, types and macros outside test code, with `super::` and
/// `self::` resolved to `crate::…`.
pub(crate) fn imports(file: &File) -> Vec<String> {
    if is_test_file(file) {
        return Vec::new();
    }
    let mut visitor = Paths { module: file.module(), found: Vec::new() };
    visitor.visit_file(&file.parse());
    visitor.found
}

/// Returns whether the whole file is test code.
pub(crate) fn is_test_file(file: &File) -> bool {
    file.name.ends_with("tests.rs") || file.name.contains("tests/")
}

/// Returns whether there is an `unsafe` block, function, impl or trait.
pub(crate) fn has_unsafe(file: &File) -> bool {
    struct Unsafe(bool);
    impl<'ast> Visit<'ast> for Unsafe {
        fn visit_expr_unsafe(&mut self, _: &'ast syn::ExprUnsafe) {
            self.0 = true;
        }
        fn visit_signature(&mut self, signature: &'ast syn::Signature) {
            self.0 |= signature.unsafety.is_some();
        }
        fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
            self.0 |= item.unsafety.is_some();
            visit::visit_item_impl(self, item);
        }
        fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
            self.0 |= item.unsafety.is_some();
            visit::visit_item_trait(self, item);
        }
    }
    let mut visitor = Unsafe(false);
    visitor.visit_file(&file.parse());
    visitor.0
}

struct Paths {
    module: Vec<String>,
    found: Vec<String>,
}

impl Paths {
    fn add(&mut self, path: &[String]) {
        let mut base = self.module.clone();
        let rest = match path.first().map(String::as_str) {
            Some("self") => &path[1..],
            Some("super") => {
                let up = path.iter().take_while(|part| *part == "super").count();
                base.truncate(base.len().saturating_sub(up));
                &path[up..]
            }
            _ => return self.found.push(path.join("::")),
        };
        let whole: Vec<&str> =
            ["crate"].into_iter().chain(base.iter().chain(rest).map(String::as_str)).collect();
        self.found.push(whole.join("::"));
    }

    fn add_tree(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_tree(&path.tree, before);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(tree, before)),
            UseTree::Name(name) => self.add_leaf(before, name.ident.to_string()),
            UseTree::Rename(name) => self.add_leaf(before, name.ident.to_string()),
            UseTree::Glob(_) => self.add_leaf(before, "*".into()),
        }
    }

    fn add_leaf(&mut self, before: &[String], leaf: String) {
        let mut path = before.to_vec();
        path.push(leaf);
        self.add(&path);
    }
}

/// Returns whether the item is test code.
pub(crate) fn is_test_item(item: &Item) -> bool {
    match item {
        Item::Mod(ItemMod { attrs, .. })
        | Item::Fn(ItemFn { attrs, .. })
        | Item::Use(ItemUse { attrs, .. }) => is_test(attrs),
        _ => false,
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test")
    })
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test_item(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
            self.add(&parts);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        // The arguments are only tokens: look for `crate :: name`.
        let tokens = call.tokens.to_string();
        let mut words = tokens.split_whitespace().peekable();
        while let Some(word) = words.next() {
            if word.ends_with("crate") && words.next_if_eq(&"::").is_some() {
                let name =
                    words.peek().map(|next| next.trim_matches(|c: char| !c.is_alphanumeric() && c != '_'));
                self.found.push(format!("crate::{}", name.unwrap_or_default()));
            }
        }
        visit::visit_macro(self, call);
    }
}
