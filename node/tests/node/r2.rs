//! R2 through the binary: what a worker may expect of a bucket, and what is left of
//! one after a crash.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use crate::objects::with_packages;
use crate::support::http::{Answer, Request, Upload, get, send};
use crate::support::{Dev, Process, signal, until};

const CONFIG: &str = r#"{
  "name": "demo",
  "main": "worker.js",
  "compatibility_date": "2026-04-01",
  "r2_buckets": [{ "binding": "BUCKET", "bucket_name": "files" }]
}"#;

fn project() -> tempfile::TempDir {
    project_with("")
}

/// With more fields of its configuration, each with a comma behind.
pub(crate) fn project_with(fields: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let config = CONFIG.replacen('{', &format!("{{ {fields}"), 1);
    std::fs::write(dir.path().join("wrangler.jsonc"), config).expect("a file");
    let worker = include_str!("../r2/worker.js");
    std::fs::write(dir.path().join("worker.js"), worker).expect("a file");
    dir
}

pub(crate) fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn ask(dev: &Dev, path: &str) -> Answer {
    send(dev.address, &get("localhost", path))
}

fn put(dev: &Dev, path: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = Request {
        method: "PUT".into(),
        upload: Upload::Sized(body.into()),
        ..get("localhost", path)
    };
    send(dev.address, &request)
}

/// The files of blobs, finished or not.
fn blobs(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.join(".outboard/r2/files")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found
}

/// Runs `outboard` in a project; gives what it prints, and how it ended.
pub(crate) fn outboard(dir: &Path, arguments: &[&str], input: &[u8]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command.args(arguments).current_dir(dir);
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("outboard starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // It may not read it.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().expect("outboard ends");
    let told = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&told).into_owned(),
    )
}

fn done(dir: &Path, arguments: &[&str], input: &[u8]) -> String {
    let (well, told) = outboard(dir, arguments, input);
    assert!(well, "{arguments:?}: {told}");
    told
}

fn refused(dir: &Path, arguments: &[&str]) -> String {
    let (well, told) = outboard(dir, arguments, &[]);
    assert!(!well, "{arguments:?}: {told}");
    told
}

#[test]
fn a_bucket_is_as_workers_expect_it() {
    let dir = project();
    let dev = Dev::start(dir.path());
    let promises = text(&ask(&dev, "/promises"));
    let promises: Vec<String> = serde_json::from_str(&promises).expect("names");
    assert!(promises.len() > 8, "{promises:?}");
    for promise in promises {
        let answer = ask(&dev, &format!("/{promise}"));
        assert_eq!(text(&answer), "ok", "{promise}");
    }
    drop(dev);
    // No bytes are kept that are no object's: those of objects in parts are two.
    let objects = done(dir.path(), &["r2", "list", "files"], &[]);
    let empty = |line: &&str| line.trim_start().starts_with("0 ");
    let expected = objects.lines().filter(|line| !empty(line)).count() + 1;
    let dev = Dev::start(dir.path());
    assert_eq!(ask(&dev, "/none").status, "404 Not Found");
    until("the sweep", || blobs(dir.path()).len() == expected);
}

/// A worker serves files in the fewest lines, with all of HTTP's ranges and conditions.
#[test]
fn an_object_is_served_over_http() {
    let dir = project();
    let dev = Dev::start(dir.path());
    let stored = text(&put(&dev, "/a/b?x", "0123456789"));
    assert!(stored.contains("\"size\":10"), "{stored}");
    let answer = ask(&dev, "/a/b");
    assert_eq!(answer.header("content-length"), Some("10"), "{answer:?}");
    let etag = answer.header("etag").expect("an etag").to_string();
    let with = |name: &str, value: &str| {
        let mut request = get("localhost", "/a/b");
        request.headers.push((name.into(), value.into()));
        let answer = send(dev.address, &request);
        (answer.status.clone(), text(&answer))
    };
    assert_eq!(with("range", "bytes=3-5").1, "345");
    assert_eq!(with("if-none-match", &etag).0, "304 Not Modified");
    assert_eq!(with("if-none-match", "\"x\"").1, "0123456789");
    assert_eq!(with("if-match", "\"x\"").0, "304 Not Modified");
    // A body that is cut is no object.
    let mut cut = std::net::TcpStream::connect(dev.address).expect("a connection");
    let head = "PUT /cut HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3000000\r\n\r\n";
    cut.write_all(head.as_bytes()).expect("written");
    cut.write_all(&vec![b'x'; 2_000_000]).expect("written");
    drop(cut);
    until("what came of it is gone", || blobs(dir.path()).len() == 1);
    assert_eq!(ask(&dev, "/cut").status, "404 Not Found");
}

/// The most megabytes that a process had.
pub(crate) fn memory(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()));
    let status = status.expect("the process's status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let digits = line
        .expect("a line")
        .replace(|c: char| !c.is_ascii_digit(), "");
    digits.parse::<u64>().expect("a number") >> 10
}

