//! Joins a module with those of its imports that are not published as separate files.
//!
//! The syntax trees are joined, not the texts: every top-level name becomes unique, an import of a joined module
//! becomes that module's own name, and one `export` at the end lists what the first module exports. A joined module
//! must not have a default export or re-export everything of another module: [`join`] reports it as an error.

use std::collections::BTreeSet;

use oxc_allocator::{Allocator, ArenaVec, FromIn, TakeIn};
use oxc_ast::ast::{ExportSpecifier, ImportOrExportKind, ModuleExportName, Program, Statement};
use oxc_ast::builder::AstBuilder;
use oxc_span::{SPAN, SourceType};
use oxc_str::Ident;
use oxc_syntax::symbol::SymbolId;

use crate::module::{self, Module, Names, Result};
use crate::rewrite::Rewrite;

/// Returns the source of a module by its path below `player-wasm/js`.
pub(crate) type Read<'r> = dyn Fn(&str) -> Result<String> + 'r;

/// Modules that were joined into one program.
pub(crate) struct Joined<'a> {
    /// The program. Its source text is the concatenation of the modules' sources.
    pub(crate) program: Program<'a>,
    pub(crate) sources: Vec<ModuleSource<'a>>,
}

/// The position of a module in the source of the joined program.
pub(crate) struct ModuleSource<'a> {
    /// The module's path below `player-wasm/js`.
    pub(crate) path: String,
    pub(crate) text: &'a str,
    /// The first line of the module, counted from 0.
    pub(crate) first_line: u32,
}

/// Joins the module `entry` with the modules that it needs. `read` returns their sources.
pub(crate) fn join<'a>(
    allocator: &'a Allocator,
    entry: &str,
    source_type: SourceType,
    read: &Read<'_>,
) -> Result<Joined<'a>> {
    let mut joining = Joining { allocator, source_type, read, seen: BTreeSet::new(), modules: Vec::new() };
    joining.load(entry)?;
    joining.finish()
}

struct Joining<'a, 'r> {
    allocator: &'a Allocator,
    source_type: SourceType,
    read: &'r Read<'r>,
    seen: BTreeSet<String>,
    /// The modules, each after its imports. The entry is the last one.
    modules: Vec<Module<'a>>,
}

impl<'a> Joining<'a, '_> {
    /// Reads a module after its imports.
    fn load(&mut self, path: &str) -> Result<()> {
        if !self.seen.insert(path.to_owned()) {
            return Ok(());
        }
        let source = (self.read)(path)?;
        let (module, needed) = Module::read(self.allocator, path, &source, self.source_type)?;
        for other in needed {
            self.load(&other)?;
        }
        self.modules.push(module);
        Ok(())
    }

    /// Returns the joined program.
    fn finish(mut self) -> Result<Joined<'a>> {
        let names = self.names()?;
        let builder = AstBuilder::new(self.allocator);
        let export = self.export(&names, &builder);
        let (mut body, mut comments) = (ArenaVec::new_in(&builder), ArenaVec::new_in(&builder));
        let (mut source_text, mut sources) = (String::new(), Vec::new());
        let entry = self.modules.len() - 1;
        for (at, module) in self.modules.iter_mut().enumerate() {
            // Positions and comments refer to one text: the sources one after the other.
            let offset = u32::try_from(source_text.len()).map_err(|_| "the sources are too large")?;
            let first_line = u32::try_from(source_text.matches('\n').count()).unwrap_or(u32::MAX);
            sources.push(ModuleSource {
                path: module.path.clone(),
                text: module.program.source_text,
                first_line,
            });
            source_text.push_str(module.program.source_text);
            source_text.push('\n');
            for statement in module.program.body.take_in(&builder) {
                module.program.body.extend(module::kept(&module.path, statement, at == entry)?);
            }
            Rewrite::apply(self.allocator, module, &names[at], offset)?;
            body.extend(module.program.body.take_in(&builder));
            comments.extend(module.program.comments.take_in(&builder));
        }
        body.extend(export);
        let Some(Module { mut program, .. }) = self.modules.pop() else {
            return Err("nothing to join".to_owned());
        };
        program.source_text = self.allocator.alloc_str(&source_text);
        (program.body, program.comments) = (body, comments);
        Ok(Joined { program, sources })
    }

    /// Returns a unique name for each top-level symbol of each module. Imports of a joined module have the name of
    /// what they import.
    fn names(&self) -> Result<Vec<Names<'a>>> {
        // Nested scopes keep their names, so a new name must not equal any of them.
        let mut taken: BTreeSet<String> = self.modules.iter().flat_map(|module| module.all_names()).collect();
        let mut names: Vec<Names<'a>> = Vec::new();
        for module in &self.modules {
            let own =
                module.top_level().filter(|symbol| !module.imports.contains_key(symbol)).map(|symbol| {
                    let name = module.scoping.symbol_name(symbol);
                    let unique =
                        (1..).map(|n| format!("{name}${n}")).find(|unique| taken.insert(unique.clone()));
                    (symbol, Ident::from_in(unique.unwrap_or_default().as_str(), self.allocator))
                });
            names.push(own.collect());
        }
        for (at, module) in self.modules.iter().enumerate() {
            for &symbol in module.imports.keys() {
                let (from, exported) = self.origin(at, symbol)?;
                let name = names[from][&exported];
                names[at].insert(symbol, name);
            }
        }
        Ok(names)
    }

    /// Returns the module that defines an imported symbol, and the symbol there.
    fn origin(&self, mut at: usize, mut symbol: SymbolId) -> Result<(usize, SymbolId)> {
        // Modules may re-export their imports, each at most once.
        for _ in 0..=self.modules.len() {
            let module = &self.modules[at];
            let Some((path, name)) = module.imports.get(&symbol) else { return Ok((at, symbol)) };
            let found = self.modules.iter().enumerate().find(|(_, other)| other.path == *path);
            let exported = found.and_then(|(from, other)| Some((from, *other.exports.get(name)?)));
            (at, symbol) =
                exported.ok_or_else(|| format!("{}: {path} does not export `{name}`", module.path))?;
        }
        Err(format!("{}: modules import `{symbol:?}` from each other in a circle", self.modules[at].path))
    }

    /// Returns the statement with the exports of the entry.
    fn export(&self, names: &[Names<'a>], builder: &AstBuilder<'a>) -> Option<Statement<'a>> {
        let (entry, names) = (self.modules.last()?, names.last()?);
        let mut specifiers = ArenaVec::new_in(builder);
        for (exported, symbol) in &entry.exports {
            let exported = Ident::from_in(exported.as_str(), self.allocator);
            specifiers.push(ExportSpecifier::new(
                SPAN,
                ModuleExportName::new_identifier_reference(SPAN, names[symbol], builder),
                ModuleExportName::new_identifier_name(SPAN, exported, builder),
                ImportOrExportKind::Value,
                builder,
            ));
        }
        let value = ImportOrExportKind::Value;
        (!specifiers.is_empty())
            .then(|| Statement::new_export_named_declaration(SPAN, specifiers, value, builder))
    }
}
