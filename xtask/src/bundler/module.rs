//! A module before it is joined with others: its syntax tree, exports and imports.

use std::collections::{BTreeMap, HashMap};

use oxc_allocator::Allocator;
use oxc_ast::ast::{ImportDeclarationSpecifier, ModuleExportName, Program, Statement};
use oxc_ecmascript::BoundNames;
use oxc_parser::Parser;
use oxc_semantic::{Scoping, SemanticBuilder};
use oxc_span::SourceType;
use oxc_str::Ident;
use oxc_syntax::symbol::SymbolId;

use crate::published::{is_reference, published, resolve};

/// A result with a sentence as its error.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// New names of symbols.
pub(crate) type Names<'a> = HashMap<SymbolId, Ident<'a>>;

/// A module that is being joined.
pub(crate) struct Module<'a> {
    /// Its path below `player-wasm/js`.
    pub(crate) path: String,
    pub(crate) program: Program<'a>,
    pub(crate) scoping: Scoping,
    /// The exported symbols, by their exported names.
    pub(crate) exports: BTreeMap<String, SymbolId>,
    /// The source of each symbol that is imported from a joined module: path and name of the export.
    pub(crate) imports: HashMap<SymbolId, (String, String)>,
}

/// Parses a script. A syntax error contains the path of the script.
pub(crate) fn parse<'a>(
    allocator: &'a Allocator,
    path: &str,
    source: &str,
    source_type: SourceType,
) -> Result<Program<'a>> {
    let parsed = Parser::new(allocator, allocator.alloc_str(source), source_type).parse();
    match parsed.diagnostics.first() {
        Some(mistake) => Err(format!("{path}: {mistake}")),
        None => Ok(parsed.program),
    }
}

/// Returns the path of the module that `module` imports as `specifier`, if it is joined with it.
fn joined(module: &str, specifier: &str) -> Option<String> {
    is_reference(specifier).then(|| resolve(module, specifier)).filter(|path| published(path).is_none())
}

impl<'a> Module<'a> {
    /// Reads a module. Also returns the modules that must be joined with it, in the order of their imports.
    pub(crate) fn read(
        allocator: &'a Allocator,
        path: &str,
        source: &str,
        source_type: SourceType,
    ) -> Result<(Self, Vec<String>)> {
        let program = parse(allocator, path, source, source_type)?;
        let analysed = SemanticBuilder::new().with_check_syntax_error(true).build(&program);
        if let Some(mistake) = analysed.diagnostics.first() {
            return Err(format!("{path}: {mistake}"));
        }
        let scoping = analysed.semantic.into_scoping();
        let (exports, imports) = (BTreeMap::new(), HashMap::new());
        let mut module = Module { path: path.to_owned(), program, scoping, exports, imports };
        let needed = module.read_declarations()?;
        Ok((module, needed))
    }

    /// Records imports and exports. Returns the modules that are joined, in their order.
    fn read_declarations(&mut self) -> Result<Vec<String>> {
        let mut needed = Vec::new();
        for statement in &self.program.body {
            match statement {
                Statement::ImportDeclaration(import) => {
                    let Some(path) = joined(&self.path, &import.source.value) else { continue };
                    for specifier in import.specifiers.iter().flatten() {
                        let ImportDeclarationSpecifier::ImportSpecifier(one) = specifier else {
                            return Err(format!("{}: import {path} by names, it is joined", self.path));
                        };
                        let name = one.imported.name().to_string();
                        self.imports.insert(one.local.symbol_id(), (path.clone(), name));
                    }
                    needed.push(path);
                }
                Statement::ExportDeclaration(export) => export.declaration.bound_names(&mut |bound| {
                    self.exports.insert(bound.name.to_string(), bound.symbol_id());
                }),
                Statement::ExportNamedDeclaration(export) => {
                    for one in &export.specifiers {
                        let ModuleExportName::IdentifierReference(local) = &one.local else { continue };
                        let symbol = self.scoping.get_reference(local.reference_id()).symbol_id();
                        let symbol =
                            symbol.ok_or_else(|| format!("{}: no `{}` to export", self.path, local.name))?;
                        self.exports.insert(one.exported.name().to_string(), symbol);
                    }
                }
                _ => {}
            }
        }
        Ok(needed)
    }

    /// Returns the symbols that the module defines or imports at the top level.
    pub(crate) fn top_level(&self) -> impl Iterator<Item = SymbolId> {
        self.scoping.iter_bindings_in(self.scoping.root_scope_id())
    }

    /// Returns the names of all symbols and globals.
    pub(crate) fn all_names(&self) -> impl Iterator<Item = String> {
        let globals = self.scoping.root_unresolved_references().keys().map(|name| name.to_string());
        self.scoping.symbol_names().map(str::to_owned).chain(globals)
    }
}

/// Returns the part of a joined module's top-level statement that remains, if any.
pub(crate) fn kept<'a>(
    module: &str,
    statement: Statement<'a>,
    is_entry: bool,
) -> Result<Option<Statement<'a>>> {
    let unable = |what: &str| Err(format!("{module}: a joined module cannot `{what}`"));
    match statement {
        Statement::ImportDeclaration(import) => {
            let joined = joined(module, &import.source.value).is_some();
            Ok((!joined).then_some(Statement::ImportDeclaration(import)))
        }
        Statement::ExportDeclaration(export) => Ok(Some(Statement::from(export.unbox().declaration))),
        Statement::ExportNamedDeclaration(_) => Ok(None),
        Statement::ExportDefaultDeclaration(_) => unable("export default"),
        Statement::ExportFromDeclaration(export)
            if !is_entry || joined(module, &export.source.value).is_some() =>
        {
            unable("export … from")
        }
        Statement::ExportAllDeclaration(export)
            if !is_entry || joined(module, &export.source.value).is_some() =>
        {
            unable("export * from")
        }
        other => Ok(Some(other)),
    }
}
