//! A worker of the configuration as the runtime takes it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use outboard_project::strip_types;
use outboard_runtime::{
    Binding, Compatibility, Entrypoint, Flag, KeyBinding, KeyFormat, Limits, Module, ModuleKind,
    ObjectNamespace, Props, Reach, ResourceKind, ScriptClock, ServiceTarget, TailTarget, Tails,
    WorkerSpec,
};
use outboard_workerd as config;
use outboard_workerd::{BindingKind, Designator, ExtensionModule, Source, WorkerConfig};
use serde_json::Value;

/// workerd limits nothing; these are what a runaway test may cost.
const CPU: Duration = Duration::from_secs(60);
const WALL: Duration = Duration::from_secs(120);
const HEAP: usize = 512 << 20;

/// What is said where the configuration has them.
/// The unique keys of classes, by service and class.
pub(super) type ObjectKeys = HashMap<(String, String), String>;

/// `date` is the worker's own, or the command line's; that one is missing is
/// the caller's to say.
pub(super) fn spec(
    name: &str,
    config: &WorkerConfig,
    date: Option<&str>,
    keys: &ObjectKeys,
    extensions: &[ExtensionModule],
) -> Result<WorkerSpec, Vec<String>> {
    let mut faults = Vec::new();
    let compatibility = date.map_or_else(Compatibility::default, |date| {
        compatibility(config, date, &mut faults)
    });
    let modules = modules(config, &compatibility, &mut faults);
    let mut spec = WorkerSpec {
        name: name.to_string(),
        main: modules
            .first()
            .map_or_else(String::new, |main| main.specifier.clone()),
        modules,
        limits: Limits {
            cpu: CPU,
            startup_cpu: CPU,
            wall: WALL,
            heap: HEAP,
            buffers: HEAP,
            ..Limits::default()
        },
        outbound: Some(target(&config.global_outbound)),
        compatibility,
        tails: tails(config),
        extensions: extensions.iter().map(extension).collect(),
        clock: ScriptClock::Running,
        ..WorkerSpec::default()
    };
    for class in config
        .durable_objects
        .iter()
        .filter(|it| it.unique_key.is_none())
    {
        let path = &class.path;
        faults.push(format!(
            "{path}.ephemeralLocal: objects without storage are not offered"
        ));
    }
    spec.classes = classes(name, keys);
    spec.test_module = compatibility.has(Flag::UnsafeModule);
    for binding in &config.bindings {
        if let Err(fault) = bind(&mut spec, &binding.name, &binding.kind, keys) {
            faults.push(format!("{}: {fault}", binding.path));
        }
    }
    if faults.is_empty() {
        Ok(spec)
    } else {
        Err(faults)
    }
}

fn tail(designator: &Designator) -> TailTarget {
    TailTarget::Service(target(designator))
}

fn tails(config: &WorkerConfig) -> Option<Arc<Tails>> {
    let tails = Tails {
        script: None,
        after: config.tails.iter().map(tail).collect(),
        during: config.streaming_tails.iter().map(tail).collect(),
    };
    let has_some = !tails.after.is_empty() || !tails.during.is_empty();
    has_some.then(|| Arc::new(tails))
}

fn extension(module: &ExtensionModule) -> (Module, Reach) {
    let reach = if module.internal {
        Reach::Extensions
    } else {
        Reach::Anyone
    };
    let module = Module {
        specifier: module.name.clone(),
        kind: ModuleKind::EsModule,
        content: module.content.clone().into_bytes(),
        named_exports: Vec::new(),
        source_map: None,
    };
    (module, reach)
}

/// The classes of `service` whose objects have storage.
fn classes(service: &str, keys: &ObjectKeys) -> Vec<Arc<ObjectNamespace>> {
    let own = keys.iter().filter(|((of, _), _)| of == service);
    own.map(|((service, class), key)| {
        Arc::new(ObjectNamespace {
            service: service.clone(),
            class: class.clone(),
            key: key.clone(),
        })
    })
    .collect()
}

fn compatibility(config: &WorkerConfig, date: &str, faults: &mut Vec<String>) -> Compatibility {
    let path = &config.path;
    Compatibility::new(date, &config.compatibility_flags).unwrap_or_else(|found| {
        faults.extend(found.iter().map(|fault| match fault.index() {
            Some(index) => format!("{path}.compatibilityFlags[{index}]: {fault}"),
            None => format!("{path}.compatibilityDate: {fault}"),
        }));
        Compatibility::default()
    })
}

/// The name of a script that is no module, as stack traces have it.
const SCRIPT: &str = "worker.js";

