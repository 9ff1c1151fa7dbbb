//! KV through the binary: what a namespace keeps, over kills and restarts, and for
//! people.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::objects::with_packages;
use crate::support::http::{Answer, Request, Upload, get, send};
use crate::support::{Dev, Outboard, until};

const CONFIG: &str = r#"{
  "name": "demo",
  "main": "index.js",
  "compatibility_date": "2026-04-01",
  "kv_namespaces": [
    { "binding": "KV", "id": "things" },
    { "binding": "SPLIT", "id": "live", "preview_id": "preview" },
    { "binding": "OWN" }
  ]
}"#;

/// PUT, GET and DELETE of keys, `?options=JSON`, in the namespace of the header `kv`;
/// a GET of `/` lists, and of `/?keys=JSON` gets several.
const SCRIPT: &str = "
export default {
  async fetch(request, env) {
    const kv = env[request.headers.get('kv') ?? 'KV'];
    const { pathname, searchParams } = new URL(request.url);
    const key = decodeURIComponent(pathname.slice(1));
    const options = JSON.parse(searchParams.get('options') ?? '{}');
    try {
      if (request.method === 'PUT') {
        await kv.put(key, request.body ?? '', options);
        return new Response('done');
      }
      if (request.method === 'DELETE') {
        await kv.delete(key);
        return new Response('done');
      }
      if (searchParams.has('keys')) {
        const keys = JSON.parse(searchParams.get('keys'));
        return Response.json([...await kv[searchParams.get('call') ?? 'get'](keys, options)]);
      }
      if (key === '') return Response.json(await kv.list(options));
      const { value, metadata } = await kv.getWithMetadata(key, { type: 'stream', ...options });
      if (value === null) return new Response('none', { status: 404 });
      return new Response(value, { headers: { metadata: JSON.stringify(metadata) } });
    } catch (error) {
      return new Response(`${error}`, { status: 500 });
    }
  },
};
";

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("wrangler.jsonc"), CONFIG).expect("a file");
    std::fs::write(dir.path().join("index.js"), SCRIPT).expect("a file");
    dir
}

fn request(method: &str, path: &str, options: &Value, upload: Upload) -> Request {
    let options = options.to_string();
    let query: String = form_urlencoded::byte_serialize(options.as_bytes()).collect();
    let separator = if path.contains('?') { '&' } else { '?' };
    let mut request = get("localhost", &format!("{path}{separator}options={query}"));
    request.method = method.into();
    request.upload = upload;
    request
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn put_with(dev: &Dev, path: &str, options: Value, value: impl Into<Vec<u8>>) -> String {
    let upload = Upload::Sized(value.into());
    text(&send(dev.address, &request("PUT", path, &options, upload)))
}

fn put(dev: &Dev, path: &str, value: impl Into<Vec<u8>>) {
    assert_eq!(put_with(dev, path, json!({}), value), "done", "{path}");
}

fn value(dev: &Dev, path: &str) -> String {
    text(&send(dev.address, &get("localhost", path)))
}

fn listed(dev: &Dev, options: Value) -> Value {
    let answer = send(dev.address, &request("GET", "/", &options, Upload::None));
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}", text(&answer)))
}

fn several(dev: &Dev, call: &str, keys: &[&str], options: Value) -> String {
    let keys = json!(keys).to_string();
    let keys: String = form_urlencoded::byte_serialize(keys.as_bytes()).collect();
    let path = format!("/?call={call}&keys={keys}");
    text(&send(
        dev.address,
        &request("GET", &path, &options, Upload::None),
    ))
}

