//! What a worker's `env` holds.

use crate::check::{self, Faults, Fields};
use crate::config::{Designator, designator};
use crate::value::Value;

/// A name of `env` and what it is.
#[derive(Debug)]
pub struct Binding {
    /// Where it is: `services[0].worker.bindings[2]`.
    pub path: String,
    pub name: String,
    pub kind: BindingKind,
}

#[derive(Debug)]
pub enum BindingKind {
    Text(String),
    Data(Vec<u8>),
    /// JSON text.
    Json(String),
    /// A module in Wasm's binary form.
    Wasm(Vec<u8>),
    CryptoKey(CryptoKey),
    Service(Designator),
    /// A class of a worker's, which facets may have.
    Class(Designator),
    /// A service that speaks KV's protocol.
    Kv(Designator),
    /// A service that speaks the protocol of queues.
    Queue(Designator),
    /// The objects of a class.
    DurableObjects {
        class_name: String,
        /// The worker whose class it is; None: the one with the binding.
        service: Option<String>,
    },
    /// A D1 database, kept by a service that speaks D1's own protocol.
    D1(Designator),
    /// A bucket that the service keeps.
    R2Bucket(Designator),
    /// A variable of the process's environment.
    FromEnvironment(String),
    /// What loads workers. Those with one id share the names they load by.
    WorkerLoader {
        id: Option<String>,
    },
}

impl Binding {
    /// The service that it leads to, and where that is said.
    pub(crate) fn designator(&self) -> Option<(&'static str, &Designator)> {
        match &self.kind {
            BindingKind::Service(service) => Some(("service", service)),
            BindingKind::Class(service) => Some(("durableObjectClass", service)),
            BindingKind::Kv(service) => Some(("kvNamespace", service)),
            BindingKind::R2Bucket(service) => Some(("r2Bucket", service)),
            BindingKind::Queue(service) => Some(("queue", service)),
            BindingKind::D1(service) => Some(("wrapped.innerBindings[0].service", service)),
            _ => None,
        }
    }
}

/// A key that the script can use, and read only where it is extractable.
#[derive(Debug)]
pub struct CryptoKey {
    pub format: KeyFormat,
    pub algorithm: Algorithm,
    pub extractable: bool,
    /// As WebCrypto names them, `sign`.
    pub usages: Vec<String>,
}

#[derive(Debug)]
pub enum KeyFormat {
    Raw(Vec<u8>),
    /// PEM.
    Pkcs8(String),
    /// PEM.
    Spki(String),
    /// JSON.
    Jwk(String),
}

/// The algorithm that `importKey` takes.
#[derive(Debug)]
pub enum Algorithm {
    Name(String),
    Json(String),
}

/// The kinds; those that are not offered with the words to say so.
const KINDS: [(&str, Option<&str>); 22] = [
    ("unspecified", None),
    ("text", None),
    ("data", None),
    ("json", None),
    ("wasmModule", None),
    ("cryptoKey", None),
    ("service", None),
    ("fromEnvironment", None),
    ("durableObjectNamespace", None),
    (
        "parameter",
        Some("a binding that another worker fills in is"),
    ),
    ("durableObjectClass", None),
    ("kvNamespace", None),
    ("r2Bucket", None),
    ("obsolete0", Some("an obsolete kind of binding is")),
    ("wrapped", None),
    ("queue", None),
    ("analyticsEngine", Some("Analytics Engine is")),
    ("hyperdrive", Some("Hyperdrive is")),
    ("unsafeEval", Some("code from strings is")),
    ("memoryCache", Some("a memory cache is")),
    ("workerLoader", None),
    ("workerdDebugPort", Some("workerd's debug port is")),
];

pub(crate) fn binding(path: &str, value: Value, faults: &mut Faults) -> Option<Binding> {
    let mut fields = Fields::new(path, value, None, faults);
    let name = fields.required("name", faults);
    let chosen = fields.union(&KINDS.map(|(kind, _)| kind), faults);
    fields.end(faults);
    let Some((kind, value)) = chosen.filter(|(kind, _)| *kind != "unspecified") else {
        faults.invalid(path, format!("binding {name:?} says no kind"));
        return None;
    };
    let place = path.to_string();
    let path = format!("{path}.{kind}");
    let refused = KINDS.iter().find(|(known, _)| *known == kind);
    if let Some((_, Some(words))) = refused {
        faults.not_offered(&path, format!("binding {name:?}: {words}"));
        return None;
    }
    let kind = match kind {
        "text" => BindingKind::Text(check::text(&path, value, faults)?),
        "data" => BindingKind::Data(check::bytes(&path, value, faults)?),
        "json" => BindingKind::Json(check::text(&path, value, faults)?),
        "wasmModule" => BindingKind::Wasm(check::bytes(&path, value, faults)?),
        "cryptoKey" => BindingKind::CryptoKey(crypto_key(&path, value, faults)?),
        "service" => BindingKind::Service(designator(&path, value, faults)),
        "durableObjectClass" => BindingKind::Class(designator(&path, value, faults)),
        "kvNamespace" => BindingKind::Kv(designator(&path, value, faults)),
        "queue" => BindingKind::Queue(designator(&path, value, faults)),
        "durableObjectNamespace" => objects(&path, value, faults),
        "wrapped" => wrapped(&path, value, &name, faults)?,
        "workerLoader" => loader(&path, value, faults),
        "r2Bucket" => BindingKind::R2Bucket(designator(&path, value, faults)),
        _ => BindingKind::FromEnvironment(check::text(&path, value, faults)?),
    };
    Some(Binding {
        path: place,
        name,
        kind,
    })
}