fn modules(
    config: &WorkerConfig,
    compatibility: &Compatibility,
    faults: &mut Vec<String>,
) -> Vec<Module> {
    let modules = match &config.source {
        Source::Modules(modules) => modules,
        Source::Script(script) => {
            return vec![Module {
                specifier: SCRIPT.into(),
                kind: ModuleKind::ServiceWorker,
                content: script.clone().into_bytes(),
                named_exports: Vec::new(),
                source_map: None,
            }];
        }
    };
    let mut list = Vec::with_capacity(modules.len());
    for module in modules {
        let kind = match module.kind {
            config::ModuleKind::EsModule => ModuleKind::EsModule,
            config::ModuleKind::Text => ModuleKind::Text,
            config::ModuleKind::Data => ModuleKind::Data,
            config::ModuleKind::Wasm => ModuleKind::Wasm,
            config::ModuleKind::Json => ModuleKind::Json,
            config::ModuleKind::CommonJs => ModuleKind::CommonJs,
        };
        let mut content = module.content.clone();
        let mut source_map = None;
        if kind == ModuleKind::EsModule && compatibility.has(Flag::TypescriptStripTypes) {
            // What is no text is refused where the worker is made.
            match strip_types(&module.name, &String::from_utf8_lossy(&content)) {
                Ok(stripped) => {
                    content = stripped.code.into_bytes();
                    source_map = stripped.source_map;
                }
                Err(fault) => faults.push(format!("{}: {fault}", module.path)),
            }
        }
        list.push(Module {
            specifier: module.name.clone(),
            kind,
            content,
            named_exports: module.named_exports.clone(),
            source_map,
        });
    }
    list
}

fn bind(
    spec: &mut WorkerSpec,
    name: &str,
    kind: &BindingKind,
    keys: &ObjectKeys,
) -> Result<(), String> {
    let binding = match kind {
        BindingKind::Text(text) => {
            spec.env.insert(name.to_string(), text.as_str().into());
            return Ok(());
        }
        BindingKind::Json(text) => {
            let value: Value = serde_json::from_str(text)
                .map_err(|error| format!("{name:?} is not valid JSON: {error}"))?;
            spec.env.insert(name.to_string(), value);
            return Ok(());
        }
        BindingKind::FromEnvironment(variable) => {
            let value = std::env::var(variable)
                .ok()
                .map_or(Value::Null, Value::from);
            spec.env.insert(name.to_string(), value);
            return Ok(());
        }
        BindingKind::Data(bytes) => Binding::Data(bytes.clone()),
        BindingKind::Wasm(bytes) => Binding::Wasm(bytes.clone()),
        BindingKind::WorkerLoader { id } => Binding::Loader(match id {
            Some(id) => id.clone(),
            // No id has a colon of its own making.
            None => format!("binding:{name}"),
        }),
        BindingKind::Service(service) => Binding::Service(target(service)),
        BindingKind::Class(service) => Binding::Class(target(service)),
        BindingKind::D1(service) => Binding::Resource(ResourceKind::D1, target(service)),
        BindingKind::Kv(service) => Binding::Resource(ResourceKind::Kv, target(service)),
        BindingKind::R2Bucket(service) => Binding::Resource(ResourceKind::R2, target(service)),
        BindingKind::Queue(service) => Binding::Resource(ResourceKind::Queue, target(service)),
        BindingKind::CryptoKey(key) => Binding::Key(self::key(key)?),
        BindingKind::DurableObjects {
            class_name,
            service,
        } => {
            let service = service.as_deref().unwrap_or(&spec.name);
            let class = (service.to_string(), class_name.clone());
            let key = keys.get(&class).ok_or_else(|| {
                format!("{class_name:?} of {service:?} has no objects with storage")
            })?;
            Binding::Objects(Arc::new(ObjectNamespace {
                service: class.0,
                class: class.1,
                key: key.clone(),
            }))
        }
    };
    spec.bindings.push((name.to_string(), binding));
    Ok(())
}

pub(crate) fn target(designator: &Designator) -> Arc<ServiceTarget> {
    Arc::new(ServiceTarget {
        service: designator.name.clone(),
        entrypoint: entrypoint(designator),
    })
}

pub(super) fn entrypoint(designator: &Designator) -> Entrypoint {
    Entrypoint {
        // The default export by its name.
        name: designator
            .entrypoint
            .clone()
            .filter(|name| name != "default"),
        props: designator.props.clone().map(Props::Json),
        ..Entrypoint::default()
    }
}

fn key(key: &config::CryptoKey) -> Result<KeyBinding, String> {
    let (format, data) = match &key.format {
        config::KeyFormat::Raw(bytes) => (KeyFormat::Raw, bytes.clone()),
        config::KeyFormat::Pkcs8(text) => (KeyFormat::Pkcs8, pem(text, "PRIVATE KEY")?),
        config::KeyFormat::Spki(text) => (KeyFormat::Spki, pem(text, "PUBLIC KEY")?),
        config::KeyFormat::Jwk(text) => (KeyFormat::Jwk, text.clone().into_bytes()),
    };
    let algorithm = match &key.algorithm {
        config::Algorithm::Name(name) => Value::from(name.as_str()),
        config::Algorithm::Json(text) => serde_json::from_str(text)
            .map_err(|error| format!("algorithm is not valid JSON: {error}"))?,
    };
    Ok(KeyBinding {
        format,
        data,
        algorithm,
        extractable: key.extractable,
        usages: key.usages.clone(),
    })
}

/// The bytes of a PEM block (RFC 7468) with the given label.
fn pem(text: &str, label: &str) -> Result<Vec<u8>, String> {
    let (begin, end) = (
        format!("-----BEGIN {label}-----"),
        format!("-----END {label}-----"),
    );
    let body = text
        .split_once(&begin)
        .and_then(|(_, rest)| rest.split_once(&end))
        .map(|(body, _)| body)
        .ok_or_else(|| format!("the key is no PEM text with \"{begin}\""))?;
    let body: String = body.split_ascii_whitespace().collect();
    use base64::Engine;
    base64::prelude::BASE64_STANDARD
        .decode(body)
        .map_err(|error| format!("the key's PEM text is not base64: {error}"))
}