#[test]
fn a_namespace_keeps_keys_values_and_metadata() {
    let dir = project();
    let dev = Dev::start(dir.path());
    assert_eq!(value(&dev, "/a"), "none");
    put(&dev, "/a", "one");
    put(&dev, "/a", "two");
    put(&dev, "/empty", "");
    assert_eq!(
        put_with(
            &dev,
            "/a%2Fb%20%C3%A9",
            json!({ "metadata": { "n": [1, "\u{e9}"] } }),
            "three"
        ),
        "done"
    );
    assert_eq!(
        put_with(&dev, "/soon", json!({ "expirationTtl": 60 }), "{}"),
        "done"
    );
    // Killed: nothing was closed.
    drop(dev);
    let dev = Dev::start(dir.path());
    assert_eq!(value(&dev, "/a"), "two");
    assert_eq!(value(&dev, "/empty"), "");
    let answer = send(dev.address, &get("localhost", "/a%2Fb%20%C3%A9"));
    assert_eq!(text(&answer), "three");
    assert_eq!(answer.header("metadata"), Some("{\"n\":[1,\"\u{e9}\"]}"));
    assert_eq!(answer.header("content-length"), Some("5"));

    let mut all = listed(&dev, json!({}));
    let soon = all["keys"][3]["expiration"].take();
    assert!(
        soon.as_u64().is_some_and(|time| time > 1_700_000_000),
        "{soon}"
    );
    let expected = json!({
        "keys": [
            { "name": "a" },
            { "name": "a/b \u{e9}", "metadata": { "n": [1, "\u{e9}"] } },
            { "name": "empty" },
            { "name": "soon", "expiration": null },
        ],
        "list_complete": true,
        "cacheStatus": null,
    });
    assert_eq!(all, expected);
    let first = listed(&dev, json!({ "limit": 1, "prefix": "a" }));
    assert_eq!(first["list_complete"], false);
    let rest = listed(&dev, json!({ "prefix": "a", "cursor": first["cursor"] }));
    assert_eq!(rest["keys"][0]["name"], "a/b \u{e9}");
    assert_eq!(rest["list_complete"], true);
    assert_eq!(rest.get("cursor"), None);

    let keys = ["empty", "none", "soon", "a/b \u{e9}", "a", "a"];
    let texts = r#"[["empty",""],["none",null],["soon","{}"],["a/b é","three"],["a","two"]]"#;
    assert_eq!(several(&dev, "get", &keys, json!({})), texts);
    assert_eq!(
        several(&dev, "get", &["soon", "none"], json!({ "type": "json" })),
        r#"[["soon",{}],["none",null]]"#
    );
    let with = r#"[["a/b é",{"value":"three","metadata":{"n":[1,"é"]}}],["a",{"value":"two","metadata":null}],["none",null]]"#;
    assert_eq!(
        several(
            &dev,
            "getWithMetadata",
            &["a/b \u{e9}", "a", "none"],
            json!({})
        ),
        with
    );

    let gone = text(&send(
        dev.address,
        &request("DELETE", "/a", &json!({}), Upload::None),
    ));
    assert_eq!(gone, "done");
    assert_eq!(value(&dev, "/a"), "none");
    assert_eq!(
        listed(&dev, json!({}))["keys"].as_array().map(Vec::len),
        Some(3)
    );
}

