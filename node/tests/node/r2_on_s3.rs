//! R2 buckets on S3 through the binary, with an S3 server beside it: workers see what
//! they see of other buckets, other tools see the same objects, and what fails is said.

use std::io::Write;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::r2::{memory, outboard, project_with, text};
use crate::support::http::{Answer, Request, Upload, get, send};
use crate::support::s3::{Cut, S3, Way};
use crate::support::{Dev, Outboard, until};

const MB: usize = 1 << 20;
const INTERNAL: &str = "We encountered an internal error. Please try again. (10001)";

/// A node that serves the worker of `tests/r2` with its bucket as `buckets` say.
struct Site {
    node: Outboard,
    _project: tempfile::TempDir,
}

impl Site {
    fn serve(buckets: &str) -> Self {
        let vars = r#""vars": { "S3": { "prefix": "some/where/" } },"#;
        let project = project_with(vars);
        let dir = project.path().display();
        let worker = format!("[[worker]]\nname = \"demo\"\ndir = \"{dir}\"\nroutes = [\"*\"]\n");
        Self {
            node: Outboard::serve(&format!("{buckets}{worker}")),
            _project: project,
        }
    }

    fn ask(&self, path: &str) -> Answer {
        send(self.node.address, &get("localhost", path))
    }

    fn put(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
        let mut request = get("localhost", path);
        request.method = "PUT".into();
        request.upload = Upload::Sized(body.into());
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_string()));
        request.headers.extend(headers);
        send(self.node.address, &request)
    }

    fn log(&self) -> String {
        self.node.process.log()
    }
}

/// The uploads in parts that S3 has.
fn uploads(s3: &S3) -> String {
    s3.python("print(len(s3.list_multipart_uploads(Bucket='bucket').get('Uploads', [])))")
}

#[test]
fn a_bucket_on_s3_is_as_workers_expect_it() {
    let Some(s3) = S3::start() else {
        return;
    };
    let site = Site::serve(&s3.bucket("files", "s3://bucket/some/where"));
    let promises = text(&site.ask("/promises"));
    let promises: Vec<String> = serde_json::from_str(&promises).expect("names");
    assert!(promises.len() > 8, "{promises:?}");
    for promise in promises {
        let answer = site.ask(&format!("/{promise}"));
        assert_eq!(text(&answer), "ok", "{promise}: {}", site.log());
    }
    assert_eq!(uploads(&s3), "0", "what is no object is nothing");
    let log = site.log();
    assert!(!log.contains("ERROR") && !log.contains(&s3.secret), "{log}");
}

#[test]
fn other_tools_see_the_same_objects() {
    let Some(s3) = S3::start() else {
        return;
    };
    let site = Site::serve(&s3.bucket("files", "s3://bucket/some/where"));
    let html = [
        ("content-type", "text/html"),
        ("cache-control", "no-store"),
        ("expires", "Sun, 09 Sep 2001 01:46:40 GMT"),
    ];
    let answer = site.put("/a%20b+c/%C3%A4", &html, "<p>");
    assert_eq!(answer.status, "200 OK", "{}", site.log());
    let seen = s3.python(
        "found = s3.get_object(Bucket='bucket', Key='some/where//a%20b+c/%C3%A4')\n\
         print(found['ContentType'], found['CacheControl'], found['ExpiresString'], found['Body'].read())",
    );
    assert_eq!(
        seen,
        "text/html no-store Sun, 09 Sep 2001 01:46:40 GMT b'<p>'"
    );
    s3.python(
        "s3.put_object(Bucket='bucket', Key='some/where//theirs', Body=b'from a tool',\n\
         ContentType='text/x', Metadata={'Owner': 'ann'}, StorageClass='STANDARD_IA')\n\
         s3.put_object(Bucket='bucket', Key='some/where/', Body=b'')\n\
         s3.put_object(Bucket='bucket', Key='some/where/folder/', Body=b'')\n\
         s3.put_object(Bucket='bucket', Key='some/where-else', Body=b'')",
    );
    let answer = site.ask("/theirs");
    assert_eq!(text(&answer), "from a tool");
    assert_eq!(answer.header("content-type"), Some("text/x"));
    let list = text(&site.ask("/listed"));
    let expected = r#"[["/a%20b+c/%C3%A4",{}],["/theirs",{"owner":"ann"}],["folder/",{}]]"#;
    assert_eq!(list, expected, "{}", site.log());
    // With ranges and conditions, as any bucket.
    let with = |name: &str, value: &str| {
        let mut request = get("localhost", "/theirs");
        request.headers.push((name.into(), value.into()));
        let answer = send(site.node.address, &request);
        (answer.status.clone(), text(&answer))
    };
    let etag = answer.header("etag").expect("an etag").to_string();
    assert_eq!(with("range", "bytes=5-5").1, "a");
    assert_eq!(with("if-none-match", &etag).0, "304 Not Modified");
    assert_eq!(with("if-match", "\"x\"").0, "304 Not Modified");
}

