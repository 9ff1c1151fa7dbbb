//! An S3 server beside the node, and a way to it that can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::Process;

/// moto, with the bucket `bucket` and one user.
pub(crate) struct S3 {
    process: Process,
    pub(crate) address: SocketAddr,
    key: String,
    pub(crate) secret: String,
    dir: tempfile::TempDir,
}

impl S3 {
    /// None where Python's packages are not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(mut command) = python() else {
            eprintln!("SKIPPED: Python packages of node/tests/s3 are not here; run scripts/setup");
            return None;
        };
        command.arg(folder().join("server.py"));
        let (ready, is_ready) = mpsc::channel();
        let process = Process::start(command, move |line| {
            // The test may have given up.
            let _ = ready.send(line.to_string());
        });
        let line = is_ready
            .recv_timeout(Duration::from_secs(60))
            .unwrap_or_else(|_| panic!("S3 did not start:\n{}", process.log()));
        let words: Vec<_> = line.split(' ').collect();
        let ["ready", "on", url, key, secret] = words[..] else {
            panic!("{line}");
        };
        let address = url.strip_prefix("http://").expect("a URL");
        let address = address.parse().expect("an address");
        let dir = tempfile::tempdir().expect("a folder");
        let keys = format!("aws_access_key_id = {key}\naws_secret_access_key = {secret}\n");
        std::fs::write(dir.path().join("keys"), keys).expect("a file");
        Some(Self {
            process,
            address,
            key: key.into(),
            secret: secret.into(),
            dir,
        })
    }

    /// A `[[r2]]` of a config.
    pub(crate) fn bucket(&self, name: &str, url: &str) -> String {
        self.bucket_by(self.address, name, url)
    }

    pub(crate) fn bucket_by(&self, way: SocketAddr, name: &str, url: &str) -> String {
        let keys = self.dir.path().join("keys");
        let keys = keys.display();
        format!(
            "[[r2]]\nname = {name:?}\nurl = {url:?}\nendpoint = \"http://{way}\"\n\
             credentials = \"{keys}\"\n"
        )
    }

    pub(crate) fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("AWS_ACCESS_KEY_ID", self.key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret.clone()),
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
        ]
    }

    /// What a script prints that has AWS's own client for Python as `s3`.
    pub(crate) fn python(&self, script: &str) -> String {
        let mut command = python().expect("it is installed");
        let begin = "import boto3, json\ns3 = boto3.client('s3', region_name='us-east-1')\n";
        command.arg("-c").arg(format!("{begin}{script}"));
        command.envs(self.environment());
        let output = command.output().expect("Python runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}\n{}", self.process.log());
        String::from_utf8_lossy(&output.stdout).trim().into()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/s3")
}

fn python() -> Option<Command> {
    let python = folder().join(".venv/bin/python");
    python.exists().then(|| Command::new(python))
}

/// A way to an address. Cut, it lets nothing through until it is mended.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) address: SocketAddr,
    /// Bytes that may still go there, and come from there.
    there: Arc<AtomicU64>,
    back: Arc<AtomicU64>,
    /// Whether it is cut for good, and not only what is open.
    for_good: Arc<AtomicBool>,
}

/// For how long it is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    Once,
    UntilMended,
}

const ALL: u64 = u64::MAX;

impl Way {
    pub(crate) fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let way = Self {
            address: listener.local_addr().expect("an address"),
            there: Arc::new(AtomicU64::new(ALL)),
            back: Arc::new(AtomicU64::new(ALL)),
            for_good: Arc::new(AtomicBool::new(false)),
        };
        let going = way.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if going.is_cut() {
                    continue;
                }
                let Ok(other) = TcpStream::connect(target) else {
                    continue;
                };
                let clone = |stream: &TcpStream| stream.try_clone().expect("a stream");
                let (from, to) = (clone(&stream), clone(&other));
                let way = going.clone();
                std::thread::spawn(move || way.pass(from, to, &way.there));
                let way = going.clone();
                std::thread::spawn(move || way.pass(other, stream, &way.back));
            }
        });
        way
    }

    /// Cuts it when so many bytes have gone there.
    pub(crate) fn cut_there(&self, bytes: u64, cut: Cut) {
        self.for_good
            .store(cut == Cut::UntilMended, Ordering::SeqCst);
        self.there.store(bytes, Ordering::SeqCst);
    }

    /// Cuts it when so many bytes have come back.
    pub(crate) fn cut_back(&self, bytes: u64, cut: Cut) {
        self.for_good
            .store(cut == Cut::UntilMended, Ordering::SeqCst);
        self.back.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn mend(&self) {
        self.there.store(ALL, Ordering::SeqCst);
        self.back.store(ALL, Ordering::SeqCst);
    }

    /// Whether bytes ran out.
    pub(crate) fn is_cut(&self) -> bool {
        let out = |left: &AtomicU64| left.load(Ordering::SeqCst) == 0;
        out(&self.there) || out(&self.back)
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream, left: &AtomicU64) {
        let mut buffer = [0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let take = |left: u64| (left != ALL).then(|| left.saturating_sub(count as u64));
            let _ = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
            if self.is_cut() || to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        if self.is_cut() && !self.for_good.load(Ordering::SeqCst) {
            self.mend();
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
