//! What can't work says so, and with whom.

use std::time::Duration;

use outboard_egress::{Client, ClientOptions, Retry, SendError, TlsFault};

use crate::support::{Identity, accept, client, get, listen, listen_tls, local, promptly, text};

/// The error of a request to a server that writes `answer` and closes.
async fn error_of(client: Client, answer: String) -> SendError {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let mut connection = accept(&listener).await;
        connection.head().await;
        connection.write(&answer).await;
    });
    let outcome = promptly(client.send(get(&url))).await;
    server.await.expect("served");
    outcome.expect_err("an error")
}

#[tokio::test]
async fn nobody_listens() {
    let (listener, url) = listen().await;
    let addr = listener.local_addr().expect("address");
    drop(listener);
    let error = promptly(client().send(get(&url)))
        .await
        .expect_err("refused");
    assert_eq!(error.to_string(), format!("{addr}: connection refused"));
    assert!(matches!(error, SendError::Refused { .. }));
    assert_eq!(error.retry(), Retry::Safe);
}

#[tokio::test]
async fn a_name_without_address() {
    // A label this long is refused before any packet is sent.
    let url = format!("http://{}.test:81/", "x".repeat(70));
    let error = promptly(client().send(get(&url)))
        .await
        .expect_err("no address");
    assert!(matches!(error, SendError::Dns { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .contains(".test:81: the host name can't be resolved: "),
        "{error}"
    );
}

/// The fault of a handshake between `client` and the certificate of `identity`.
async fn tls_fault(client: Client, identity: &Identity) -> (TlsFault, String) {
    let (listener, url) = listen_tls().await;
    let acceptor = identity.acceptor();
    let server = tokio::spawn(async move {
        let connection = accept(&listener).await;
        assert!(acceptor.accept(connection.0).await.is_err());
    });
    let error = promptly(client.send(get(&url)))
        .await
        .expect_err("no handshake");
    promptly(server).await.expect("served");
    let message = error.to_string();
    match error {
        SendError::Tls { fault, .. } => (fault, message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn certificates_are_checked() {
    let identity = Identity::of("localhost", &["h2", "http/1.1"]);
    let (fault, message) = tls_fault(client(), &identity).await;
    assert!(matches!(fault, TlsFault::UnknownIssuer), "{fault:?}");
    assert!(message.starts_with("localhost:"), "{message}");
    assert!(
        message.ends_with(": TLS failed: the certificate is not signed by a trusted authority"),
        "{message}"
    );
    let other = Identity::of("other.test", &["http/1.1"]);
    let (fault, _) = tls_fault(other.client(), &other).await;
    assert!(matches!(fault, TlsFault::WrongHost), "{fault:?}");
}

#[tokio::test]
async fn a_server_without_tls() {
    for (answer, expected) in [
        (
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "the server doesn't speak TLS on this port",
        ),
        ("", "the server closed the connection during the handshake"),
    ] {
        let (listener, url) = listen_tls().await;
        let server = tokio::spawn(async move {
            let mut connection = accept(&listener).await;
            // The handshake's first record, so that closing is no reset.
            let mut hello = [0; 5];
            tokio::io::AsyncReadExt::read_exact(&mut connection.0, &mut hello)
                .await
                .expect("hello");
            connection.write(answer).await;
            tokio::io::AsyncWriteExt::shutdown(&mut connection.0)
                .await
                .expect("shutdown");
            connection.rest().await
        });
        let error = promptly(client().send(get(&url)))
            .await
            .expect_err("no TLS");
        assert!(error.to_string().ends_with(expected), "{error}");
        server.abort();
    }
}

#[tokio::test]
async fn what_is_not_http() {
    for answer in [
        "HELLO\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
    ] {
        let error = error_of(client(), answer.to_owned()).await;
        assert!(
            matches!(error, SendError::Protocol { .. }),
            "{answer:?}: {error:?}"
        );
        assert!(
            error.to_string().contains(": invalid response: "),
            "{error}"
        );
        assert_eq!(error.retry(), Retry::Never);
    }
}

#[tokio::test]
async fn an_unasked_switch_of_protocols() {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
    let error = error_of(client(), answer.to_owned()).await;
    assert!(matches!(error, SendError::Protocol { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_closes_without_answering() {
    for answer in ["", "HTTP/1.1 200 OK\r\nx-unfinished: "] {
        let error = error_of(client(), answer.to_owned()).await;
        assert!(
            matches!(error, SendError::Closed { reused: false, .. }),
            "{error:?}"
        );
        assert_eq!(error.retry(), Retry::Never);
    }
}

#[tokio::test]
async fn headers_over_the_limit() {
    // Past the limit, past the smallest buffer, and too many for the table.
    let cases = [
        format!("x-long: {}\r\n", "x".repeat(1100)),
        format!("x-long: {}\r\n", "x".repeat(100_000)),
        "x-many: 1\r\n".repeat(300),
    ];
    for headers in cases {
        let client = Client::new(ClientOptions {
            max_response_header_bytes: 1000,
            ..local()
        });
        let answer = format!("HTTP/1.1 204 No Content\r\n{headers}\r\n");
        let error = error_of(client.expect("options"), answer).await;
        assert!(
            matches!(error, SendError::HeadersTooLarge { .. }),
            "{error:?}"
        );
        assert!(
            error
                .to_string()
                .ends_with(": the response headers exceed 1000 bytes"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_connection_that_takes_too_long() {
    let client = Client::new(ClientOptions {
        connect_timeout: Duration::from_millis(50),
        ..local()
    });
    // The system accepts, but nobody answers the handshake.
    let (_listener, url) = listen_tls().await;
    let error = promptly(client.expect("options").send(get(&url)))
        .await
        .expect_err("no handshake");
    assert!(
        error.to_string().ends_with(": no connection within 50ms"),
        "{error}"
    );
    assert!(matches!(error, SendError::ConnectTimeout { .. }));
}

#[tokio::test]
async fn a_response_that_takes_too_long() {
    let client = Client::new(ClientOptions {
        head_timeout: Some(Duration::from_millis(50)),
        ..local()
    });
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move { accept(&listener).await.rest().await });
    let error = promptly(client.expect("options").send(get(&url)))
        .await
        .expect_err("no answer");
    assert!(
        error.to_string().ends_with(": no response within 50ms"),
        "{error}"
    );
    promptly(server).await.expect("closed");
}

#[tokio::test]
async fn a_host_has_so_many_places() {
    let client = Client::new(ClientOptions {
        max_in_flight_per_host: 1,
        connect_timeout: Duration::from_millis(50),
        ..local()
    })
    .expect("options");
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let mut connection = accept(&listener).await;
        for _ in 0..2 {
            connection.head().await;
            connection
                .write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .await;
        }
    });
    let first = promptly(client.send(get(&url))).await.expect("a response");
    let error = promptly(client.send(get(&url)))
        .await
        .expect_err("no place");
    assert!(
        matches!(error, SendError::Busy { limit: 1, .. }),
        "{error:?}"
    );
    promptly(text(first)).await.expect("a body");
    promptly(client.send(get(&url)))
        .await
        .expect("a place again");
    server.await.expect("served");
}
