//! The tests' own server, which is part of their checkout (in Python).

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, ChildStdin, Command};

const PROGRAM: &str = include_str!("serve.py");
/// How long it may take to listen.
const READY: Duration = Duration::from_secs(60);

pub(crate) struct Site {
    ports: Ports,
    /// The server ends when this is closed.
    _life: Option<ChildStdin>,
    _child: Option<Child>,
    _files: Option<tempfile::TempDir>,
}

/// Ports of the server. Nothing listens on that of https.
struct Ports {
    http: [u16; 2],
    ws: u16,
    https: u16,
}

impl Site {
    /// Names that lead to this machine without a change of its configuration.
    pub(crate) const HOST: &'static str = "localhost";
    pub(crate) const OTHER_HOST: &'static str = "127.0.0.1";

    pub(crate) async fn start(tests: &Path) -> Result<Self> {
        let [first, second, ws, https] = free_ports()?;
        let files = tempfile::tempdir()?;
        let config = files.path().join("config.json");
        let settings = serde_json::json!({
            "browser_host": Self::HOST,
            "alternate_hosts": { "alt": Self::OTHER_HOST },
            "server_host": "127.0.0.1",
            "check_subdomains": false,
            "ssl": { "type": "none" },
            "logging": { "level": "error" },
            "ports": {
                "http": [first, second], "ws": [ws], "https": [https], "wss": [],
                "http-local": [], "http-private": [], "http-public": [],
                "https-local": [], "https-private": [], "https-public": [],
                "h2": [], "webtransport-h3": [],
            },
        });
        std::fs::write(&config, settings.to_string())?;
        let program = files.path().join("serve.py");
        std::fs::write(&program, PROGRAM)?;
        let log = files.path().join("log");
        let mut child = Command::new("python3")
            .arg(&program)
            .arg(&config)
            .current_dir(tests)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create(&log)?)
            .stderr(std::fs::File::options().append(true).open(&log)?)
            .spawn()
            .context("python3")?;
        let life = child.stdin.take();
        let listening = async {
            for port in [first, second, ws] {
                while tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))
                    .await
                    .is_err()
                {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        };
        tokio::select! {
            () = listening => {}
            status = child.wait() => bail!(
                "it ended with {}:\n{}",
                status?,
                std::fs::read_to_string(&log).unwrap_or_default()
            ),
            () = tokio::time::sleep(READY) => bail!("it does not listen after {READY:?}"),
        }
        Ok(Self {
            ports: Ports {
                http: [first, second],
                ws,
                https,
            },
            _life: life,
            _child: Some(child),
            _files: Some(files),
        })
    }

    /// A port by its scheme; where nothing serves it, one that is closed.
    pub(crate) fn port(&self, scheme: &str, index: usize) -> u16 {
        match scheme {
            "http" => self.ports.http[index.min(1)],
            "ws" => self.ports.ws,
            _ => self.ports.https,
        }
    }

    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", Self::HOST, self.ports.http[0])
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.authority())
    }

    #[cfg(test)]
    pub(crate) fn for_test(port: u16) -> Self {
        Self {
            ports: Ports {
                http: [port, port + 1],
                ws: port + 2,
                https: port + 3,
            },
            _life: None,
            _child: None,
            _files: None,
        }
    }
}

/// All are held until the last is found, so that no two are alike.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
