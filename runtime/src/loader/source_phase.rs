//! `import source x from "x.wasm"`. Workers give the `WebAssembly.Module` for it, as they
//! do for `import x from "x.wasm"`; deno_core gives sources of such modules alone whose
//! other imports are exports of an instance. So the word is blanked where V8 says that
//! it stands, and where a module of Wasm is meant: the one import becomes the other.

use std::collections::HashMap;

use deno_core::{JsRuntime, v8};

use super::{Wanted, resolve};
use crate::worker::{ModuleKind, Worker};

const WORD: &str = "source";
const BLANK: &str = "      ";

/// The modules of `worker` that have such imports, as they are to be compiled.
pub(super) fn without(runtime: &mut JsRuntime, worker: &Worker) -> HashMap<String, String> {
    let mut changed = HashMap::new();
    for (url, module) in &worker.modules {
        if module.kind != ModuleKind::EsModule {
            continue;
        }
        let Ok(text) = std::str::from_utf8(&module.content) else {
            continue;
        };
        let words = words(text);
        if words.is_empty() {
            continue;
        }
        deno_core::scope!(scope, runtime);
        let mut found = text.to_string();
        // V8 tells of the first alone of those that import the same.
        for _ in &words {
            let imports = imports(scope, url, &found);
            let wasm = imports
                .iter()
                .filter(|(_, name)| is_wasm(worker, url, name));
            let mut changed = false;
            for (offset, _) in wasm {
                let before = |word: &&usize| text[..**word].encode_utf16().count() <= *offset;
                if let Some(at) = words.iter().rev().find(before) {
                    found.replace_range(*at..at + WORD.len(), BLANK);
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        if found != text {
            changed.insert(url.clone(), found);
        }
    }
    changed
}

fn is_wasm(worker: &Worker, from: &str, specifier: &str) -> bool {
    let found = resolve(worker, specifier, from, Wanted::Import);
    let module = found.ok().and_then(|url| worker.modules.get(url.as_str()));
    module.is_some_and(|module| module.kind == ModuleKind::Wasm)
}

/// Where the word may stand behind an `import`, be it in a comment or a string.
fn words(text: &str) -> Vec<usize> {
    let mut words = Vec::new();
    for (at, import) in text.match_indices("import") {
        let rest = &text[at + import.len()..];
        let word = rest.trim_start();
        let after = word.strip_prefix(WORD);
        if word.len() < rest.len() && after.is_some_and(|it| it.starts_with(char::is_whitespace)) {
            words.push(text.len() - word.len());
        }
    }
    words
}

/// What a module's text imports so: where, in UTF-16, and what. Nothing of one that does
/// not compile, which is for whoever loads it to say.
fn imports(scope: &mut v8::PinScope<'_, '_>, url: &str, text: &str) -> Vec<(usize, String)> {
    v8::tc_scope!(let scope, scope);
    let compile = || {
        let name = v8::String::new(scope, url)?.into();
        let origin =
            v8::ScriptOrigin::new(scope, name, 0, 0, false, -1, None, false, false, true, None);
        let text = v8::String::new(scope, text)?;
        let mut source = v8::script_compiler::Source::new(text, Some(&origin));
        let module = v8::script_compiler::compile_module(scope, &mut source)?;
        let requests = module.get_module_requests();
        let mut found = Vec::new();
        for index in 0..requests.length() {
            let request = requests.get(scope, index)?;
            let request = v8::Local::<v8::ModuleRequest>::try_from(request).ok()?;
            if matches!(request.get_phase(), v8::ModuleImportPhase::kSource) {
                let offset = usize::try_from(request.get_source_offset()).ok()?;
                found.push((offset, request.get_specifier().to_rust_string_lossy(scope)));
            }
        }
        Some(found)
    };
    compile().unwrap_or_default()
}
