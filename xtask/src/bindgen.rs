//! `bindgen IN.wasm OUT_DIR`: writes `IN.js`, `IN.d.ts` and `IN_bg.wasm`.
//!
//! The same as `wasm-bindgen --target web`, as a crate: pinned by Cargo.lock, without a download.

use std::env::args_os;
use std::path::Path;
use std::process::ExitCode;

use walrus::ir::Value;
use walrus::{ConstExpr, DataKind, FunctionBuilder, FunctionKind, Module};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let mut args = args_os().skip(1);
    let (Some(input), Some(out)) = (args.next(), args.next()) else {
        eprintln!("usage: bindgen IN.wasm OUT_DIR");
        return ExitCode::from(2);
    };
    match generate(Path::new(&input), Path::new(&out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-bindgen: {error}");
            ExitCode::FAILURE
        }
    }
}

fn generate(input: &Path, out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let module = std::fs::read(input)?;
    let mut module = Module::from_buffer(&module)?;
    without_panic_messages(&mut module);
    without_panic_places(&mut module);
    let name = input.file_stem().and_then(|name| name.to_str()).ok_or("a module has a name")?;
    let mut bindgen = Bindgen::new();
    bindgen
        .input_module(name, module)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(false)
        .remove_name_section(true)
        .remove_producers_section(true);
    Ok(bindgen.generate(out)?)
}

/// Replaces every panic by a plain trap. The precompiled standard library contains the panic texts, and the
/// code to format numbers and strings for them: a tenth of the page's download, without a use there.
fn without_panic_messages(module: &mut Module) {
    // Parts of mangled names: formatting, functions that only panics call, and the panic handler.
    const PARTS: [&str; 5] = ["3fmt", "9panicking", "10slice_error", "16slice_error", "18panic_"];
    let silent: Vec<_> = module
        .funcs
        .iter()
        .filter(|function| matches!(function.kind, FunctionKind::Local(_)))
        .filter(|function| {
            function.name.as_ref().is_some_and(|name| PARTS.iter().any(|part| name.contains(part)))
        })
        .map(|function| (function.id(), function.ty()))
        .collect();
    for (id, ty) in silent {
        let (params, results) = (module.types.params(ty).to_vec(), module.types.results(ty).to_vec());
        let mut body = FunctionBuilder::new(&mut module.types, &params, &results);
        body.func_body().unreachable();
        let args = params.iter().map(|&param| module.locals.add(param)).collect();
        module.funcs.get_mut(id).kind = FunctionKind::Local(body.local_func(args));
    }
}

/// Clears the source locations of panics, which are not printed any more: zeros compress well.
///
/// A location is a pointer to a path, its length, a line and a column, four bytes each.
fn without_panic_places(module: &mut Module) {
    let segments: Vec<_> = module.data.iter().map(|data| data.id()).collect();
    for segment in segments {
        let data = module.data.get_mut(segment);
        let DataKind::Active { offset: ConstExpr::Value(Value::I32(base)), .. } = data.kind else { continue };
        let bytes = &mut data.value;
        let word = |bytes: &[u8], at: usize| {
            bytes.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize)
        };
        let mut blank = Vec::new();
        for at in (0..bytes.len().saturating_sub(15)).step_by(4) {
            let (Some(pointer), Some(length)) = (word(bytes, at), word(bytes, at + 4)) else { continue };
            let Some(start) = pointer.checked_sub(base as usize) else { continue };
            let path = start.checked_add(length).and_then(|end| bytes.get(start..end));
            let is_source = |path: &[u8]| path.ends_with(b".rs") && path.iter().all(u8::is_ascii_graphic);
            if path.is_some_and(is_source) {
                blank.push(at..at + 16);
                blank.push(start..start + length);
            }
        }
        blank.into_iter().for_each(|range| bytes[range].fill(0));
    }
}
