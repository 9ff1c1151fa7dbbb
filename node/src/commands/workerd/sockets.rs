//! The configuration's sockets: each an address and the service behind it.

use std::collections::HashMap;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::FutureExt;
use outboard_runtime::{EventError, Lane, RpcEnd, Worker};
use outboard_workerd::{Config, Designator, HttpOptions, SocketProtocol, Style};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::host::stream;
use crate::ingress::{
    AccessLog, Detail, Ingress, IngressOptions, Roster, Routes, Target, accept_on_lane, bind,
    listen_on_lane,
};
use crate::workerd::{Service, Services, target};

/// The port of an address that names none.
const HTTP_PORT: u16 = 80;
/// How long open requests may take once the process is to end.
const GRACE: Duration = Duration::from_secs(10);

/// A socket to be opened.
pub(super) struct Socket {
    name: String,
    address: SocketAddr,
    speaks: Speaks,
    service: Designator,
}

/// What is spoken on it.
enum Speaks {
    Http,
    /// Bytes; the address as it was written is what a handler is told.
    Tcp(String),
}

/// Sockets that are open.
pub(super) struct Open {
    stop: CancellationToken,
    ended: Vec<oneshot::Receiver<std::io::Result<()>>>,
}

impl Open {
    /// Stops accepting and lets open requests end.
    pub(super) async fn close(self) {
        self.stop.cancel();
        let all = futures::future::join_all(self.ended);
        // A lane that hangs ends with the process.
        let _ = tokio::time::timeout(GRACE, all).await;
    }
}

/// Finds every socket's address, or says every fault; `given` are addresses of
/// the command line.
pub(super) fn resolve(
    config: &Config,
    given: &HashMap<String, String>,
) -> anyhow::Result<Vec<Socket>> {
    let mut faults = Vec::new();
    let mut sockets = Vec::new();
    for (index, socket) in config.sockets.iter().enumerate() {
        let path = format!("sockets[{index}]");
        if let SocketProtocol::Http(http) = &socket.protocol
            && let Some(option) = unusual(http)
        {
            faults.push(format!("{path}.http.{option} is not offered"));
        }
        let Some(text) = given.get(&socket.name).or(socket.address.as_ref()) else {
            faults.push(format!(
                "{path}.address is missing; give it here or by --socket-addr"
            ));
            continue;
        };
        match address(text) {
            Ok(address) => sockets.push(Socket {
                name: socket.name.clone(),
                address,
                speaks: match &socket.protocol {
                    SocketProtocol::Http(_) => Speaks::Http,
                    SocketProtocol::Tcp => Speaks::Tcp(text.clone()),
                },
                service: socket.service.clone(),
            }),
            Err(error) => faults.push(format!("{path}.address: {text:?}: {error:#}")),
        }
    }
    for name in given.keys() {
        if !config.sockets.iter().any(|socket| socket.name == *name) {
            faults.push(format!("--socket-addr: no socket is called {name:?}"));
        }
    }
    if faults.is_empty() {
        Ok(sockets)
    } else {
        bail!(faults.join("\n"))
    }
}

/// An option that is not the usual one.
fn unusual(http: &HttpOptions) -> Option<&'static str> {
    if http.style == Style::Proxy {
        Some("style")
    } else if http.forwarded_proto_header.is_some() {
        Some("forwardedProtoHeader")
    } else if http.cf_blob_header.is_some() {
        Some("cfBlobHeader")
    } else if !http.inject_request_headers.is_empty() {
        Some("injectRequestHeaders")
    } else if !http.inject_response_headers.is_empty() {
        Some("injectResponseHeaders")
    } else {
        None
    }
}

/// `*:80`, `1.2.3.4`, `[::1]:80`, `localhost:8080`.
fn address(text: &str) -> anyhow::Result<SocketAddr> {
    if text.starts_with("unix:") || text.starts_with("unix-abstract:") {
        bail!("Unix sockets are not offered");
    }
    if let Some(port) = text.strip_prefix('*') {
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().context("the port is no number up to 65535")?,
            None => HTTP_PORT,
        };
        return Ok((Ipv4Addr::UNSPECIFIED, port).into());
    }
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let mut found = match text.parse::<std::net::IpAddr>() {
        Ok(ip) => return Ok((ip, HTTP_PORT).into()),
        Err(_) if text.contains(':') => text.to_socket_addrs()?,
        Err(_) => (text, HTTP_PORT).to_socket_addrs()?,
    };
    found.next().context("the name has no address")
}

