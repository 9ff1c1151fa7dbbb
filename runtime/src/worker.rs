//! A worker: one immutable script version with its variables and limits.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use deno_core::url::Url;
use outboard_compatibility::{Compatibility, Flag};
use parking_lot::Mutex;

use crate::binding::{Binding, ServiceTarget};
use crate::dynamic::Loaded;
use crate::limits::Limits;
use crate::object::ObjectNamespace;
use crate::trace::{TailTarget, Tails};

/// What a module's bytes are, and so what importing it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleKind {
    /// An ES module.
    EsModule,
    /// `default` is what it leaves in `module.exports`; others can `require` it.
    CommonJs,
    /// A classic script that listens for `fetch` and other events, with `env` as
    /// globals. It is the main module, and no other can import it.
    ServiceWorker,
    /// `default` is the text.
    Text,
    /// `default` is an ArrayBuffer.
    Data,
    /// `default` is the parsed value.
    Json,
    /// `default` is a `WebAssembly.Module`.
    Wasm,
}

impl ModuleKind {
    /// Whether its content is code.
    pub(crate) fn is_script(self) -> bool {
        matches!(self, Self::EsModule | Self::CommonJs | Self::ServiceWorker)
    }
}

/// One module of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its path in the bundle, `index.js`; imports are resolved against it.
    pub specifier: String,
    pub kind: ModuleKind,
    pub content: Vec<u8>,
    /// What of a CommonJS module's exports can be imported by name.
    pub named_exports: Vec<String>,
    /// A source map (revision 3 JSON) for stack traces.
    pub source_map: Option<Vec<u8>>,
}

/// Who may import a module of the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Anyone,
    /// Other modules of the host's alone.
    Extensions,
}

/// What a worker's script sees of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScriptClock {
    /// The time at which the turn began: a script cannot time what it shares the
    /// machine with.
    #[default]
    Still,
    /// The machine's clock, as workerd shows it where it runs by itself.
    Running,
}

/// What a [`Worker`] is made from.
#[derive(Debug, Clone, Default)]
pub struct WorkerSpec {
    pub name: String,
    /// The specifier of the module whose default export has the handlers.
    pub main: String,
    pub modules: Vec<Module>,
    /// What the host offers it to import besides, by absolute names; a module of its
    /// own with such a name goes before.
    pub extensions: Vec<(Module, Reach)>,
    /// `env`: a JSON object.
    pub env: serde_json::Map<String, serde_json::Value>,
    /// What else `env` holds, by name; one of a name in `env` replaces it.
    pub bindings: Vec<(String, Binding)>,
    /// Its own classes of objects, so that `ctx.exports` has also those that nothing
    /// is bound to.
    pub classes: Vec<Arc<ObjectNamespace>>,
    /// Where `fetch()` goes; None: to the host's network.
    pub outbound: Option<Arc<ServiceTarget>>,
    pub limits: Limits,
    pub objects: ObjectIsolation,
    /// It may import `workerd:unsafe`, which ends objects at will.
    pub test_module: bool,
    /// Its tests are run: it has what nobody but tests asks for.
    pub is_tested: bool,
    /// Its date and flags, and so how it behaves.
    pub compatibility: Compatibility,
    pub clock: ScriptClock,
    /// Of one that another worker's script loads.
    pub loaded: Option<Arc<Loaded>>,
    /// Who hears what its events do.
    pub tails: Option<Arc<Tails>>,
}

/// What objects of a worker share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ObjectIsolation {
    /// Those on one lane have an isolate together, as Workers have it.
    #[default]
    Shared,
    /// Nothing: each has an isolate, on a lane of its own while there are such.
    Each,
}

/// A script version, shared by all lanes. Never changes: a new version is a
/// new `Worker`.
pub struct Worker {
    /// A lane has one isolate for each.
    pub(crate) id: WorkerId,
    script: Arc<Script>,
}

impl Deref for Worker {
    type Target = Script;

    fn deref(&self) -> &Script {
        &self.script
    }
}

