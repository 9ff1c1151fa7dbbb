//! A case: a worker's script with what to send it, read from its comments.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::support::http::{self, Answer, Request, Upload};

pub(super) struct Case {
    pub(super) name: String,
    pub(super) script: PathBuf,
    /// Its project, where it has packages and so must be bundled.
    pub(super) project: Option<Project>,
    /// Loopback servers that it calls; a variable of the name is the address.
    pub(super) servers: Vec<String>,
    pub(super) env: BTreeMap<String, Value>,
    /// Its compatibility flags.
    pub(super) flags: Vec<String>,
    pub(super) requests: Vec<CaseRequest>,
}

/// A script with packages.
pub(super) struct Project {
    /// With the script, a wrangler configuration, and `node_modules`.
    pub(super) dir: PathBuf,
    /// What `outboard bundle` made of it, the entry first.
    pub(super) modules: Vec<PathBuf>,
}

/// One request, as README.md in the cases' folder describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CaseRequest {
    #[serde(default = "get")]
    pub(super) method: String,
    #[serde(default = "root")]
    pub(super) path: String,
    #[serde(default)]
    headers: BTreeMap<String, OneOrMany>,
    body: Option<String>,
    #[serde(default = "once")]
    repeat: usize,
    chunks: Option<Vec<String>>,
    #[serde(default)]
    ignore_headers: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

fn get() -> String {
    "GET".into()
}

fn root() -> String {
    "/".into()
}

fn once() -> usize {
    1
}

/// What the cases' README promises.
pub(super) const COMPATIBILITY_DATE: &str = "2026-04-01";

/// Headers that say nothing about the worker's answer.
const IGNORED: [&str; 3] = ["date", "connection", "keep-alive"];

/// Every case of a folder, by name.
pub(super) fn read_all(folder: &Path) -> Vec<Case> {
    let mut cases: Vec<Case> = std::fs::read_dir(folder)
        .expect("the cases' folder")
        .map(|entry| entry.expect("a folder's entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "js" || extension == "ts")
        })
        .map(|path| read(&path))
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!cases.is_empty(), "no case in {}", folder.display());
    cases
}

fn read(path: &Path) -> Case {
    let source = std::fs::read_to_string(path).expect("a case is text");
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let requests = match comment(&source, "requests:") {
        Some(json) => {
            serde_json::from_str(json).unwrap_or_else(|error| panic!("{name}: requests: {error}"))
        }
        None => serde_json::from_str("[{}]").expect("an empty request"),
    };
    let env = match comment(&source, "env:") {
        Some(json) => {
            serde_json::from_str(json).unwrap_or_else(|error| panic!("{name}: env: {error}"))
        }
        None => BTreeMap::new(),
    };
    let list = |tag: &str| {
        comment(&source, tag).map_or_else(Vec::new, |json| {
            serde_json::from_str(json).unwrap_or_else(|error| panic!("{name}: {tag} {error}"))
        })
    };
    let (flags, servers) = (list("flags:"), list("servers:"));
    Case {
        name: name.into_owned(),
        script: path.to_path_buf(),
        project: None,
        servers,
        env,
        flags,
        requests,
    }
}

/// The JSON of the comment that begins with `tag`.
fn comment<'a>(source: &'a str, tag: &str) -> Option<&'a str> {
    let mut comments = source.split("/*").skip(1);
    comments.find_map(|comment| {
        let (inside, _) = comment.split_once("*/")?;
        inside.trim_start().strip_prefix(tag)
    })
}

impl Case {
    /// Outboard's configuration for it.
    pub(super) fn config(&self) -> String {
        let vars: toml::Table = self
            .env
            .iter()
            .map(|(name, value)| (name.clone(), to_toml(value)))
            .collect();
        let mut worker = toml::Table::new();
        worker.insert("name".into(), self.name.clone().into());
        worker.insert("routes".into(), vec!["*"].into());
        worker.insert("vars".into(), vars.into());
        if let Some(project) = &self.project {
            worker.insert("dir".into(), project.dir.display().to_string().into());
        } else {
            worker.insert("main".into(), self.script.display().to_string().into());
            worker.insert("compatibility_date".into(), COMPATIBILITY_DATE.into());
            worker.insert("compatibility_flags".into(), self.flags.clone().into());
        }
        let mut config = String::from("lanes = 1\nready = 1\negress = { allow_private = true }\n");
        let mut table = toml::Table::new();
        table.insert("worker".into(), toml::Value::Array(vec![worker.into()]));
        let _ = write!(config, "{table}");
        config
    }
}

/// By hand: with arbitrary precision on, serde takes a JSON number for a table.
fn to_toml(value: &Value) -> toml::Value {
    match value {
        Value::Null => panic!("TOML has no null"),
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().unwrap_or(f64::NAN).into(),
        },
        Value::String(text) => text.clone().into(),
        Value::Array(list) => list.iter().map(to_toml).collect::<Vec<_>>().into(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), to_toml(value)))
            .collect::<toml::Table>()
            .into(),
    }
}

impl CaseRequest {
    /// What a server at `address` makes of it.
    pub(super) fn answer(&self, address: SocketAddr) -> Answer {
        let mut headers = vec![("connection".to_string(), "close".to_string())];
        if !self
            .headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("host"))
        {
            headers.push(("host".into(), "parity.test".into()));
        }
        for (name, value) in &self.headers {
            let values = match value {
                OneOrMany::One(value) => std::slice::from_ref(value),
                OneOrMany::Many(values) => values,
            };
            for value in values {
                let value = value.replace("$ADDRESS", &address.to_string());
                headers.push((name.clone(), value));
            }
        }
        let upload = match (&self.chunks, &self.body) {
            (Some(chunks), _) => {
                Upload::Chunked(chunks.iter().map(|chunk| chunk.clone().into()).collect())
            }
            (None, Some(body)) => Upload::Sized(body.repeat(self.repeat).into()),
            (None, None) => Upload::None,
        };
        let mut answer = http::send(
            address,
            &Request {
                method: self.method.clone(),
                path: self.path.clone(),
                headers,
                upload,
            },
        );
        let length = answer.body.len().to_string();
        for (name, value) in &mut answer.headers {
            // A body that differs would differ twice.
            if name == "content-length" && !answer.body.is_empty() && *value == length {
                *value = "(the body's)".into();
            }
        }
        answer.headers.retain(|(name, _)| {
            !IGNORED.contains(&name.as_str())
                && !self.ignore_headers.iter().any(|ignored| ignored == name)
        });
        if answer.header("content-encoding") == Some("gzip") && !answer.body.is_empty() {
            answer.body = unpack(&answer.body);
        }
        answer
    }

    /// `POST /path`, with what tells it from its neighbours.
    pub(super) fn describe(&self) -> String {
        let mut text = format!("{} {}", self.method, self.path);
        if !self.headers.is_empty() {
            let _ = write!(text, " {:?}", self.headers);
        }
        text
    }
}

fn unpack(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain) {
        Ok(_) => plain,
        Err(error) => format!("(no gzip: {error})").into_bytes(),
    }
}