/// Who is told which sockets are open.
pub(super) enum News {
    Nobody,
    /// A person, on standard output.
    Person,
    /// A program, on a file descriptor it gave.
    Program(std::fs::File),
}

impl News {
    pub(super) fn open(descriptor: Option<u32>) -> anyhow::Result<Self> {
        let Some(number) = descriptor else {
            return Ok(Self::Person);
        };
        let path = format!("/proc/self/fd/{number}");
        let file = std::fs::OpenOptions::new().append(true).open(path);
        file.map(Self::Program)
            .with_context(|| format!("--control-fd: {number}"))
    }

    fn tell(&mut self, socket: &Socket, address: SocketAddr) -> anyhow::Result<()> {
        let name = &socket.name;
        match self {
            Self::Nobody => {}
            Self::Person => match socket.speaks {
                Speaks::Http => println!("{name} on http://{address}"),
                Speaks::Tcp(_) => println!("{name} on {address}"),
            },
            Self::Program(file) => {
                let event = serde_json::json!({
                    "event": "listen", "socket": name, "port": address.port(),
                });
                writeln!(file, "{event}").context("--control-fd")?;
            }
        }
        Ok(())
    }
}

/// Opens the sockets on the lane, all or none.
pub(super) async fn listen(
    lane: &Lane,
    services: &Services,
    sockets: Vec<Socket>,
    news: &mut News,
) -> anyhow::Result<Open> {
    let mut bound = Vec::new();
    for socket in sockets {
        let worker = worker(services, &socket)?;
        let listener = bind(socket.address, 1)
            .ok()
            .and_then(|mut listeners| listeners.pop())
            .with_context(|| {
                format!(
                    "socket {:?}: {}: cannot listen there",
                    socket.name, socket.address
                )
            })?;
        news.tell(&socket, listener.local_addr()?)?;
        bound.push((listener, socket, worker));
    }
    let stop = CancellationToken::new();
    let mut ended = Vec::new();
    for (listener, socket, worker) in bound {
        let stop = stop.clone();
        ended.push(match socket.speaks {
            Speaks::Http => lane.run(move |lane| {
                let routes = Routes::new(Roster::only(Target {
                    worker,
                    lane: None,
                    duties: Default::default(),
                }));
                let ingress = Ingress::new(lane, routes, options());
                listen_on_lane(listener, ingress, stop).boxed_local()
            })?,
            Speaks::Tcp(authority) => lane.run(move |lane| {
                let to = target(&socket.service);
                let serve = move |stream, _peer| {
                    let stream = stream::accepted(stream);
                    let (called, _taken) = RpcEnd::of_stream(authority.clone(), stream);
                    let served = lane.clone().rpc(worker.clone(), to.clone(), called);
                    async move {
                        match served.await {
                            // What the handler threw is in the log.
                            Ok(()) | Err(EventError::Exception(_)) => {}
                            Err(error) => tracing::warn!(%error, "a connection was not served"),
                        }
                    }
                };
                accept_on_lane(listener, stop, serve).boxed_local()
            })?,
        });
    }
    Ok(Open { stop, ended })
}

fn worker(services: &Services, socket: &Socket) -> anyhow::Result<Arc<Worker>> {
    let Designator {
        name,
        entrypoint,
        props,
    } = &socket.service;
    let worker = match services.get(name) {
        Some(Service::Worker(worker)) => worker.clone(),
        _ => bail!("socket {:?}: service {name:?} is no worker", socket.name),
    };
    if matches!(socket.speaks, Speaks::Http) && (entrypoint.is_some() || props.is_some()) {
        bail!(
            "socket {:?}: an entrypoint or props are not offered",
            socket.name
        );
    }
    Ok(worker)
}

fn options() -> IngressOptions {
    IngressOptions {
        max_head: 128 << 10,
        max_body: 100 << 20,
        head_timeout: Duration::from_secs(30),
        detail: Detail::Terse,
        access: AccessLog::Off,
        health: None,
        scheduled_route: false,
        grace: GRACE,
    }
}