/// What all isolates of a version have.
pub struct Script {
    pub(crate) name: String,
    pub(crate) main: Url,
    pub(crate) modules: HashMap<String, Module>,
    /// Those of `modules` that are the host's, and who may import them.
    extensions: HashMap<String, Reach>,
    pub(crate) env: String,
    /// Those of `env`, and after them its classes that `env` has not.
    pub(crate) bindings: Vec<(String, Binding)>,
    /// How many of them `env` has.
    pub(crate) named: usize,
    pub(crate) outbound: Option<Arc<ServiceTarget>>,
    pub(crate) limits: Limits,
    pub(crate) objects: ObjectIsolation,
    pub(crate) test_module: bool,
    pub(crate) is_tested: bool,
    pub(crate) compatibility: Compatibility,
    pub(crate) clock: ScriptClock,
    pub(crate) loaded: Option<Arc<Loaded>>,
    pub(crate) tails: Option<Arc<Tails>>,
    /// Isolates of this version that were started.
    pub(crate) starts: AtomicU64,
    /// Those of `modules` that are compiled from another text than theirs.
    pub(crate) changed: OnceLock<HashMap<String, String>>,
    /// V8's compiled form of each module, made by the second isolate.
    pub(crate) code_cache: Mutex<HashMap<String, Arc<[u8]>>>,
}

/// A number no other version in this process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct WorkerId(u64);

/// A [`WorkerSpec`] that makes no worker.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WorkerError {
    #[error("main: no module is called {0:?}")]
    NoMain(String),
    #[error("modules: {0:?} is there twice")]
    Twice(String),
    #[error("modules: {0:?} is no relative path")]
    BadSpecifier(String),
    #[error("modules: {0:?} is not UTF-8")]
    NotUtf8(String),
    #[error("modules: {0:?} is a service worker's script, and not the main one")]
    NotMain(String),
}

/// The base that module paths are resolved against; only stack traces and
/// `import.meta.url` show it.
pub(crate) const BASE: &str = "worker:///";
/// The same by the flag `new_module_registry`.
const BUNDLE: &str = "file:///bundle/";

/// Schemes of what is not in a bundle. Others name modules of it: one called
/// `node:fs` takes that module's place.
const FOREIGN: &[&str] = &["blob", "data", "ext", "file", "http", "https", "outboard"];

/// The URL of a module path inside a worker. One that is named as one of Node's
/// has a URL of its own: by its name the engine knows Node's.
pub(crate) fn module_url(base: &str, specifier: &str) -> Option<Url> {
    let url = Url::parse(base).ok()?.join(specifier).ok()?;
    if url.scheme() == "node" {
        return Url::parse(&format!("{base}{specifier}")).ok();
    }
    Some(url)
}

/// What the URLs of a worker's modules begin with.
pub(crate) fn module_base(compatibility: &Compatibility) -> &'static str {
    if compatibility.has(Flag::NewModuleRegistry) {
        BUNDLE
    } else {
        BASE
    }
}

impl Worker {
    /// Checks a spec. The script is not compiled here: that needs an isolate.
    pub fn new(spec: WorkerSpec) -> Result<Arc<Self>, WorkerError> {
        let mut modules = HashMap::with_capacity(spec.modules.len());
        let base = module_base(&spec.compatibility);
        for module in spec.modules {
            let url = module_url(base, &module.specifier)
                .filter(|url| url.as_str().starts_with(base) || !FOREIGN.contains(&url.scheme()))
                .ok_or_else(|| WorkerError::BadSpecifier(module.specifier.clone()))?;
            let text = !matches!(module.kind, ModuleKind::Data | ModuleKind::Wasm);
            if text && std::str::from_utf8(&module.content).is_err() {
                return Err(WorkerError::NotUtf8(module.specifier));
            }
            if module.kind == ModuleKind::ServiceWorker
                && module_url(base, &spec.main).as_ref() != Some(&url)
            {
                return Err(WorkerError::NotMain(module.specifier));
            }
            let specifier = module.specifier.clone();
            if modules.insert(url.to_string(), module).is_some() {
                return Err(WorkerError::Twice(specifier));
            }
        }
        let main = module_url(base, &spec.main)
            .filter(|url| {
                modules
                    .get(url.as_str())
                    .is_some_and(|module| module.kind.is_script())
            })
            .ok_or(WorkerError::NoMain(spec.main))?;
        let mut extensions = HashMap::new();
        for (module, reach) in spec.extensions {
            let url = module_url(base, &module.specifier)
                .ok_or_else(|| WorkerError::BadSpecifier(module.specifier.clone()))?;
            if std::str::from_utf8(&module.content).is_err() {
                return Err(WorkerError::NotUtf8(module.specifier));
            }
            if !modules.contains_key(url.as_str()) {
                extensions.insert(url.to_string(), reach);
                modules.insert(url.to_string(), module);
            }
        }
        let mut bindings = spec.bindings;
        let named = bindings.len();
        for class in spec.classes {
            let class = Binding::Objects(class);
            if bindings.iter().all(|(_, binding)| *binding != class) {
                bindings.push((String::new(), class));
            }
        }
        Ok(Self::of(Arc::new(Script {
            name: spec.name,
            main,
            modules,
            extensions,
            env: serde_json::Value::Object(spec.env).to_string(),
            bindings,
            named,
            outbound: spec.outbound,
            limits: spec.limits,
            objects: spec.objects,
            test_module: spec.test_module,
            is_tested: spec.is_tested,
            compatibility: spec.compatibility,
            clock: spec.clock,
            loaded: spec.loaded,
            tails: spec.tails,
            starts: AtomicU64::new(0),
            changed: OnceLock::new(),
            code_cache: Mutex::default(),
        })))
    }

