//! Connections that leave HTTP.

use http::Request;
use outboard_egress::SendError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Identity, accept, client, listen, listen_tls, promptly, text, until};

const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\nx-a: 1\r\n\r\n";

fn ask(url: &str) -> Request<()> {
    Request::get(url)
        .header("upgrade", "echo")
        .header("x-key", "k")
        .body(())
        .expect(url)
}

#[tokio::test]
async fn bytes_flow_both_ways_after_the_switch() {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let mut connection = accept(&listener).await;
        let head = connection.head().await;
        // The first bytes may come with the head.
        connection.write(&format!("{SWITCH}early")).await;
        let line = connection.until("\n").await;
        connection.write(&line).await;
        (head, connection.rest().await)
    });
    let (response, mut stream) = promptly(client().upgrade(ask(&url)))
        .await
        .expect("a switch");
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["x-a"], "1");
    let mut early = [0; 5];
    promptly(stream.read_exact(&mut early))
        .await
        .expect("early bytes");
    assert_eq!(&early, b"early");
    promptly(stream.write_all(b"a line\n"))
        .await
        .expect("write");
    promptly(stream.flush()).await.expect("flush");
    assert_eq!(promptly(until(&mut stream, "\n")).await, "a line\n");
    drop(stream);
    let (head, rest) = promptly(server).await.expect("closed");
    assert_eq!(rest, "");
    assert!(head.contains("connection: upgrade\r\n"), "{head}");
    assert!(head.contains("upgrade: echo\r\n"), "{head}");
    assert!(head.contains("x-key: k\r\n"), "{head}");
}

/// A server with both protocols gets no choice: HTTP/2 can't switch.
#[tokio::test]
async fn an_upgrade_over_tls_is_http1() {
    let identity = Identity::of("localhost", &["h2", "http/1.1"]);
    let (listener, url) = listen_tls().await;
    let acceptor = identity.acceptor();
    let server = tokio::spawn(async move {
        let stream = acceptor.accept(accept(&listener).await.0).await;
        let mut stream = stream.expect("handshake");
        until(&mut stream, "\r\n\r\n").await;
        stream.write_all(SWITCH.as_bytes()).await.expect("write");
        let line = until(&mut stream, "\n").await;
        stream.write_all(line.as_bytes()).await.expect("write");
        stream.flush().await.expect("flush");
        stream
    });
    let (_, mut stream) = promptly(identity.client().upgrade(ask(&url)))
        .await
        .expect("a switch");
    promptly(stream.write_all(b"a line\n"))
        .await
        .expect("write");
    promptly(stream.flush()).await.expect("flush");
    assert_eq!(promptly(until(&mut stream, "\n")).await, "a line\n");
    promptly(server).await.expect("served");
}

#[tokio::test]
async fn a_refusal_can_be_read() {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let mut connection = accept(&listener).await;
        connection.head().await;
        connection
            .write("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")
            .await;
        connection.rest().await
    });
    let error = promptly(client().upgrade(ask(&url)))
        .await
        .expect_err("refused");
    assert!(
        error
            .to_string()
            .ends_with(": the server refused to switch protocols: it answered 403 Forbidden"),
        "{error}"
    );
    let SendError::UpgradeRefused { response, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(promptly(text(*response)).await.expect("a body"), "no");
    promptly(server).await.expect("not kept");
}

#[tokio::test]
async fn an_upgrade_names_its_protocol() {
    let request = Request::get("http://a.test/").body(()).expect("request");
    let error = promptly(client().upgrade(request))
        .await
        .expect_err("no header");
    assert!(matches!(error, SendError::NoUpgradeHeader), "{error:?}");
}