#[test]
fn a_large_object_streams_both_ways() {
    const MB: usize = 1 << 20;
    let dir = project();
    let dev = Dev::start(dir.path());
    assert!(text(&put(&dev, "/small", "x")).contains("etag"));
    assert_eq!(text(&ask(&dev, "/small")), "x");
    let before = memory(&dev.process);
    let mut bytes: Vec<u8> = Vec::with_capacity(100 * MB);
    while bytes.len() < 99 * MB + 7 {
        bytes.extend_from_slice(
            &(bytes.len() as u64)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .to_le_bytes(),
        );
    }
    let answer = put(&dev, "/large", bytes.clone());
    assert!(
        text(&answer).contains(&bytes.len().to_string()),
        "{answer:?}"
    );
    let found = ask(&dev, "/large");
    assert!(found.body == bytes, "{} bytes came back", found.body.len());
    let more = memory(&dev.process).saturating_sub(before);
    assert!(more < 48, "{more} MB more than {before}");
}

/// Invariants 1 and 3: an acknowledged put is there, and none is there in part.
#[test]
fn puts_survive_kill_9_whole() {
    const KEYS: usize = 4;
    let dir = project();
    // Values have sizes of one write and of several.
    let value = |key: usize, number: u64| {
        let line = format!("{key} {number}\n");
        line.repeat(1 + (number as usize * 7919) % 300_000)
    };
    let acknowledged: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    let sent: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    for cycle in 0..6 {
        let dev = Dev::start(dir.path());
        for key in 0..KEYS {
            let answer = ask(&dev, &format!("/key{key}"));
            let found = text(&answer);
            let last = match answer.status.as_str() {
                "404 Not Found" => 0,
                _ => {
                    let line = found.lines().next().expect("a line");
                    let (_, number) = line.split_once(' ').expect("a number");
                    let number = number.parse().expect("a number");
                    assert!(found == value(key, number), "cycle {cycle}: {key} is whole");
                    number
                }
            };
            let (least, most) = (
                acknowledged[key].load(Ordering::Relaxed),
                sent[key].load(Ordering::Relaxed),
            );
            assert!(
                (least..=most).contains(&last),
                "{cycle}: {least} {last} {most}"
            );
            acknowledged[key].store(last, Ordering::Relaxed);
            sent[key].store(last, Ordering::Relaxed);
        }
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (told, answers) = mpsc::channel();
            for key in 0..KEYS {
                let (dev, over, told) = (&dev, &over, told.clone());
                let (sent, acknowledged) = (&sent[key], &acknowledged[key]);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        let number = sent.load(Ordering::Relaxed) + 1;
                        sent.store(number, Ordering::Relaxed);
                        let answer = put(dev, &format!("/key{key}"), value(key, number));
                        if answer.status != "200 OK" {
                            return;
                        }
                        acknowledged.store(number, Ordering::Relaxed);
                        let _ = told.send(());
                    }
                });
            }
            drop(told);
            for _ in 0..10 + cycle * 5 {
                answers.recv().expect("a put is acknowledged");
            }
            signal(&dev.process, libc::SIGKILL);
            over.store(true, Ordering::Relaxed);
        });
    }
    let sound = done(dir.path(), &["data", "check"], &[]);
    assert!(sound.contains("are sound"), "{sound}");
    let dev = Dev::start(dir.path());
    assert_eq!(ask(&dev, "/none").status, "404 Not Found");
    until("the sweep", || blobs(dir.path()).len() == KEYS);
}

