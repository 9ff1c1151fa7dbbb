//! The configuration as a whole: services, and sockets that lead to them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::binary;
use crate::check::{Faults, Fields};
use crate::durable_objects;
use crate::fault::Fault;
use crate::text::{self, TextError};
use crate::value::Value;
use crate::worker::{self, WorkerConfig};

/// The service that a worker's `fetch()` goes to where nothing else is said.
pub(crate) const INTERNET: &str = "internet";

/// What one process serves.
#[derive(Debug, Default)]
pub struct Config {
    pub services: Vec<Service>,
    pub sockets: Vec<Socket>,
    /// Flags for V8, as they would be on its command line.
    pub v8_flags: Vec<String>,
    /// Modules that every worker can import.
    pub extensions: Vec<ExtensionModule>,
}

/// An ES module beside the workers.
#[derive(Debug)]
pub struct ExtensionModule {
    /// Where it is: `extensions[0].modules[0]`.
    pub path: String,
    /// The whole specifier that it is imported by.
    pub name: String,
    /// Only other extensions can import it.
    pub internal: bool,
    pub content: String,
}

/// A named service.
#[derive(Debug)]
pub struct Service {
    pub name: String,
    pub kind: ServiceKind,
}

#[derive(Debug)]
pub enum ServiceKind {
    Worker(Box<WorkerConfig>),
    Network(Network),
    External(External),
    Disk(Disk),
}

/// Addresses that requests may go to, as kj's `restrictPeers` names them:
/// `public`, `private`, `local`, `network`, or blocks in CIDR notation.
#[derive(Debug)]
pub struct Network {
    pub allow: Vec<String>,
    pub deny: Vec<String>,
}

/// One server that all requests go to.
#[derive(Debug)]
pub struct External {
    /// None: it must come from the command line.
    pub address: Option<String>,
    pub protocol: Protocol,
    pub http: HttpOptions,
}

/// What is spoken with a server or on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http,
    Https,
}

/// A folder that is read by requests.
#[derive(Debug)]
pub struct Disk {
    /// None: it must come from the command line.
    pub path: Option<PathBuf>,
    pub writable: bool,
    pub allow_dotfiles: bool,
}

/// An address that is listened on.
#[derive(Debug)]
pub struct Socket {
    pub name: String,
    /// None: it must come from the command line.
    pub address: Option<String>,
    pub protocol: SocketProtocol,
    pub service: Designator,
}

/// What is spoken on a socket.
#[derive(Debug)]
pub enum SocketProtocol {
    Http(HttpOptions),
    /// Whatever the service's `connect` handler speaks.
    Tcp,
}

/// How HTTP is spoken.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
    pub style: Style,
    /// The header that says whether the client spoke http or https.
    pub forwarded_proto_header: Option<String>,
    /// The header that `request.cf` is carried in, as JSON.
    pub cf_blob_header: Option<String>,
    pub inject_request_headers: Vec<Header>,
    pub inject_response_headers: Vec<Header>,
}

/// What a request line holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    /// A path.
    #[default]
    Host,
    /// A whole URL, as a forward proxy has it.
    Proxy,
}

/// A header that is set on every message, or taken from it.
#[derive(Debug, Clone)]
pub struct Header {
    pub name: String,
    pub value: Option<String>,
}

/// A service as another refers to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Designator {
    pub name: String,
    pub entrypoint: Option<String>,
    /// JSON of `ctx.props`.
    pub props: Option<String>,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("not a binary configuration: {0}")]
    Binary(String),
    #[error(transparent)]
    Text(#[from] TextError),
    #[error("{}", lines(.0))]
    Faults(Vec<Fault>),
}

fn lines(faults: &[Fault]) -> String {
    let lines: Vec<_> = faults.iter().map(Fault::to_string).collect();
    lines.join("\n")
}

impl Config {
    /// Reads a Cap'n Proto message.
    pub fn from_binary(bytes: &[u8]) -> Result<Self, ConfigError> {
        let value = binary::read(bytes).map_err(|error| ConfigError::Binary(error.to_string()))?;
        Self::check(value)
    }

    /// Reads the constant `name` of a text file, or the only one of type
    /// `Config`. Imports that begin with `/` are looked for in `imports`.
    pub fn from_text(
        path: &Path,
        name: Option<&str>,
        imports: &[PathBuf],
    ) -> Result<Self, ConfigError> {
        Self::check(text::read(path, name, imports)?)
    }