#[test]
fn what_is_past_a_limit_is_refused_in_workers_words() {
    let dir = project();
    let dev = Dev::start(dir.path());
    let check = |path: &str, options: Value, expected: &str| {
        assert_eq!(put_with(&dev, path, options, "value"), expected, "{path}");
    };
    let ttl = json!({ "expirationTtl": 59 });
    check(
        "/k",
        ttl,
        "Error: KV PUT failed: 400 Invalid expiration_ttl of 59. Expiration TTL must be at least 60.",
    );
    let past = json!({ "expiration": 1000 });
    check(
        "/k",
        past,
        "Error: KV PUT failed: 400 Invalid expiration of 1000. Please specify integer greater than the current number of seconds since the UNIX epoch.",
    );
    let metadata = json!({ "metadata": "x".repeat(1_023) });
    check(
        "/k",
        metadata,
        "Error: KV PUT failed: 413 Metadata length of 1025 exceeds limit of 1024.",
    );
    check("/k", json!({ "metadata": "x".repeat(1_022) }), "done");
    check("/..%2F", json!({}), "done");
    let got = |options: Value| {
        text(&send(
            dev.address,
            &request("GET", "/k", &options, Upload::None),
        ))
    };
    assert_eq!(got(json!({ "cacheTtl": 30 })), "value");
    assert_eq!(
        got(json!({ "cacheTtl": 29 })),
        "Error: KV GET failed: 400 Invalid cache_ttl of 29. Cache TTL must be at least 30."
    );
    let list = |options: Value| {
        text(&send(
            dev.address,
            &request("GET", "/", &options, Upload::None),
        ))
    };
    assert_eq!(
        list(json!({ "limit": 1001 })),
        "Error: KV GET failed: 400 Invalid key_count_limit of 1001. Please specify an integer less than 1000."
    );
    assert!(list(json!({ "cursor": "!" })).starts_with("Error: KV GET failed: 400 Invalid cursor"));
    let bulk = several(&dev, "get", &["k"; 101], json!({}));
    assert_eq!(
        bulk,
        "Error: KV GET_BULK failed: 400 You can request a maximum of 100 keys"
    );
    let json = several(&dev, "get", &["k"], json!({ "type": "json" }));
    assert_eq!(
        json,
        "Error: KV GET_BULK failed: 400 At least one of the requested keys corresponds to a non-json value"
    );
}

/// Bytes that are unlike at each place.
fn pattern(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn values_of_25_mib_go_in_and_out_in_streams() {
    const MOST: usize = 25 << 20;
    let dir = project();
    let dev = Dev::start(dir.path());
    let large = pattern(MOST);
    put(&dev, "/large", large.clone());
    let answer = send(dev.address, &get("localhost", "/large"));
    assert_eq!(answer.header("content-length"), Some("26214400"));
    assert!(answer.body == large, "it came back as it was");
    let refused = put_with(&dev, "/large", json!({}), vec![0; MOST + 1]);
    assert_eq!(
        refused,
        "Error: KV PUT failed: 413 Value length of 26214401 exceeds limit of 26214400."
    );
    // What was there stays.
    assert_eq!(
        send(dev.address, &get("localhost", "/large")).body.len(),
        MOST
    );
    // Without a length, over a part's end.
    let chunks: Vec<_> = large[..3 << 20]
        .chunks(700_001)
        .map(<[u8]>::to_vec)
        .collect();
    let streamed = request("PUT", "/large", &json!({}), Upload::Chunked(chunks));
    assert_eq!(text(&send(dev.address, &streamed)), "done");
    let answer = send(dev.address, &get("localhost", "/large"));
    assert!(answer.body == large[..3 << 20], "it came back as it was");
    let several = several(&dev, "get", &["large"], json!({}));
    assert!(several.len() > 3 << 20, "{}", several.len());
    drop(dev);
    check(&dir.path().join(".outboard"));
}

/// Runs `outboard data check` on a folder.
fn check(folder: &Path) {
    let output = outboard(folder, &["data", "check", "--data", "."], None);
    assert!(output.status.success(), "{output:?}");
}

fn outboard(dir: &Path, arguments: &[&str], input: Option<&[u8]>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command.args(arguments).current_dir(dir);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .expect("outboard runs");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin
        .write_all(input.unwrap_or_default())
        .expect("it reads");
    drop(stdin);
    child.wait_with_output().expect("outboard ends")
}

/// Invariant 1: an acknowledged put is there, whole.
#[test]
fn acknowledged_puts_survive_kill_9_under_load() {
    const CLIENTS: usize = 4;
    let dir = project();
    let last: Vec<_> = (0..CLIENTS).map(|_| AtomicU64::new(0)).collect();
    let body_of = |client: usize, number: u64| {
        // Every third is of several parts.
        let fill = if number.is_multiple_of(3) {
            2_500_000
        } else {
            500
        };
        format!("{client}:{number}:{}", "x".repeat(fill)).into_bytes()
    };
    for cycle in 0..6_u64 {
        let dev = Dev::start(dir.path());
        for (client, last) in last.iter().enumerate() {
            let found = value(&dev, &format!("/client{client}"));
            let number = found
                .split(':')
                .nth(1)
                .map_or(0, |number| number.parse().expect("a number"));
            let acknowledged = last.load(Ordering::Relaxed);
            assert!(
                number == acknowledged || number == acknowledged + 1,
                "client {client} has {number}, and was told {acknowledged}"
            );
            assert!(
                number == 0 || found.as_bytes() == body_of(client, number),
                "it is whole"
            );
            last.store(number, Ordering::Relaxed);
        }
        let over = AtomicBool::new(false);
        let done = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for (client, last) in last.iter().enumerate() {
                let (dev, over, done) = (&dev, &over, &done);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        let number = last.load(Ordering::Relaxed) + 1;
                        let upload = Upload::Sized(body_of(client, number));
                        let path = format!("/client{client}");
                        let answer = send(dev.address, &request("PUT", &path, &json!({}), upload));
                        if text(&answer) != "done" {
                            assert_eq!(answer.status, "", "only a kill fails: {answer:?}");
                            return;
                        }
                        last.store(number, Ordering::Relaxed);
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            until("some puts", || done.load(Ordering::Relaxed) > 5 + cycle * 7);
            crate::support::signal(&dev.process, libc::SIGKILL);
            over.store(true, Ordering::Relaxed);
        });
    }
    check(&dir.path().join(".outboard"));
}

