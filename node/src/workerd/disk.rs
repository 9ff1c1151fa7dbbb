//! A folder that is read by requests: a file's bytes, a folder's list as JSON.

use std::fs::{self, FileType, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use outboard_runtime::{HostBody, empty_body, full_body};

/// The largest file that is answered: it is held whole.
const MAX_FILE: u64 = 256 << 20;

#[derive(Clone)]
pub(crate) struct Disk {
    root: PathBuf,
    allow_dotfiles: bool,
}

impl Disk {
    pub(super) fn new(root: PathBuf, config: &outboard_workerd::Disk) -> Self {
        Self {
            root,
            allow_dotfiles: config.allow_dotfiles,
        }
    }

    /// Answers one request. Dropping the future leaves a read to end by itself.
    pub(super) fn answer(
        &self,
        request: Request<HostBody>,
    ) -> impl Future<Output = Response<HostBody>> + use<> {
        let disk = self.clone();
        let method = request.method().clone();
        let path = request.uri().path().to_string();
        async move {
            let read = move || disk.read(&method, &path);
            match tokio::task::spawn_blocking(read).await {
                Ok(response) => response,
                Err(_panicked) => refused(StatusCode::INTERNAL_SERVER_ERROR),
            }
        }
    }

    fn read(&self, method: &Method, path: &str) -> Response<HostBody> {
        match *method {
            Method::GET | Method::HEAD => {}
            Method::PUT | Method::DELETE => return refused(StatusCode::METHOD_NOT_ALLOWED),
            _ => return refused(StatusCode::NOT_IMPLEMENTED),
        }
        let Some(path) = self.resolve(path) else {
            return refused(StatusCode::NOT_FOUND);
        };
        match self.content(&path) {
            Ok(Some((kind, bytes))) => content(method, kind, bytes),
            Ok(None) => refused(StatusCode::NOT_ACCEPTABLE),
            Err(_) => refused(StatusCode::NOT_FOUND),
        }
    }

    /// The file that a URL's path means; None where it may not be looked at.
    fn resolve(&self, path: &str) -> Option<PathBuf> {
        let mut resolved = self.root.clone();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let part = percent_decode(part)?;
            let hidden = part.starts_with('.') && !self.allow_dotfiles;
            if hidden || part == "." || part == ".." || part.contains(['/', '\0']) {
                return None;
            }
            resolved.push(part);
        }
        Some(resolved)
    }

    /// A file's bytes or a folder's list; None for what is neither.
    fn content(&self, path: &Path) -> io::Result<Option<(&'static str, Vec<u8>)>> {
        let about: Metadata = fs::metadata(path)?;
        if about.is_dir() {
            let mut list = Vec::new();
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if self.allow_dotfiles || !name.starts_with('.') {
                    let kind = kind(entry.file_type()?);
                    list.push(serde_json::json!({ "name": name, "type": kind }));
                }
            }
            let json = serde_json::Value::Array(list).to_string();
            return Ok(Some(("application/json", json.into_bytes())));
        }
        if !about.is_file() || about.len() > MAX_FILE {
            return Ok(None);
        }
        Ok(Some(("application/octet-stream", fs::read(path)?)))
    }
}

fn content(method: &Method, kind: &'static str, bytes: Vec<u8>) -> Response<HostBody> {
    let bytes = Bytes::from(bytes);
    let length = bytes.len();
    let body = if *method == Method::HEAD {
        empty_body()
    } else {
        full_body(bytes)
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn kind(kind: FileType) -> &'static str {
    if kind.is_file() {
        "file"
    } else if kind.is_dir() {
        "directory"
    } else if kind.is_symlink() {
        "symlink"
    } else if kind.is_block_device() {
        "blockDevice"
    } else if kind.is_char_device() {
        "characterDevice"
    } else if kind.is_fifo() {
        "namedPipe"
    } else if kind.is_socket() {
        "socket"
    } else {
        "other"
    }
}

fn refused(status: StatusCode) -> Response<HostBody> {
    let mut response = Response::new(full_body(status.canonical_reason().unwrap_or_default()));
    *response.status_mut() = status;
    response
}

/// None where it is not UTF-8 or an escape is broken.
fn percent_decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = after.get(..2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_in_the_folder_is_looked_at() {
        let disk = Disk {
            root: "/folder".into(),
            allow_dotfiles: true,
        };
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(disk.resolve(path), expected.map(PathBuf::from), "{path}");
        };
        check("/a/b%20c", Some("/folder/a/b c"));
        check("/", Some("/folder"));
        check("/.git/x", Some("/folder/.git/x"));
        check("/../x", None);
        check("/%2e%2e/x", None);
        check("/a%2f..%2f..", None);
        check("/%zz", None);
        let disk = Disk {
            allow_dotfiles: false,
            ..disk
        };
        assert_eq!(disk.resolve("/.git/x"), None);
    }
}
