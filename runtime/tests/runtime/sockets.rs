//! `connect()`, with peers that the test plays.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use outboard_runtime::{ConnectTarget, FetchError, HostStream, Limits, Transport};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

use crate::support::*;

/// What fits between the script and its peer.
const PIPE: usize = 1 << 10;

/// `echo.test` sends back what it gets and logs when it is left; `deaf.test`
/// reads nothing, `never.test` never opens, others refuse.
pub(crate) async fn open(
    target: ConnectTarget,
    log: Log,
) -> Result<Box<dyn HostStream>, FetchError> {
    let (ours, mut theirs) = tokio::io::duplex(PIPE);
    match target.host.as_str() {
        "echo.test" => {
            tokio::spawn(async move {
                let (mut reader, mut writer) = tokio::io::split(theirs);
                let copied = tokio::io::copy(&mut reader, &mut writer).await;
                log.lock()
                    .push(format!("left after {}", copied.unwrap_or(0)));
            });
        }
        "deaf.test" => {
            tokio::spawn(async move {
                let mut gone = [0; PIPE];
                // Reads once the script says so.
                while log.lock().is_empty() {
                    tokio::task::yield_now().await;
                }
                while matches!(theirs.read(&mut gone).await, Ok(read) if read > 0) {}
            });
        }
        "never.test" => std::future::pending().await,
        _ => {
            return Err(FetchError {
                message: "nobody is there".into(),
            });
        }
    }
    let stream: Box<dyn HostStream> = Box::new(TestStream(ours));
    match target.transport {
        Transport::Plain => Ok(stream),
        Transport::Tls => stream.start_tls(target.host).await,
    }
}

struct TestStream(DuplexStream);

impl HostStream for TestStream {
    /// As a test sees it: the name that was to be proven goes first.
    fn start_tls(
        mut self: Box<Self>,
        name: String,
    ) -> BoxFuture<'static, Result<Box<dyn HostStream>, FetchError>> {
        async move {
            if name == "liar.test" {
                let message = "the certificate is not for this host".into();
                return Err(FetchError { message });
            }
            let hello = format!("[TLS {name}]");
            self.0.write_all(hello.as_bytes()).await.expect("written");
            Ok(self as Box<dyn HostStream>)
        }
        .boxed()
    }
}

impl AsyncRead for TestStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for TestStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A worker whose handler runs `body`, which returns text.
fn script(body: &str) -> String {
    format!(
        r#"
        import {{ connect }} from "cloudflare:sockets";
        const encode = (text) => new TextEncoder().encode(text);
        async function read(socket) {{
          const reader = socket.readable.getReader();
          const {{ value }} = await reader.read();
          reader.releaseLock();
          return new TextDecoder().decode(value);
        }}
        async function write(socket, text) {{
          const writer = socket.writable.getWriter();
          await writer.write(encode(text));
          writer.releaseLock();
        }}
        export default {{ async fetch() {{ return new Response(await run()); }} }};
        async function run() {{ {body} }}
        "#
    )
}

fn run(body: &str) -> (String, Vec<String>) {
    let bench = Bench::new();
    let answer = bench.get(&worker(&script(body)), "/");
    let log = bench.log.lock().clone();
    (
        answer.unwrap_or_else(|error| panic!("{error}; {log:?}")).1,
        log,
    )
}

fn check(body: &str, expected: &str) {
    let (answer, log) = run(body);
    assert_eq!(answer, expected, "{log:?}");
}

#[test]
fn start_tls_follows_what_was_written_and_names_the_host() {
    check(
        r#"
        const plain = connect("echo.test:5432", { secureTransport: "starttls" });
        const writer = plain.writable.getWriter();
        writer.write(encode("hello,"));
        writer.releaseLock();
        const secure = plain.startTls();
        await secure.opened;
        await plain.closed;
        await write(secure, "secret");
        let text = "";
        while (!text.endsWith("secret")) text += await read(secure);
        return `${plain.upgraded} ${text}`;
        "#,
        "true hello,[TLS echo.test]secret",
    );
    check(
        r#"
        const plain = connect("echo.test:5432", { secureTransport: "starttls" });
        await write(plain, "a");
        await read(plain);
        const secure = plain.startTls({ expectedServerHostname: "other.test" });
        return await read(secure);
        "#,
        "[TLS other.test]",
    );
    check(
        r#"
        const plain = connect("echo.test:5432", { secureTransport: "starttls" });
        const secure = plain.startTls({ expectedServerHostname: "liar.test" });
        return secure.opened.catch((error) => error.message);
        "#,
        "the certificate is not for this host",
    );
    check(
        r#"return await read(connect("echo.test:443", { secureTransport: "on" }));"#,
        "[TLS echo.test]",
    );
}

#[test]
fn start_tls_with_a_writer_held_is_refused() {
    check(
        r#"
        const plain = connect("echo.test:5432", { secureTransport: "starttls" });
        plain.writable.getWriter();
        return plain.startTls().opened.catch((error) => error.message);
        "#,
        "This WritableStream is currently locked to a writer.",
    );
}

#[test]
fn a_refusal_says_why_in_its_cause() {
    check(
        r#"
        const socket = connect("nobody.test:25");
        return socket.opened.catch((error) => `${error.message}: ${error.cause.message}`);
        "#,
        "proxy request failed, cannot connect to the specified address: nobody is there",
    );
}

#[test]
fn a_connection_ends_with_its_event() {
    let bench = Bench::new();
    let worker = worker(&script(
        r#"
        const socket = connect("echo.test:1");
        connect("never.test:1");
        await write(socket, "four");
        read(socket).then(read.bind(null, socket)).then(() => console.log("read on"), () => console.log("told"));
        globalThis.kept = socket;
        return "answered";
        "#,
    ));
    assert_eq!(bench.get(&worker, "/").expect("an answer").1, "answered");
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    while bench.log.lock().is_empty() {
        assert!(std::time::Instant::now() < deadline, "never left");
        std::thread::yield_now();
    }
    // Nothing of the script runs on for it.
    assert_eq!(bench.get(&worker, "/").expect("an answer").1, "answered");
    assert_eq!(bench.log.lock()[0], "left after 4");
    assert!(!bench.log.lock().iter().any(|line| line.contains("told")));
}

#[test]
fn connections_count_as_subrequests() {
    let bench = Bench::new();
    let worker = worker_with(
        &script(
            r#"
            connect("echo.test:1"); connect("echo.test:1");
            try { connect("echo.test:1"); } catch (error) { return error.message; }
            "#,
        ),
        |spec| {
            spec.limits = Limits {
                subrequests: 2,
                ..Limits::default()
            }
        },
    );
    let (_, body) = bench.get(&worker, "/").expect("an answer");
    assert_eq!(body, "Too many subrequests.");
}

#[test]
fn a_peer_that_does_not_read_holds_the_writer_back() {
    check(
        r#"
        const socket = connect("deaf.test:1", { highWaterMark: 10_000 });
        const writer = socket.writable.getWriter();
        const sizes = [writer.desiredSize];
        const writing = writer.write(new Uint8Array(9_000));
        sizes.push(writer.desiredSize);
        writer.write(new Uint8Array(9_000));
        sizes.push(writer.desiredSize);
        let written = false;
        writing.then(() => { written = true; });
        await scheduler.wait(5);
        sizes.push(written);
        console.log("read now");
        await writing;
        await writer.ready;
        return JSON.stringify(sizes);
        "#,
        "[10000,1000,-8000,false]",
    );
}