#[test]
fn a_project_names_its_namespaces_for_dev_and_for_serve() {
    let dir = project();
    let with = |name: &str, method: &str, upload: Upload| {
        let mut request = request(method, "/key", &json!({}), upload);
        request.headers.push(("kv".into(), name.into()));
        request
    };
    let dev = Dev::start(dir.path());
    for name in ["KV", "SPLIT", "OWN"] {
        let put = with(name, "PUT", Upload::Sized(name.into()));
        assert_eq!(text(&send(dev.address, &put)), "done");
    }
    drop(dev);
    let list = outboard(dir.path(), &["data", "ls"], None);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    let names: Vec<_> = list
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    for name in ["kv/demo-OWN", "kv/preview", "kv/things"] {
        assert!(names.contains(&name), "{list}");
    }
    let server = Outboard::serve(&format!(
        "lanes = 2\ndata = {:?}\n[[worker]]\nname = \"demo\"\ndir = {:?}\nroutes = [\"*\"]\n",
        dir.path().join(".outboard"),
        dir.path(),
    ));
    let found = |name: &str| text(&send(server.address, &with(name, "GET", Upload::None)));
    assert_eq!(
        (&*found("KV"), &*found("SPLIT"), &*found("OWN")),
        ("KV", "none", "OWN")
    );
}

