//! `bindgen IN.wasm OUT_DIR`: writes `player_wasm.js`, `player_wasm.d.ts` and `player_wasm_bg.wasm`.
//!
//! This is `wasm-bindgen --target web` as a crate: pinned by Cargo.lock, nothing to download.

use std::env::args_os;
use std::path::Path;
use std::process::ExitCode;

use walrus::{FunctionBuilder, FunctionKind, Module};
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

/// Makes every panic a plain trap. The standard library comes compiled with the text of its panics, and
/// with everything that writes numbers and escapes strings for it: a tenth of what a page would download,
/// and nobody reads it there.
fn without_panic_messages(module: &mut Module) {
    // Parts of mangled names: formatting, what only panics call, and the panic handler.
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
