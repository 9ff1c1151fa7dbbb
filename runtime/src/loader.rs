//! A worker's modules, as deno_core asks for them. Nothing outside the bundle
//! can be imported.

mod source_phase;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use deno_core::{
    JsRuntime, ModuleLoadOptions, ModuleLoadReferrer, ModuleLoadResponse, ModuleLoader,
    ModuleResolveResponse, ModuleSource, ModuleSourceCode, ModuleSpecifier, ModuleType,
    RequestedModuleType, ResolutionKind, SourceCodeCacheInfo,
};
use deno_error::JsErrorBox;
use parking_lot::Mutex;

use crate::extension::NODE_MODULES;
use crate::inspector::Inspection;
use crate::node_compat;
use crate::worker::{Module, ModuleKind, Worker, module_base, module_url};

/// The scheme of the runtime's own scripts.
const OWN: &str = "ext";

/// The compiled form of the runtime's lazy scripts, for all isolates of the
/// process: the first that wants one compiles it for the others.
static OWN_CODE: LazyLock<Mutex<HashMap<String, &'static [u8]>>> = LazyLock::new(Mutex::default);

/// Modules that the runtime itself offers, by the specifier scripts use.
const BUILT_IN: &[&str] = &[
    "cloudflare:email",
    "cloudflare:sockets",
    "cloudflare:workers",
    "cloudflare:workflows",
    "outboard:modules",
];

/// Before one of them: a module that hands out its namespace (js/modules.js).
const NAMESPACE: &str = "outboard:namespace/";

/// Servers of `node:http`, for workers that have them.
const NODE_SERVERS: &str = "cloudflare:node";

/// What ends objects at will, for the tests of a workerd configuration.
const TEST_MODULE: &str = "workerd:unsafe";

/// Who asks for a module, which errors tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Import,
    /// The stack says where.
    Dynamic,
    /// The stack says where.
    Require,
}

/// Finds the module that `specifier` means in the module `referrer`.
pub(crate) fn resolve(
    worker: &Worker,
    specifier: &str,
    referrer: &str,
    wanted: Wanted,
) -> Result<ModuleSpecifier, JsErrorBox> {
    let importer = || {
        let base = module_base(&worker.compatibility);
        let referrer = referrer.strip_prefix(base).unwrap_or(referrer);
        format!("\n  imported from \"{referrer}\"")
    };
    let from = || match wanted {
        Wanted::Require | Wanted::Dynamic => String::new(),
        Wanted::Import => importer(),
    };
    let missing = || JsErrorBox::generic(format!("No such module \"{specifier}\".{}", from()));
    let found = find(worker, specifier, referrer, wanted, &importer, &missing)?;
    if worker.may_import(found.as_str(), referrer) {
        Ok(found)
    } else {
        Err(missing())
    }
}

fn find(
    worker: &Worker,
    specifier: &str,
    referrer: &str,
    wanted: Wanted,
    importer: &dyn Fn() -> String,
    missing: &dyn Fn() -> JsErrorBox,
) -> Result<ModuleSpecifier, JsErrorBox> {
    let bundle = module_base(&worker.compatibility);
    if ModuleSpecifier::parse(specifier).is_ok()
        && let Some(url) = module_url(bundle, specifier)
        && worker.modules.contains_key(url.as_str())
    {
        return Ok(url);
    }
    // A module of the bundle goes before one of Node's with the same name.
    let base = ModuleSpecifier::parse(referrer).ok();
    if !specifier.starts_with('.')
        && let Some(url) = base.as_ref().and_then(|base| base.join(specifier).ok())
        && let Some(module) = worker.modules.get(url.as_str())
        && (module.kind != ModuleKind::ServiceWorker || wanted != Wanted::Require)
    {
        return Ok(url);
    }
    // Asked for by the runtime's own scripts, which no module's URL is before.
    let namespace = specifier.strip_prefix(NAMESPACE).filter(|_| base.is_none());
    if BUILT_IN.contains(&namespace.unwrap_or(specifier)) {
        return ModuleSpecifier::parse(specifier).map_err(JsErrorBox::from_err);
    }
    if specifier == NODE_SERVERS && node_compat::has_servers(&worker.compatibility) {
        return ModuleSpecifier::parse(specifier).map_err(JsErrorBox::from_err);
    }
    if specifier == TEST_MODULE && worker.test_module {
        return ModuleSpecifier::parse(specifier).map_err(JsErrorBox::from_err);
    }
    if let Some(module) = node_compat::module(&worker.compatibility, specifier, NODE_MODULES) {
        return ModuleSpecifier::parse(module).map_err(JsErrorBox::from_err);
    }
    // Bundles name their modules by path. The main module has no referrer;
    // its specifier is whole.
    if let Some(base) = &base
        && leaves_bundle(bundle, base, specifier)
    {
        // What a module imported at run time imports itself has no stack.
        let from = match wanted {
            Wanted::Require => String::new(),
            Wanted::Dynamic | Wanted::Import => format!("{}.", importer()),
        };
        return Err(JsErrorBox::type_error(format!(
            "Invalid module specifier \"{specifier}\".{from}"
        )));
    }
    let url = match base {
        Some(base) => base.join(specifier),
        None => ModuleSpecifier::parse(specifier),
    }
    .map_err(|_| missing())?;
    if url.as_str().starts_with(bundle)
        && let Some(module) = worker.modules.get(url.as_str())
        && (module.kind != ModuleKind::ServiceWorker || wanted != Wanted::Require)
    {
        return Ok(url);
    }
    Err(missing())
}

