//! What the scripts of `node:` modules ask of the host. Nothing here reaches
//! outside the isolate: no file, process, environment or socket.

use std::rc::Rc;

use deno_core::convert::Uint8Array;
use deno_core::{OpState, op2};
use deno_error::JsErrorBox;

use super::Shared;

pub(crate) mod buffer;
pub(crate) mod cipher;
pub(crate) mod idna;
pub(crate) mod inspect;
pub(crate) mod zlib;

/// The worker's variables as JSON, for `process.env`.
#[op2]
#[string]
pub(crate) fn op_node_env(state: &mut OpState) -> String {
    let worker = state.borrow::<Rc<Shared>>().worker();
    worker.map_or_else(|| "{}".into(), |worker| worker.env.clone())
}

/// Names and sizes of the worker's modules by turns, for `/bundle` of `node:fs`.
#[op2]
#[serde]
pub(crate) fn op_node_bundle_names(state: &mut OpState) -> Vec<(String, u32)> {
    let Some(worker) = state.borrow::<Rc<Shared>>().worker() else {
        return Vec::new();
    };
    let mut names: Vec<_> = worker.modules.values().collect();
    names.sort_by(|one, other| one.specifier.cmp(&other.specifier));
    names
        .into_iter()
        .map(|module| {
            let name = module.specifier.trim_start_matches("./");
            let size = u32::try_from(module.content.len()).unwrap_or(u32::MAX);
            (name.to_owned(), size)
        })
        .collect()
}

/// The bytes of a module.
#[op2]
pub(crate) fn op_node_bundle_read(
    state: &mut OpState,
    #[string] name: &str,
) -> Result<Uint8Array, JsErrorBox> {
    let worker = state.borrow::<Rc<Shared>>().worker();
    worker
        .and_then(|worker| {
            let modules = worker.modules.values();
            modules
                .into_iter()
                .find(|module| module.specifier.trim_start_matches("./") == name)
                .map(|module| module.content.clone().into())
        })
        .ok_or_else(|| JsErrorBox::generic(format!("no module is called {name:?}")))
}