#[test]
fn people_list_read_write_and_delete_objects() {
    let dir = project();
    let dir = dir.path();
    let dev = Dev::start(dir);
    assert_eq!(put(&dev, "/a", "from a worker").status, "200 OK");
    let beside = done(dir, &["r2", "list"], &[]);
    assert_eq!(beside.trim(), format!("1 {:>16}  files", 13));
    drop(dev);
    let line = done(
        dir,
        &["r2", "put", "files", "/b", "--content-type", "text/x"],
        b"by hand",
    );
    assert!(line.ends_with("  /b\n"), "{line}");
    assert_eq!(
        done(dir, &["r2", "get", "files", "/a"], &[]),
        "from a worker"
    );
    assert_eq!(
        done(dir, &["r2", "list"], &[]).trim(),
        format!("2 {:>16}  files", 20)
    );
    let list = done(dir, &["r2", "list", "files", "--prefix", "/b"], &[]);
    assert!(
        list.starts_with(&format!("{:>12}  ", 7)) && list.lines().count() == 1,
        "{list}"
    );
    done(dir, &["r2", "get", "files", "/b", "--file", "out"], &[]);
    assert_eq!(
        std::fs::read(dir.join("out")).expect("the file"),
        b"by hand"
    );
    let there = refused(dir, &["r2", "get", "files", "/b", "--file", "out"]);
    assert!(there.contains("FILE: out: "), "{there}");
    done(dir, &["r2", "put", "files", "/c", "--file", "out"], &[]);
    let none = refused(dir, &["r2", "get", "files", "/none"]);
    assert!(
        none.contains("KEY: \"/none\": there is no such object"),
        "{none}"
    );
    let none = refused(dir, &["r2", "list", "nothing"]);
    assert!(
        none.contains("BUCKET: there is no bucket \"nothing\""),
        "{none}"
    );
    done(dir, &["r2", "delete", "files", "/a", "/c"], &[]);

    assert!(done(dir, &["data", "ls"], &[]).ends_with("  r2/files\n"));
    assert!(done(dir, &["data", "check"], &[]).contains("are sound"));
    let blob = blobs(dir).pop().expect("a blob");
    std::fs::write(&blob, "by").expect("written");
    let cut = refused(dir, &["data", "check"]);
    assert!(cut.contains("R2 object files//b: its blob "), "{cut}");
    assert!(cut.contains(" has 2 of its 7 bytes"), "{cut}");
    std::fs::remove_file(&blob).expect("removed");
    let missing = refused(dir, &["data", "check"]);
    assert!(missing.contains(" is missing\n"), "{missing}");
    let dev = Dev::start(dir);
    let answer = ask(&dev, "/b");
    assert_eq!(answer.status, "500 Internal Server Error");
    assert!(
        text(&answer).contains("get: We encountered an internal error. Please try again. (10001)")
    );
}

/// An upload outlives the process; what is never completed leaves nothing else.
#[test]
fn an_upload_goes_on_after_a_crash() {
    let dir = project();
    let dev = Dev::start(dir.path());
    let post = |dev: &Dev, path: &str| {
        let request = Request {
            method: "POST".into(),
            ..get("localhost", path)
        };
        text(&send(dev.address, &request))
    };
    let upload = post(&dev, "/uploads/begin");
    let part = post(&dev, &format!("/uploads/part/{upload}/1"));
    signal(&dev.process, libc::SIGKILL);
    drop(dev);
    let dev = Dev::start(dir.path());
    let other = post(&dev, &format!("/uploads/part/{upload}/2"));
    let made = post(&dev, &format!("/uploads/complete/{upload}/{part}/{other}"));
    assert_eq!(made, (2 * (5 << 20)).to_string());
    assert_eq!(ask(&dev, "/crashed").body.len(), 2 * (5 << 20));
}

#[test]
fn hono_keeps_files_in_a_bucket() {
    let Some(dir) = with_packages("r2.ts") else {
        return;
    };
    let config = CONFIG.replace("worker.js", "r2.ts");
    std::fs::write(dir.path().join("wrangler.jsonc"), config).expect("a file");
    let dev = Dev::start(dir.path());
    let ask = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let mut request = get("localhost", path);
        request.method = method.into();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        request.headers.extend(headers);
        if !body.is_empty() {
            request.upload = Upload::Sized(body.into());
        }
        send(dev.address, &request)
    };
    let form = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
                content-type: text/plain\r\n\r\nfrom a form\r\n--x\r\n\
                content-disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--x--\r\n";
    let form_type = [("content-type", "multipart/form-data; boundary=x")];
    let answer = ask("POST", "/upload", &form_type, form);
    let log = || dev.process.log();
    let expected = r#"{"key":"forms/a.txt","size":11,"note":"hello"}"#;
    assert_eq!(text(&answer), expected, "{}", log());
    let answer = ask("GET", "/files/forms/a.txt", &[("range", "bytes=5-")], "");
    assert_eq!(
        (answer.status.as_str(), text(&answer).as_str()),
        ("206 Partial Content", "a form")
    );
    assert_eq!(answer.header("content-range"), Some("bytes 5-10/11"));
    assert_eq!(answer.header("content-type"), Some("text/plain"));

    let html = [("content-type", "text/html"), ("if-none-match", "*")];
    let answer = ask("PUT", "/files/b.html", &html, "<p>one");
    assert_eq!(answer.status, "200 OK", "{}", log());
    assert_eq!(
        text(&ask("PUT", "/files/b.html", &html, "<p>two")),
        "not as expected"
    );
    let answer = ask("GET", "/files/b.html", &[], "");
    assert_eq!(text(&answer), "<p>one");
    let etag = answer.header("etag").expect("an etag").to_string();
    let again = ask("GET", "/files/b.html", &[("if-none-match", &etag)], "");
    assert_eq!(again.status, "304 Not Modified");
    for name in ["c", "d", "e"] {
        ask("PUT", &format!("/files/{name}"), &[], name);
    }
    assert_eq!(
        text(&ask("GET", "/list", &[], "")),
        r#"["b.html","c","d","e","forms/"]"#
    );
    assert_eq!(ask("DELETE", "/files/c", &[], "").status, "204 No Content");
    assert_eq!(ask("GET", "/files/c", &[], "").status, "404 Not Found");
}