fn objects(path: &str, value: Value, faults: &mut Faults) -> BindingKind {
    let mut fields = Fields::new(path, value, Some("className"), faults);
    let kind = BindingKind::DurableObjects {
        class_name: fields.required("className", faults),
        service: fields
            .text("serviceName", faults)
            .filter(|name| !name.is_empty()),
    };
    fields.end(faults);
    kind
}

/// The module of workerd's own that makes a D1 database of a service.
const D1_MODULE: &str = "cloudflare-internal:d1-api";

/// What a module makes of other bindings; modules are workerd's own.
fn wrapped(path: &str, value: Value, name: &str, faults: &mut Faults) -> Option<BindingKind> {
    let mut fields = Fields::new(path, value, None, faults);
    let module = fields.required("moduleName", faults);
    let entrypoint = fields.text("entrypoint", faults);
    let entrypoint = entrypoint.filter(|entrypoint| !entrypoint.is_empty());
    if module.is_empty() {
        return None;
    }
    if module != D1_MODULE || entrypoint.is_some_and(|name| name != "default") {
        faults.not_offered(
            &fields.child("moduleName"),
            format!("binding {name:?}: a binding that {module:?} wraps is"),
        );
        return None;
    }
    let inner = fields.list("innerBindings", faults, binding);
    let at = fields.child("innerBindings");
    fields.end(faults);
    match <[Binding; 1]>::try_from(inner) {
        Ok(
            [
                Binding {
                    name,
                    kind: BindingKind::Service(service),
                    ..
                },
            ],
        ) if name == "fetcher" => Some(BindingKind::D1(service)),
        _ => {
            faults.invalid(&at, "one service is expected, called \"fetcher\"");
            None
        }
    }
}

fn loader(path: &str, value: Value, faults: &mut Faults) -> BindingKind {
    let mut fields = Fields::new(path, value, None, faults);
    let id = fields.text("id", faults).filter(|id| !id.is_empty());
    fields.end(faults);
    BindingKind::WorkerLoader { id }
}

fn crypto_key(path: &str, value: Value, faults: &mut Faults) -> Option<CryptoKey> {
    let mut fields = Fields::new(path, value, None, faults);
    let format = fields.union(&["raw", "hex", "base64", "pkcs8", "spki", "jwk"], faults);
    let algorithm = fields.take("algorithm").and_then(|value| {
        let path = fields.child("algorithm");
        let mut group = Fields::new(&path, value, Some("name"), faults);
        let chosen = group.union(&["name", "json"], faults);
        group.end(faults);
        match chosen? {
            ("name", value) => check::text(&path, value, faults).map(Algorithm::Name),
            (_, value) => check::text(&path, value, faults).map(Algorithm::Json),
        }
    });
    let extractable = fields.flag("extractable", faults);
    let usages = fields.list("usages", faults, |path, value, faults| match value {
        Value::Name(name) => Some(name),
        other => {
            faults.invalid(
                path,
                format!("a usage is expected, not {}", other.describe()),
            );
            None
        }
    });
    fields.end(faults);
    if algorithm.is_none() {
        faults.invalid(path, "says no algorithm");
    }
    let Some((member, value)) = format else {
        faults.invalid(path, "says no key");
        return None;
    };
    let path = format!("{path}.{member}");
    let format = match member {
        "raw" => KeyFormat::Raw(check::bytes(&path, value, faults)?),
        "hex" => KeyFormat::Raw(decoded(&path, value, hex, faults)?),
        "base64" => KeyFormat::Raw(decoded(&path, value, base64, faults)?),
        "pkcs8" => KeyFormat::Pkcs8(check::text(&path, value, faults)?),
        "spki" => KeyFormat::Spki(check::text(&path, value, faults)?),
        _ => KeyFormat::Jwk(check::text(&path, value, faults)?),
    };
    Some(CryptoKey {
        format,
        algorithm: algorithm?,
        extractable,
        usages,
    })
}

fn decoded(
    path: &str,
    value: Value,
    decode: impl Fn(&str) -> Option<Vec<u8>>,
    faults: &mut Faults,
) -> Option<Vec<u8>> {
    let text = check::text(path, value, faults)?;
    let bytes = decode(text.trim());
    if bytes.is_none() {
        faults.invalid(path, "cannot be decoded");
    }
    bytes
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high * 16 + low).collect())
}

fn base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    BASE64_STANDARD.decode(text).ok()
}
