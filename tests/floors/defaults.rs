//! Finds types whose derived `Default` may differ from their `new`. Code that uses one instead of the other
//! works until it reaches the differing field.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ImplItem, ImplItemFn, ItemEnum, ItemImpl, ItemStruct, Stmt, Type};

use crate::imports::File;

/// Returns the types in these files of one crate that derive `Default` and have a `new` that is not
/// `Self::default()`.
pub(crate) fn derived_beside_new(files: &[File]) -> Vec<String> {
    let mut visitor = Defaults::default();
    for file in files {
        visitor.file = file.module().join("::");
        visitor.visit_file(&file.parse());
    }
    let Defaults { derived, mut made, .. } = visitor;
    made.retain(|name, _| derived.contains(name));
    made.into_values().collect()
}

#[derive(Default)]
struct Defaults {
    file: String,
    derived: BTreeSet<(String, String)>,
    made: BTreeMap<(String, String), String>,
}

impl Defaults {
    fn define(&mut self, name: &syn::Ident, attributes: &[Attribute]) {
        let derives =
            attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|derive| {
                let mut found = false;
                let read = derive.parse_nested_meta(|meta| {
                    found |= meta.path.segments.last().is_some_and(|last| last.ident == "Default");
                    Ok(())
                });
                read.is_ok() && found
            });
        if derives {
            self.derived.insert((self.file.clone(), name.to_string()));
        }
    }
}

impl<'ast> Visit<'ast> for Defaults {
    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.define(&item.ident, &item.attrs);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.define(&item.ident, &item.attrs);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if let (None, Type::Path(of)) = (&item.trait_, &*item.self_ty)
            && let Some(of) = of.path.segments.last()
        {
            for function in item.items.iter().filter_map(|item| match item {
                ImplItem::Fn(function) if function.sig.ident == "new" => Some(function),
                _ => None,
            }) {
                if !is_default(function) {
                    let words =
                        format!("{}::{}: derives Default, and `new` is not that", self.file, of.ident);
                    self.made.insert((self.file.clone(), of.ident.to_string()), words);
                }
            }
        }
        visit::visit_item_impl(self, item);
    }
}

/// Returns whether a `new` only calls `Self::default()`.
fn is_default(new: &ImplItemFn) -> bool {
    let [Stmt::Expr(Expr::Call(call), None)] = new.block.stmts.as_slice() else { return false };
    let Expr::Path(called) = &*call.func else { return false };
    let parts: Vec<String> = called.path.segments.iter().map(|part| part.ident.to_string()).collect();
    parts == ["Self", "default"]
}
