//! Streams of bytes, as `connect()` opens them.

use outboard_egress::{Client, ClientOptions, Security, SendError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Identity, accept, client, listen, promptly, until};

#[tokio::test]
async fn bytes_go_both_ways_and_each_side_ends_alone() {
    promptly(async {
        let (listener, _) = listen().await;
        let port = listener.local_addr().expect("address").port();
        let client = client();
        let (stream, mut server) = tokio::join!(
            client.connect("127.0.0.1", port, Security::Plain),
            accept(&listener)
        );
        let mut stream = stream.expect("a stream");
        assert_eq!(stream.peer_addr().expect("address").port(), port);
        stream.write_all(b"ask\n").await.expect("written");
        assert_eq!(server.until("\n").await, "ask\n");
        stream.shutdown().await.expect("ended");
        assert_eq!(server.rest().await, "");
        server.write("after the end").await;
        drop(server);
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.expect("text");
        assert_eq!(rest, "after the end");
    })
    .await;
}

#[tokio::test]
async fn tls_from_the_start_and_after_plain_bytes() {
    promptly(async {
        // Whatever protocols HTTP would offer, a stream offers none.
        let identity = Identity::of("localhost", &["h2"]);
        let client = identity.client();
        let (listener, _) = listen().await;
        let port = listener.local_addr().expect("address").port();
        let serve = async {
            let tcp = accept(&listener).await.0;
            let mut tls = identity.acceptor().accept(tcp).await.expect("TLS");
            assert_eq!(tls.get_ref().1.alpn_protocol(), None);
            tls.write_all(b"secret").await.expect("written");
            tls.shutdown().await.expect("ended");
            let mut tcp = accept(&listener).await.0;
            assert_eq!(until(&mut tcp, "\n").await, "STARTTLS\n");
            tcp.write_all(b"go\n").await.expect("written");
            let mut tls = identity.acceptor().accept(tcp).await.expect("TLS");
            assert_eq!(until(&mut tls, "\n").await, "in secret\n");
        };
        let ask = async {
            let mut stream = client
                .connect("localhost", port, Security::Tls)
                .await
                .expect("a stream");
            let mut text = String::new();
            stream.read_to_string(&mut text).await.expect("text");
            assert_eq!(text, "secret");
            let error = stream.start_tls("localhost").await.expect_err("twice");
            assert!(matches!(error, SendError::Protocol { .. }), "{error}");
            let mut stream = client
                .connect("localhost", port, Security::Plain)
                .await
                .expect("a stream");
            stream.write_all(b"STARTTLS\n").await.expect("written");
            assert_eq!(until(&mut stream, "\n").await, "go\n");
            let mut stream = stream.start_tls("localhost").await.expect("TLS");
            stream.write_all(b"in secret\n").await.expect("written");
            stream.flush().await.expect("sent");
        };
        tokio::join!(serve, ask);
    })
    .await;
}

#[tokio::test]
async fn a_certificate_of_someone_else_is_refused() {
    promptly(async {
        let identity = Identity::of("other.test", &[]);
        let client = identity.client();
        let (listener, _) = listen().await;
        let port = listener.local_addr().expect("address").port();
        let serve = async {
            let tcp = accept(&listener).await.0;
            let _ = identity.acceptor().accept(tcp).await;
        };
        let (error, ()) = tokio::join!(client.connect("localhost", port, Security::Tls), serve);
        let error = error.expect_err("refused");
        assert_eq!(
            error.to_string(),
            format!("localhost:{port}: TLS failed: the certificate is not for this host")
        );
    })
    .await;
}

#[tokio::test]
async fn private_addresses_and_nonsense_are_refused() {
    let client = Client::new(ClientOptions::default()).expect("default options");
    let cases = [
        (
            "127.0.0.1",
            "127.0.0.1: its address 127.0.0.1 is private; only public addresses may be reached",
        ),
        (
            "[::1]",
            "::1: its address ::1 is private; only public addresses may be reached",
        ),
        (
            "::ffff:10.0.0.1",
            "::ffff:10.0.0.1: its address ::ffff:10.0.0.1 is private; only public addresses may be reached",
        ),
        ("", "invalid URL: it is no host name"),
        ("a b", "invalid URL: it is no host name"),
        ("a@127.0.0.1", "invalid URL: it is no host name"),
        ("127.0.0.1:80", "invalid URL: it is no host name"),
        ("127.0.0.1/", "invalid URL: it is no host name"),
    ];
    for (host, message) in cases {
        let error = promptly(client.connect(host, 1, Security::Plain)).await;
        let error = error.expect_err(host).to_string();
        assert_eq!(error, message, "{host}");
    }
}