    fn check(value: Value) -> Result<Self, ConfigError> {
        let mut faults = Faults::default();
        let mut fields = Fields::new("", value, None, &mut faults);
        let config = Self {
            services: fields.list("services", &mut faults, service),
            sockets: fields.list("sockets", &mut faults, socket),
            v8_flags: fields.texts("v8Flags", &mut faults),
            extensions: fields
                .list("extensions", &mut faults, extension)
                .into_iter()
                .flatten()
                .collect(),
        };
        // What is gated behind them is workerd's own; lines of logs are ours.
        fields.ignore(&["autogates", "structuredLogging", "logging"]);
        fields.end(&mut faults);
        config.check_names(&mut faults);
        match faults.into_list() {
            faults if faults.is_empty() => Ok(config),
            faults => Err(ConfigError::Faults(faults)),
        }
    }

    /// Names are there once, and what they refer to exists.
    fn check_names(&self, faults: &mut Faults) {
        let mut known = HashSet::from([INTERNET]);
        for (index, service) in self.services.iter().enumerate() {
            if !known.insert(&service.name) && service.name != INTERNET {
                let text = format!("{:?} is the name of two services", service.name);
                faults.invalid(&format!("services[{index}].name"), text);
            }
        }
        let mut names = HashSet::new();
        for ExtensionModule { path, name, .. } in &self.extensions {
            if !names.insert(name) {
                faults.invalid(path, format!("{name:?} is the name of two modules"));
            }
        }
        let mut refer = |path: &str, designator: &Designator| {
            if !designator.name.is_empty() && !known.contains(designator.name.as_str()) {
                faults.invalid(path, format!("no service is called {:?}", designator.name));
            }
        };
        for (index, socket) in self.sockets.iter().enumerate() {
            refer(&format!("sockets[{index}].service"), &socket.service);
        }
        for service in &self.services {
            if let ServiceKind::Worker(worker) = &service.kind {
                worker.for_each_designator(&mut refer);
            }
        }
        durable_objects::check(&self.services, faults);
    }
}

fn service(path: &str, value: Value, faults: &mut Faults) -> Option<Service> {
    let mut fields = Fields::new(path, value, None, faults);
    let name = fields.required("name", faults);
    let kinds = ["unspecified", "worker", "network", "external", "disk"];
    let chosen = fields.union(&kinds, faults);
    let kind = chosen.and_then(|(kind, value)| {
        let path = fields.child(kind);
        Some(match kind {
            "worker" => ServiceKind::Worker(Box::new(worker::worker(&path, value, faults))),
            "network" => ServiceKind::Network(network(&path, value, faults)),
            "external" => ServiceKind::External(external(&path, value, faults)),
            "disk" => ServiceKind::Disk(disk(&path, value, faults)),
            _ => return None,
        })
    });
    if kind.is_none() {
        faults.invalid(path, "says none of worker, network, external, disk");
    }
    fields.end(faults);
    Some(Service { name, kind: kind? })
}

fn extension(path: &str, value: Value, faults: &mut Faults) -> Option<Vec<ExtensionModule>> {
    let mut fields = Fields::new(path, value, None, faults);
    let modules = fields.list("modules", faults, |path, value, faults| {
        let mut fields = Fields::new(path, value, None, faults);
        let module = ExtensionModule {
            path: path.to_string(),
            name: fields.required("name", faults),
            internal: fields.flag("internal", faults),
            content: fields.text("esModule", faults).unwrap_or_default(),
        };
        fields.end(faults);
        if !module.name.contains(':') {
            let text = "is no whole specifier; write one with a scheme, \"my:module\"";
            faults.invalid(&format!("{path}.name"), text);
        }
        Some(module)
    });
    fields.end(faults);
    Some(modules)
}

fn network(path: &str, value: Value, faults: &mut Faults) -> Network {
    let mut fields = Fields::new(path, value, None, faults);
    let allow = match fields.take("allow") {
        Some(value) => {
            crate::check::list(&fields.child("allow"), value, faults, crate::check::text)
        }
        None => vec!["public".into()],
    };
    let deny = fields.texts("deny", faults);
    tls(&mut fields, faults);
    fields.end(faults);
    Network { allow, deny }
}

fn external(path: &str, value: Value, faults: &mut Faults) -> External {
    let mut fields = Fields::new(path, value, None, faults);
    let address = fields
        .text("address", faults)
        .filter(|text| !text.is_empty());
    let chosen = fields.union(&["http", "https", "tcp"], faults);
    let (protocol, http) = match chosen {
        Some(("https", value)) => {
            let mut group = Fields::new(&fields.child("https"), value, None, faults);
            let options = group.take("options").unwrap_or(Value::Void);
            let http = http_options(&group.child("options"), options, faults);
            group.refuse(&["certificateHost"], faults);
            tls(&mut group, faults);
            group.end(faults);
            (Protocol::Https, http)
        }
        Some(("tcp", _)) => {
            faults.not_offered(&fields.child("tcp"), "a server of raw TCP is");
            (Protocol::Http, HttpOptions::default())
        }
        chosen => {
            let options = chosen.map_or(Value::Void, |(_, value)| value);
            (
                Protocol::Http,
                http_options(&fields.child("http"), options, faults),
            )
        }
    };
    fields.end(faults);
    External {
        address,
        protocol,
        http,
    }
}

