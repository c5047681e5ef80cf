//! Prepares the syntax tree of a module for being joined with others.

use oxc_allocator::{Allocator, FromIn};
use oxc_ast::ast::{BindingIdentifier, IdentifierReference, StringLiteral};
use oxc_ast_visit::VisitMut;
use oxc_semantic::Scoping;
use oxc_span::Span;
use oxc_str::Str;

use crate::module::{Module, Names, Result};
use crate::published::{is_reference, published, resolve};

/// Renames symbols, moves positions, and replaces relative paths by published files.
pub(crate) struct Rewrite<'a, 'm> {
    allocator: &'a Allocator,
    path: &'m str,
    scoping: &'m Scoping,
    names: &'m Names<'a>,
    /// Number of bytes of source text before this module.
    offset: u32,
    wrong: Option<String>,
}

impl<'a> Rewrite<'a, '_> {
    /// Rewrites a module with its comments. Fails if it refers to a file that the package does not have.
    pub(crate) fn apply(
        allocator: &'a Allocator,
        module: &mut Module<'a>,
        names: &Names<'a>,
        offset: u32,
    ) -> Result<()> {
        let Module { path, program, scoping, .. } = module;
        let mut rewrite = Rewrite { allocator, path, scoping, names, offset, wrong: None };
        rewrite.visit_program(program);
        for comment in &mut program.comments {
            comment.span = comment.span.move_right(offset);
            comment.attached_to += offset;
        }
        rewrite.wrong.map_or(Ok(()), Err)
    }
}

impl<'a> VisitMut<'a> for Rewrite<'a, '_> {
    fn visit_span(&mut self, span: &mut Span) {
        *span = span.move_right(self.offset);
    }

    fn visit_binding_identifier(&mut self, binding: &mut BindingIdentifier<'a>) {
        if let Some(&name) = self.names.get(&binding.symbol_id()) {
            binding.name = name;
        }
        self.visit_span(&mut binding.span);
    }

    fn visit_identifier_reference(&mut self, reference: &mut IdentifierReference<'a>) {
        let symbol = self.scoping.get_reference(reference.reference_id()).symbol_id();
        if let Some(&name) = symbol.and_then(|symbol| self.names.get(&symbol)) {
            reference.name = name;
        }
        self.visit_span(&mut reference.span);
    }

    fn visit_string_literal(&mut self, text: &mut StringLiteral<'a>) {
        if is_reference(&text.value) {
            match published(&resolve(self.path, &text.value)) {
                Some(name) => {
                    text.value = Str::from_in(format!("./{name}").as_str(), self.allocator);
                    text.raw = None;
                }
                None => self.wrong = Some(format!("{}: {} is no file of the package", self.path, text.value)),
            }
        }
        self.visit_span(&mut text.span);
    }
}
