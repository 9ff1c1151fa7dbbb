//! A worker's part of the configuration.

use crate::binding::{self, Binding};
use crate::check::{self, Faults, Fields};
use crate::config::{Designator, INTERNET, designator};
use crate::durable_objects::{self, DurableObjects, DurableStorage};
use crate::value::Value;

/// A script with its bindings.
#[derive(Debug)]
pub struct WorkerConfig {
    /// Where it is: `services[0].worker`.
    pub path: String,
    pub source: Source,
    /// `2026-01-31`; None where it is to come from the command line.
    pub compatibility_date: Option<String>,
    pub compatibility_flags: Vec<String>,
    pub bindings: Vec<Binding>,
    /// Where its `fetch()` goes.
    pub global_outbound: Designator,
    /// Where its Cache API goes, if anywhere.
    pub cache_outbound: Option<Designator>,
    /// The classes whose objects it has.
    pub durable_objects: Vec<DurableObjects>,
    /// Where these objects store.
    pub durable_storage: DurableStorage,
    /// Who is told of its events after them.
    pub tails: Vec<Designator>,
    /// Who is told of its events while they go on.
    pub streaming_tails: Vec<Designator>,
}

/// What a worker's code is.
#[derive(Debug)]
pub enum Source {
    /// ES modules and what they import; the first one is the main one.
    Modules(Vec<Module>),
    /// One script that calls `addEventListener()`.
    Script(String),
}

/// One module.
#[derive(Debug)]
pub struct Module {
    /// Where it is: `services[0].worker.modules[1].esModule`.
    pub path: String,
    /// The name it is imported by.
    pub name: String,
    pub kind: ModuleKind,
    pub content: Vec<u8>,
    /// Of a CommonJS module: what importers may name.
    pub named_exports: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleKind {
    EsModule,
    CommonJs,
    Text,
    Data,
    Wasm,
    Json,
}

impl WorkerConfig {
    /// Every service it refers to, with the path of the reference.
    pub(crate) fn for_each_designator(&self, mut f: impl FnMut(&str, &Designator)) {
        let path = &self.path;
        f(&format!("{path}.globalOutbound"), &self.global_outbound);
        if let Some(cache) = &self.cache_outbound {
            f(&format!("{path}.cacheApiOutbound"), cache);
        }
        let tails = [
            ("tails", &self.tails),
            ("streamingTails", &self.streaming_tails),
        ];
        for (field, list) in tails {
            for (index, tail) in list.iter().enumerate() {
                f(&format!("{path}.{field}[{index}]"), tail);
            }
        }
        for binding in &self.bindings {
            if let Some((place, service)) = binding.designator() {
                f(&format!("{}.{place}", binding.path), service);
            }
        }
    }
}

pub(crate) fn worker(path: &str, value: Value, faults: &mut Faults) -> WorkerConfig {
    let mut fields = Fields::new(path, value, None, faults);
    let source = match fields.union(&["modules", "serviceWorkerScript", "inherit"], faults) {
        Some(("modules", value)) => {
            let path = fields.child("modules");
            let modules = check::list(&path, value, faults, module);
            if modules.is_empty() {
                faults.invalid(&path, "there is none");
            }
            Source::Modules(modules)
        }
        Some(("serviceWorkerScript", value)) => {
            let path = fields.child("serviceWorkerScript");
            Source::Script(check::text(&path, value, faults).unwrap_or_default())
        }
        Some(_) => {
            faults.not_offered(&fields.child("inherit"), "a worker that inherits is");
            Source::Modules(Vec::new())
        }
        None => {
            faults.invalid(path, "says none of modules, serviceWorkerScript, inherit");
            Source::Modules(Vec::new())
        }
    };
    let durable_objects = durable_objects::namespaces(&mut fields, faults);
    let durable_storage = durable_objects::storage(&mut fields, &durable_objects, faults);
    let worker = WorkerConfig {
        path: path.to_string(),
        source,
        compatibility_date: fields
            .text("compatibilityDate", faults)
            .filter(|date| !date.is_empty()),
        compatibility_flags: fields.texts("compatibilityFlags", faults),
        bindings: fields.list("bindings", faults, binding::binding),
        global_outbound: match fields.take("globalOutbound") {
            Some(value) => designator(&fields.child("globalOutbound"), value, faults),
            None => Designator {
                name: INTERNET.into(),
                ..Designator::default()
            },
        },
        cache_outbound: fields
            .take("cacheApiOutbound")
            .map(|value| designator(&fields.child("cacheApiOutbound"), value, faults)),
        durable_objects,
        durable_storage,
        tails: tails(&mut fields, "tails", faults),
        streaming_tails: tails(&mut fields, "streamingTails", faults),
    };
    // It matters to containers, which are refused where they are asked for.
    fields.ignore(&["containerEngine"]);
    fields.refuse(
        &[
            "durableObjectUniqueKeyModifier",
            "moduleFallback",
            "accessBlobHeader",
            "accessBindingService",
        ],
        faults,
    );
    fields.end(faults);
    worker
}

fn tails(fields: &mut Fields, name: &str, faults: &mut Faults) -> Vec<Designator> {
    fields.list(name, faults, |path, value, faults| {
        Some(designator(path, value, faults))
    })
}

fn module(path: &str, value: Value, faults: &mut Faults) -> Option<Module> {
    let mut fields = Fields::new(path, value, None, faults);
    let name = fields.required("name", faults);
    let kinds = [
        "esModule",
        "commonJsModule",
        "text",
        "data",
        "wasm",
        "json",
        "pythonModule",
        "obsolete",
        "obsoletePythonRequirement",
    ];
    let chosen = fields.union(&kinds, faults);
    let named_exports = fields.texts("namedExports", faults);
    fields.end(faults);
    let (member, value) = match chosen {
        Some(chosen) => chosen,
        None => {
            faults.invalid(path, "says no kind of module");
            return None;
        }
    };
    let path = format!("{path}.{member}");
    let kind = match member {
        "esModule" => ModuleKind::EsModule,
        "commonJsModule" => ModuleKind::CommonJs,
        "text" => ModuleKind::Text,
        "data" => ModuleKind::Data,
        "wasm" => ModuleKind::Wasm,
        "json" => ModuleKind::Json,
        "pythonModule" => {
            faults.not_offered(&path, "Python is");
            return None;
        }
        _ => {
            faults.invalid(&path, "this kind of module is obsolete");
            return None;
        }
    };
    let content = match kind {
        ModuleKind::Data | ModuleKind::Wasm => check::bytes(&path, value, faults)?,
        _ => check::text(&path, value, faults)?.into_bytes(),
    };
    Some(Module {
        path,
        name,
        kind,
        content,
        named_exports,
    })
}