#[test]
fn people_list_read_write_and_delete_keys() {
    let dir = project();
    let run = |arguments: &[&str], input: Option<&[u8]>| {
        let output = outboard(dir.path(), &[&["kv"], arguments].concat(), input);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.success(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let dev = Dev::start(dir.path());
    put(&dev, "/user:1", "one");
    let (_, list, _) = run(&["list", "things"], None);
    assert_eq!(list.trim(), "3  user:1");
    drop(dev);
    assert!(
        run(
            &[
                "put",
                "things",
                "user:2",
                "two",
                "--ttl",
                "90",
                "--metadata",
                "[2]"
            ],
            None
        )
        .0
    );
    assert!(run(&["put", "things", "raw"], Some(b"\x00\xff")).0);
    let (_, list, _) = run(&["list", "things"], None);
    let lines: Vec<_> = list.lines().map(str::trim).collect();
    assert_eq!(lines[..2], ["2  raw", "3  user:1"]);
    assert!(lines[2].starts_with("3  user:2  (expires in "), "{list}");
    let (_, list, _) = run(&["list", "things", "--prefix", "r"], None);
    assert_eq!(list.trim(), "2  raw");
    assert_eq!(run(&["get", "things", "user:1"], None).1, "one");
    assert!(run(&["delete", "things", "user:1"], None).0);
    let refused = |arguments: &[&str], expected: &str| {
        let (done, _, error) = run(arguments, None);
        assert!(!done && error.contains(expected), "{error}");
    };
    refused(
        &["get", "things", "user:1"],
        "KEY: \"user:1\": there is no such key",
    );
    refused(&["get", "things", ".."], "KEY: Illegal key name \"..\"");
    refused(
        &["put", "KV", "user:1", "one"],
        "NAMESPACE: \"KV\" is a binding of the project here; say the namespace by its id: \"things\"",
    );
    refused(
        &["list", "SPLIT"],
        "its id: \"live\", \"preview\" of `outboard dev`",
    );
    refused(
        &["list", "nowhere"],
        "NAMESPACE: \"nowhere\": there is no such namespace",
    );
    refused(
        &["put", "things", "k", "v", "--ttl", "5"],
        "--ttl: Invalid expiration_ttl of 5.",
    );
    refused(
        &["put", "things", "k", "v", "--metadata", "{"],
        "--metadata: Metadata must be valid JSON",
    );
    let dev = Dev::start(dir.path());
    assert_eq!(
        send(dev.address, &get("localhost", "/raw")).body,
        b"\x00\xff"
    );
    let answer = send(dev.address, &get("localhost", "/user:2"));
    assert_eq!(
        (&*text(&answer), answer.header("metadata")),
        ("two", Some("[2]"))
    );
    assert_eq!(value(&dev, "/user:1"), "none");
}

/// The clock is the system's, so the entry is made older instead.
#[test]
fn what_has_expired_is_not_there() {
    let dir = project();
    let dev = Dev::start(dir.path());
    assert_eq!(
        put_with(&dev, "/soon", json!({ "expirationTtl": 60 }), "one"),
        "done"
    );
    put(&dev, "/stays", "two");
    assert_eq!(value(&dev, "/soon"), "one");
    drop(dev);
    let run = |arguments: &[&str]| {
        let output = outboard(dir.path(), arguments, None);
        assert!(output.status.success(), "{output:?}");
    };
    run(&["data", "export", "kv/things", "things.sqlite"]);
    let sqlite = Connection::open(dir.path().join("things.sqlite")).expect("SQLite opens it");
    let changed = sqlite.execute(
        "UPDATE entries SET expires = 1 WHERE expires IS NOT NULL",
        (),
    );
    assert_eq!(changed.expect("an update"), 1);
    drop(sqlite);
    run(&["data", "import", "things.sqlite", "kv/things", "--force"]);
    let dev = Dev::start(dir.path());
    assert_eq!(value(&dev, "/soon"), "none");
    assert_eq!(
        several(&dev, "get", &["soon", "stays"], json!({})),
        r#"[["soon",null],["stays","two"]]"#
    );
    assert_eq!(
        listed(&dev, json!({}))["keys"],
        json!([{ "name": "stays" }])
    );
    put(&dev, "/soon", "again");
    assert_eq!(value(&dev, "/soon"), "again");
}

#[test]
fn hono_reads_and_writes_a_namespace() {
    let Some(dir) = with_packages("hono_kv.ts") else {
        return;
    };
    let config = CONFIG.replace("index.js", "hono_kv.ts");
    std::fs::write(dir.path().join("wrangler.jsonc"), config).expect("a file");
    let dev = Dev::start(dir.path());
    let mut post = get("localhost", "/notes/one");
    post.method = "PUT".into();
    post.headers
        .push(("content-type".into(), "application/json".into()));
    post.upload = Upload::Sized(br#"{"text":"hello"}"#.to_vec());
    assert_eq!(
        text(&send(dev.address, &post)),
        r#"{"ok":true}"#,
        "{}",
        dev.process.log()
    );
    assert_eq!(value(&dev, "/notes/one"), r#"{"text":"hello"}"#);
    assert_eq!(value(&dev, "/notes"), r#"{"names":["one"]}"#);
    assert_eq!(value(&dev, "/notes/two"), "404 Not Found");
}