    fn of(script: Arc<Script>) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = WorkerId(NEXT.fetch_add(1, Ordering::Relaxed));
        Arc::new(Self { id, script })
    }

    /// The same version with an isolate apart from the others'.
    pub fn apart(&self) -> Arc<Self> {
        Self::of(self.script.clone())
    }

    pub(crate) fn main_kind(&self) -> ModuleKind {
        let main = self.modules.get(self.main.as_str());
        main.map_or(ModuleKind::EsModule, |main| main.kind)
    }

    /// Whether the module `referrer` may import the module `url`.
    pub(crate) fn may_import(&self, url: &str, referrer: &str) -> bool {
        match self.extensions.get(url) {
            Some(Reach::Extensions) => self.extensions.contains_key(referrer),
            Some(Reach::Anyone) | None => true,
        }
    }

    /// The name that logs use.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is bound to durable objects, or to what else keeps data.
    pub fn keeps_data(&self) -> bool {
        let keeps = |(_, binding): &(_, Binding)| {
            matches!(binding, Binding::Objects(_) | Binding::Resource(..))
        };
        self.bindings.iter().any(keeps)
    }

    /// The names of workers that it is bound to, and `env`'s for each.
    pub fn services(&self) -> impl Iterator<Item = (&str, &str)> {
        self.bindings
            .iter()
            .filter_map(|(name, binding)| match binding {
                Binding::Service(target) => Some((name.as_str(), target.service.as_str())),
                _ => None,
            })
    }

    /// The names of workers that are told of its events.
    pub fn tail_workers(&self) -> impl Iterator<Item = &str> {
        let tails = self.tails.iter();
        let targets = tails.flat_map(|tails| tails.after.iter().chain(&tails.during));
        targets.map(TailTarget::service)
    }

    /// The classes whose objects it is bound to, and `env`'s name for each.
    pub fn namespaces(&self) -> impl Iterator<Item = (&str, &ObjectNamespace)> {
        self.bindings
            .iter()
            .take(self.named)
            .filter_map(|(name, binding)| match binding {
                Binding::Objects(namespace) => Some((name.as_str(), &**namespace)),
                _ => None,
            })
    }

    /// What its objects share.
    pub fn object_isolation(&self) -> ObjectIsolation {
        self.objects
    }

    /// What its isolates may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// The same script with the same variables and limits, whichever version.
impl PartialEq for Worker {
    fn eq(&self, other: &Self) -> bool {
        (
            &self.name,
            &self.main,
            &self.modules,
            &self.env,
            &self.bindings,
            &self.outbound,
            &self.limits,
            &self.objects,
            &self.compatibility,
            &self.tails,
        ) == (
            &other.name,
            &other.main,
            &other.modules,
            &other.env,
            &other.bindings,
            &other.outbound,
            &other.limits,
            &other.objects,
            &other.compatibility,
            &other.tails,
        )
    }
}

impl fmt::Debug for Worker {
    // Not derived: `env` may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("name", &self.name)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(specifier: &str) -> Module {
        Module {
            specifier: specifier.into(),
            kind: ModuleKind::EsModule,
            content: Vec::new(),
            named_exports: Vec::new(),
            source_map: None,
        }
    }

    fn check(main: &str, modules: &[&str], expected: Option<WorkerError>) {
        let spec = WorkerSpec {
            main: main.into(),
            modules: modules.iter().map(|name| module(name)).collect(),
            ..WorkerSpec::default()
        };
        assert_eq!(Worker::new(spec).err(), expected, "{main} in {modules:?}");
    }

    #[test]
    fn spec_faults_are_named() {
        check("a.js", &["a.js", "lib/b.js"], None);
        check("./a.js", &["a.js"], None);
        check("b.js", &["a.js"], Some(WorkerError::NoMain("b.js".into())));
        check(
            "a.js",
            &["a.js", "./a.js"],
            Some(WorkerError::Twice("./a.js".into())),
        );
        check(
            "a.js",
            &["https://x.test/a.js"],
            Some(WorkerError::BadSpecifier("https://x.test/a.js".into())),
        );
    }
}
