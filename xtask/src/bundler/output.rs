//! Writes programs as text: minified for pages, or readable for development.

use oxc_allocator::Allocator;
use oxc_ast::ast::Program;
use oxc_codegen::{Codegen, CodegenOptions, CommentOptions};
use oxc_compat::EngineTargets;
use oxc_minifier::{CompressOptions, MangleOptions, Minifier, MinifierOptions};
use oxc_sourcemap::SourceMapBuilder;

use crate::join::Joined;
use crate::module::Result;

/// The minifier may use syntax up to this edition. Syntax in the sources is not converted.
const TARGET: &str = "es2022";

/// Returns a minified program. Local and private names become short; names of properties do not change.
pub(crate) fn minified<'a>(allocator: &'a Allocator, program: &mut Program<'a>) -> Result<String> {
    let compress =
        CompressOptions { target: EngineTargets::from_target(TARGET)?, ..CompressOptions::smallest() };
    let options = MinifierOptions {
        mangle: Some(MangleOptions::default()),
        mangle_properties: None,
        compress: Some(compress),
    };
    let done = Minifier::new(options).minify(allocator, program);
    // Annotations tell bundlers which imports they must ignore.
    let comments = CommentOptions { annotation: true, ..CommentOptions::disabled() };
    let mut code = Codegen::new()
        .with_options(CodegenOptions { comments, ..CodegenOptions::minify() })
        .with_scoping(done.scoping)
        .with_private_member_mappings(done.class_private_mappings)
        .build(program)
        .code;
    code.push('\n');
    Ok(code)
}

/// Returns a script for debugging: the code of `joined`, and its source map for the files in `player-wasm/js`.
/// `file` is the published name.
pub(crate) fn readable(joined: &Joined<'_>, file: &str) -> (String, String) {
    let written = Codegen::new()
        .with_options(CodegenOptions {
            single_quote: true,
            source_map_path: Some(file.into()),
            ..Default::default()
        })
        .build(&joined.program);
    let mut map = SourceMapBuilder::default();
    map.set_file(file);
    for source in &joined.sources {
        map.set_source_and_content(&source.path, source.text);
    }
    // Convert a position in the joined source to a position in its module.
    for token in written.map.iter().flat_map(|map| map.get_tokens()) {
        let line = token.get_src_line();
        let at = joined.sources.partition_point(|source| source.first_line <= line).saturating_sub(1);
        let line = line - joined.sources[at].first_line;
        let source = u32::try_from(at).ok();
        map.add_token(token.get_dst_line(), token.get_dst_col(), line, token.get_src_col(), source, None);
    }
    let code = format!("{}\n//# sourceMappingURL={file}.map\n", written.code);
    (code, map.into_sourcemap().to_json_string())
}