/// TLS as a client, with the roots that are in the binary.
fn tls(fields: &mut Fields, faults: &mut Faults) {
    let Some(value) = fields.take("tlsOptions") else {
        return;
    };
    let mut tls = Fields::new(&fields.child("tlsOptions"), value, None, faults);
    // The roots of browsers are trusted always, and no version that is broken.
    tls.ignore(&["trustBrowserCas", "minVersion"]);
    tls.refuse(
        &[
            "keypair",
            "requireClientCerts",
            "trustedCertificates",
            "cipherList",
        ],
        faults,
    );
    tls.end(faults);
}

fn disk(path: &str, value: Value, faults: &mut Faults) -> Disk {
    let mut fields = Fields::new(path, value, Some("path"), faults);
    let disk = Disk {
        path: fields
            .text("path", faults)
            .filter(|text| !text.is_empty())
            .map(PathBuf::from),
        writable: fields.flag("writable", faults),
        allow_dotfiles: fields.flag("allowDotfiles", faults),
    };
    fields.end(faults);
    disk
}

fn socket(path: &str, value: Value, faults: &mut Faults) -> Option<Socket> {
    let mut fields = Fields::new(path, value, None, faults);
    let name = fields.required("name", faults);
    let address = fields
        .text("address", faults)
        .filter(|text| !text.is_empty());
    let protocol = match fields.union(&["http", "https", "tcp"], faults) {
        Some(("https", _)) => {
            faults.not_offered(&fields.child("https"), "a socket that speaks TLS is");
            SocketProtocol::Tcp
        }
        Some(("tcp", value)) => {
            let mut group = Fields::new(&fields.child("tcp"), value, None, faults);
            group.refuse(&["tlsOptions"], faults);
            group.end(faults);
            SocketProtocol::Tcp
        }
        chosen => {
            let options = chosen.map_or(Value::Void, |(_, value)| value);
            SocketProtocol::Http(http_options(&fields.child("http"), options, faults))
        }
    };
    let service = match fields.take("service") {
        Some(value) => designator(&fields.child("service"), value, faults),
        None => Designator::default(),
    };
    if service.name.is_empty() {
        faults.invalid(&fields.child("service"), "is missing");
    }
    fields.end(faults);
    Some(Socket {
        name,
        address,
        protocol,
        service,
    })
}

fn http_options(path: &str, value: Value, faults: &mut Faults) -> HttpOptions {
    let mut fields = Fields::new(path, value, None, faults);
    let style = match fields.take("style") {
        None => Style::Host,
        Some(Value::Name(name)) if name == "host" => Style::Host,
        Some(Value::Name(name)) if name == "proxy" => Style::Proxy,
        Some(_) => {
            faults.invalid(&fields.child("style"), "is \"host\" or \"proxy\"");
            Style::Host
        }
    };
    let options = HttpOptions {
        style,
        forwarded_proto_header: fields.text("forwardedProtoHeader", faults),
        cf_blob_header: fields.text("cfBlobHeader", faults),
        inject_request_headers: fields.list("injectRequestHeaders", faults, header),
        inject_response_headers: fields.list("injectResponseHeaders", faults, header),
    };
    fields.refuse(&["capnpConnectHost"], faults);
    fields.end(faults);
    options
}

fn header(path: &str, value: Value, faults: &mut Faults) -> Option<Header> {
    let mut fields = Fields::new(path, value, None, faults);
    let header = Header {
        name: fields.required("name", faults),
        value: fields.text("value", faults),
    };
    fields.end(faults);
    Some(header)
}

pub(crate) fn designator(path: &str, value: Value, faults: &mut Faults) -> Designator {
    let mut fields = Fields::new(path, value, Some("name"), faults);
    let name = fields.required("name", faults);
    let entrypoint = fields.text("entrypoint", faults);
    let props = fields.take("props").and_then(|value| {
        let mut props = Fields::new(&fields.child("props"), value, None, faults);
        props.ignore(&["empty"]);
        let json = props.text("json", faults);
        props.end(faults);
        json
    });
    fields.end(faults);
    Designator {
        name,
        entrypoint,
        props,
    }
}