#[test]
fn a_large_object_streams_to_s3_and_back() {
    let Some(s3) = S3::start() else {
        return;
    };
    let site = Site::serve(&s3.bucket("files", "s3://bucket/some/where"));
    assert_eq!(site.put("/small", &[], "x").status, "200 OK");
    let before = memory(&site.node.process);
    let mut bytes: Vec<u8> = Vec::with_capacity(100 * MB);
    while bytes.len() < 99 * MB + 7 {
        let word = (bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    let answer = site.put("/large", &[], bytes.clone());
    let size = format!("\"size\":{}", bytes.len());
    assert!(text(&answer).contains(&size), "{answer:?} {}", site.log());
    let found = site.ask("/large");
    assert!(found.body == bytes, "{} bytes came back", found.body.len());
    let more = memory(&site.node.process).saturating_sub(before);
    assert!(more < 64, "{more} MB more than {before}");
}

/// An upload is S3's: it goes on in another node, and nobody sees what is not completed.
#[test]
fn an_upload_to_s3_outlives_the_node() {
    let Some(s3) = S3::start() else {
        return;
    };
    let bucket = s3.bucket("files", "s3://bucket/some/where");
    let post = |site: &Site, path: &str| {
        let request = Request {
            method: "POST".into(),
            ..get("localhost", path)
        };
        text(&send(site.node.address, &request))
    };
    let site = Site::serve(&bucket);
    let upload = post(&site, "/uploads/begin");
    let part = post(&site, &format!("/uploads/part/{upload}/1"));
    drop(site);
    let site = Site::serve(&bucket);
    assert_eq!(site.ask("/crashed").status, "404 Not Found");
    assert_eq!(uploads(&s3), "1");
    let other = post(&site, &format!("/uploads/part/{upload}/2"));
    let made = post(&site, &format!("/uploads/complete/{upload}/{part}/{other}"));
    assert_eq!(made, (10 * MB).to_string(), "{}", site.log());
    assert_eq!(site.ask("/crashed").body.len(), 10 * MB);
    assert_eq!(uploads(&s3), "0");
}

/// Who puts may leave: nothing is there then, and no part stays.
#[test]
fn a_put_that_is_cut_leaves_nothing_in_s3() {
    let Some(s3) = S3::start() else {
        return;
    };
    let site = Site::serve(&s3.bucket("files", "s3://bucket/some/where"));
    let mut cut = std::net::TcpStream::connect(site.node.address).expect("a connection");
    let head = "PUT /cut HTTP/1.1\r\nhost: localhost\r\ncontent-length: 30000000\r\n\r\n";
    cut.write_all(head.as_bytes()).expect("written");
    cut.write_all(&vec![b'x'; 20 * MB]).expect("written");
    until("it is begun", || uploads(&s3) == "1");
    drop(cut);
    until("its parts are gone", || uploads(&s3) == "0");
    assert_eq!(site.ask("/cut").status, "404 Not Found");
}

#[test]
fn s3_that_goes_away_is_an_error_and_nothing_half() {
    let Some(s3) = S3::start() else {
        return;
    };
    let way = Way::to(s3.address);
    let bucket = s3.bucket_by(way.address, "files", "s3://bucket/some/where");
    let site = Site::serve(&bucket);
    let value = vec![b'x'; 3 * MB];
    assert_eq!(site.put("/a", &[], value.clone()).status, "200 OK");

    // What is cut once goes on where it was.
    way.cut_back(MB as u64, Cut::Once);
    let found = site.ask("/a");
    assert!(
        found.body == value,
        "{} bytes: {}",
        found.body.len(),
        site.log()
    );
    // Else the reader is told.
    way.cut_back(MB as u64, Cut::UntilMended);
    let begun = Instant::now();
    let found = site.ask("/a");
    assert!(
        found.body.len() < value.len() && found.fault.is_some(),
        "{:?}",
        found.fault
    );
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    until("the log says so", || {
        site.log().contains("an object's bytes cannot be read")
    });
    way.mend();

    for (size, name) in [(3 * MB, "/b"), (20 * MB, "/c")] {
        way.cut_there(size as u64 / 2, Cut::UntilMended);
        let answer = site.put(name, &[], vec![b'x'; size]);
        assert!(
            text(&answer).is_empty() || answer.status.starts_with("500"),
            "{answer:?}"
        );
        assert!(way.is_cut());
        way.mend();
        assert_eq!(site.ask(name).status, "404 Not Found", "{name}");
    }
    // And it is as if nothing had been.
    assert_eq!(site.ask("/a").body.len(), value.len());
}

#[test]
fn what_s3_refuses_is_said_in_the_log_alone() {
    let Some(s3) = S3::start() else {
        return;
    };
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = closed.local_addr().expect("an address");
    drop(closed);
    let keys = tempfile::tempdir().expect("a folder");
    let keys = keys.path().join("keys");
    std::fs::create_dir_all(keys.parent().expect("a folder")).expect("made");
    let wrong = "S3CRETSECRET/that+is+wrong";
    let [(_, key), ..] = s3.environment();
    let text_of = format!("aws_access_key_id = {key}\naws_secret_access_key = {wrong}\n");
    std::fs::write(&keys, text_of).expect("a file");
    let endpoint = s3.address;
    let with_wrong_keys = format!(
        "[[r2]]\nname = \"files\"\nurl = \"s3://bucket\"\nendpoint = \"http://{endpoint}\"\n\
         credentials = \"{}\"\n",
        keys.display()
    );
    for (bucket, said) in [
        (with_wrong_keys, "SignatureDoesNotMatch"),
        (s3.bucket("files", "s3://no-such-bucket"), "NoSuchBucket"),
        (s3.bucket_by(nobody, "files", "s3://bucket"), "refused"),
    ] {
        let site = Site::serve(&bucket);
        let begun = Instant::now();
        for path in ["/basics", "/values", "/lists", "/uploads"] {
            let answer = text(&site.ask(path));
            assert!(answer.contains(INTERNAL), "{said}: {path}: {answer}");
        }
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(40), "{said}: {took:?}");
        until(said, || site.log().contains(said));
        let log = site.log();
        assert!(log.contains("a bucket on S3 failed"), "{log}");
        assert!(!log.contains(wrong) && !log.contains(&s3.secret), "{log}");
    }
}

#[test]
fn a_developer_names_a_bucket_on_s3_and_people_its_objects() {
    let Some(s3) = S3::start() else {
        return;
    };
    let project = project_with("");
    let dir = project.path();
    // The options come from the environment, which every test's process has to itself.
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command
        .args(["dev", ".", "--r2", "files=s3://bucket"])
        .current_dir(dir);
    let output = command.env_clear().output().expect("outboard runs");
    let error = String::from_utf8_lossy(&output.stderr);
    let expected = "--r2: files: there are none in the environment; set AWS_ACCESS_KEY_ID and ";
    assert!(error.contains(expected), "{error}");

    let dev = Dev::start_in(dir, &["--r2", "files=s3://bucket/p"], &s3.environment());
    let request = Request {
        method: "PUT".into(),
        upload: Upload::Sized("from a worker".into()),
        ..get("localhost", "/a")
    };
    assert_eq!(
        send(dev.address, &request).status,
        "200 OK",
        "{}",
        dev.process.log()
    );
    let config = dir.join("outboard.toml");
    let worker = "[[worker]]\nname = \"a\"\nmain = \"worker.js\"\nroutes = [\"*\"]\n";
    let text = s3.bucket("files", "s3://bucket/p") + worker;
    std::fs::write(&config, text).expect("a file");
    let run = |arguments: &[&str], input: &[u8]| {
        let config = ["--config", "outboard.toml"];
        outboard(dir, &[&["r2"], arguments, &config].concat(), input)
    };
    assert_eq!(
        run(&["get", "files", "/a"], &[]),
        (true, "from a worker".into())
    );
    let put = run(
        &["put", "files", "b", "--content-type", "text/x"],
        b"by hand",
    );
    assert!(put.0 && put.1.ends_with("  b\n"), "{put:?}");
    let (_, list) = run(&["list", "files"], &[]);
    let keys: Vec<_> = list
        .lines()
        .filter_map(|line| line.split("  ").last())
        .collect();
    assert_eq!(keys, ["/a", "b"], "{list}");
    assert_eq!(
        run(&["list"], &[]),
        (true, "s3://bucket/p/  files\n".into())
    );
    assert!(run(&["delete", "files", "/a", "b"], &[]).0);
    let (well, said) = run(&["get", "files", "b"], &[]);
    assert!(!well && said.contains("there is no such object"), "{said}");
    let (well, said) = run(&["list", "others"], &[]);
    assert!(
        !well && said.contains("there is no [[r2]] with the name \"others\""),
        "{said}"
    );
    assert_eq!(
        s3.python("print(s3.list_objects_v2(Bucket='bucket')['KeyCount'])"),
        "0"
    );
}
