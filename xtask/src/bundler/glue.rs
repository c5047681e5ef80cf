//! Removes unused code from wasm-bindgen's script.

use oxc_allocator::ArenaVec;
use oxc_ast::ast::{ExportNamedDeclaration, Program, Statement};
use oxc_ast_visit::{VisitMut, walk_mut};
use oxc_span::GetSpan;

/// Beginnings of the statements that are removed: disposal, warnings, and checks for features that every browser with
/// WebAssembly has.
const UNUSED: [&str; 4] = [
    "console.warn(",
    "if (Symbol.dispose)",
    "if (!('encodeInto' in cachedTextEncoder))",
    "if (realloc === undefined)",
];

/// The export of the synchronous start. Without it the minifier drops the function.
const UNUSED_EXPORT: &str = "initSync";

/// Removes the statements and the export.
pub(crate) fn remove_unused(program: &mut Program<'_>) {
    let source = program.source_text;
    Unused { source }.visit_program(program);
}

struct Unused<'a> {
    source: &'a str,
}

impl<'a> VisitMut<'a> for Unused<'a> {
    fn visit_statements(&mut self, statements: &mut ArenaVec<'a, Statement<'a>>) {
        statements.retain(|statement| {
            let text = statement.span().source_text(self.source);
            !UNUSED.iter().any(|start| text.starts_with(start))
        });
        walk_mut::walk_statements(self, statements);
    }

    fn visit_export_named_declaration(&mut self, export: &mut ExportNamedDeclaration<'a>) {
        export.specifiers.retain(|one| one.exported.name() != UNUSED_EXPORT);
    }
}