/// Whether a relative path leads out of the bundle's root; a URL would stop there.
fn leaves_bundle(bundle: &str, base: &ModuleSpecifier, specifier: &str) -> bool {
    if !specifier.starts_with("..") {
        return false;
    }
    let folders = base
        .as_str()
        .strip_prefix(bundle)
        .map_or(0, |path| path.matches('/').count());
    let mut depth = folders as isize;
    for part in specifier.split('/') {
        match part {
            ".." => depth -= 1,
            "." | "" => {}
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

/// Readies what of a worker's modules is not compiled as it is, once for all isolates.
pub(crate) fn prepare(runtime: &mut JsRuntime, worker: &Worker) {
    worker
        .changed
        .get_or_init(|| source_phase::without(runtime, worker));
}

/// Empty until a worker is attached: a ready isolate can import nothing.
pub(crate) struct BundleLoader {
    worker: OnceCell<Arc<Worker>>,
    /// Scripts carry their source maps, for debuggers.
    maps: bool,
}

impl BundleLoader {
    pub(crate) fn new(inspection: &Inspection) -> Self {
        Self {
            worker: OnceCell::new(),
            maps: inspection.is_on(),
        }
    }

    /// Gives the isolate its worker; a second one is ignored.
    pub(crate) fn attach(&self, worker: Arc<Worker>) {
        worker.starts.fetch_add(1, Ordering::Relaxed);
        let _ = self.worker.set(worker);
    }

    /// The compiled form of a module, or a wish for it. The first isolate of a
    /// version has no wish: making it takes as long as starting, and a version
    /// that is started once has no use for it.
    fn code_cache(&self, specifier: &ModuleSpecifier) -> Option<SourceCodeCacheInfo> {
        let worker = self.worker.get()?;
        if worker.starts.load(Ordering::Relaxed) < 2 {
            return None;
        }
        let cache = worker.code_cache.lock();
        Some(SourceCodeCacheInfo {
            // A version's bytes never change, so the specifier is key enough.
            hash: 0,
            data: cache
                .get(specifier.as_str())
                .map(|data| Cow::Owned(data.to_vec())),
        })
    }

    fn module(&self, url: &str) -> Option<&Module> {
        self.worker.get()?.modules.get(url)
    }
}

impl ModuleLoader for BundleLoader {
    fn resolve(
        &self,
        specifier: &str,
        referrer: &str,
        kind: ResolutionKind,
    ) -> ModuleResolveResponse {
        let Some(worker) = self.worker.get() else {
            return Err(JsErrorBox::generic("there is no worker"));
        };
        let wanted = match kind {
            ResolutionKind::DynamicImport => Wanted::Dynamic,
            _ => Wanted::Import,
        };
        resolve(worker, specifier, referrer, wanted)
    }

    fn load(
        &self,
        specifier: &ModuleSpecifier,
        _referrer: Option<&ModuleLoadReferrer>,
        options: ModuleLoadOptions,
    ) -> ModuleLoadResponse {
        ModuleLoadResponse::Sync(self.source(specifier, &options.requested_module_type))
    }

    fn code_cache_ready(
        &self,
        specifier: ModuleSpecifier,
        _hash: u64,
        code_cache: &[u8],
    ) -> Pin<Box<dyn Future<Output = ()>>> {
        if specifier.scheme() == OWN {
            OWN_CODE
                .lock()
                .entry(specifier.into())
                // The scripts are a few dozen, and each is compiled once.
                .or_insert_with(|| Box::leak(code_cache.into()));
        } else if let Some(worker) = self.worker.get() {
            worker
                .code_cache
                .lock()
                .entry(specifier.into())
                .or_insert_with(|| code_cache.into());
        }
        Box::pin(std::future::ready(()))
    }

    fn get_code_cache(
        &self,
        specifier: &ModuleSpecifier,
        _source: &str,
    ) -> Option<SourceCodeCacheInfo> {
        let code = OWN_CODE.lock().get(specifier.as_str()).copied();
        (specifier.scheme() == OWN).then(|| SourceCodeCacheInfo {
            // The sources are part of this program.
            hash: 0,
            data: code.map(Cow::Borrowed),
        })
    }

    fn get_source_map(&self, file_name: &str) -> Option<Cow<'_, [u8]>> {
        let map = self.module(file_name)?.source_map.as_deref()?;
        Some(Cow::Borrowed(map))
    }

    fn source_map_source_exists(&self, _source_url: &str) -> Option<bool> {
        // Maps name the author's files, which are not here: names are enough.
        Some(true)
    }
}

impl BundleLoader {
    /// A debugger learns of a source map by the script's last line, and has no
    /// way to fetch one from here: so the map is in the line.
    fn with_map(&self, module: &Module, mut code: String) -> String {
        if let Some(map) = module.source_map.as_deref().filter(|_| self.maps) {
            code.push_str("\n//# sourceMappingURL=data:application/json;base64,");
            BASE64_STANDARD.encode_string(map, &mut code);
        }
        code
    }

    fn source(
        &self,
        specifier: &ModuleSpecifier,
        requested: &RequestedModuleType,
    ) -> Result<ModuleSource, JsErrorBox> {
        if let Some(name) = specifier.as_str().strip_prefix(NAMESPACE) {
            let code = format!("import * as namespace from {name:?}; export {{ namespace }};");
            let code = ModuleSourceCode::String(code.into());
            return Ok(ModuleSource::new(
                ModuleType::JavaScript,
                code,
                specifier,
                None,
            ));
        }
        let missing = || JsErrorBox::generic(format!("No such module \"{}\".", specifier.path()));
        let module = self.module(specifier.as_str()).ok_or_else(missing)?;
        // UTF-8 was checked when the worker was made.
        let text = || {
            let changed = self.worker.get().and_then(|worker| worker.changed.get());
            match changed.and_then(|changed| changed.get(specifier.as_str())) {
                Some(text) => text.clone(),
                None => String::from_utf8_lossy(&module.content).into_owned(),
            }
        };
        let (kind, code) = match (module.kind, requested) {
            (ModuleKind::EsModule, _) => (ModuleType::JavaScript, self.with_map(module, text())),
            (ModuleKind::Json, RequestedModuleType::Json) => (ModuleType::Json, text()),
            (ModuleKind::Text, RequestedModuleType::Text) => (ModuleType::Text, text()),
            (ModuleKind::CommonJs, RequestedModuleType::None) => {
                (ModuleType::JavaScript, common_js(module, specifier))
            }
            // A value module imported without an attribute, as Workers do.
            (_, RequestedModuleType::None) => (
                ModuleType::JavaScript,
                format!(
                    "import {{ moduleValue }} from \"outboard:modules\";\n\
                     export default moduleValue({:?});",
                    specifier.as_str()
                ),
            ),
            (kind, requested) => {
                return Err(JsErrorBox::type_error(format!(
                    "module \"{}\" is {kind:?}, not {requested}",
                    module.specifier
                )));
            }
        };
        let code_cache = match kind {
            ModuleType::JavaScript => self.code_cache(specifier),
            _ => None,
        };
        // By its name the engine finds what is imported statically, and Node's
        // own where nothing has it.
        let found = node_name(specifier).unwrap_or_else(|| specifier.clone());
        Ok(ModuleSource::new_with_redirect(
            kind,
            ModuleSourceCode::String(code.into()),
            specifier,
            &found,
            code_cache,
        ))
    }
}

/// The name of one of Node's modules that a module of the bundle has.
fn node_name(url: &ModuleSpecifier) -> Option<ModuleSpecifier> {
    let (_, name) = url.as_str().split_once("/node:")?;
    ModuleSpecifier::parse(&format!("node:{name}")).ok()
}

/// An ES module that runs a CommonJS one and exports what it leaves.
fn common_js(module: &Module, specifier: &ModuleSpecifier) -> String {
    let mut code = format!(
        "import {{ commonJs }} from \"outboard:modules\";\n\
         const exports = commonJs({:?});\nexport default exports;\n",
        specifier.as_str()
    );
    let names = module.named_exports.iter();
    for (number, name) in names.filter(|name| *name != "default").enumerate() {
        // JSON is a subset of the language's strings.
        let name = serde_json::Value::from(name.as_str());
        code +=
            &format!("const e{number} = exports?.[{name}];\nexport {{ e{number} as {name} }};\n");
    }
    code
}
