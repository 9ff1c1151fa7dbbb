//! Private addresses are out of reach, however they are written.

use outboard_egress::{Client, ClientOptions, Retry, SendError};

use crate::support::{get, listen, promptly};

#[tokio::test]
async fn private_addresses_are_refused_by_default() {
    let (listener, _) = listen().await;
    let port = listener.local_addr().expect("address").port();
    let client = Client::new(ClientOptions::default()).expect("default options");
    let cases = [
        ("http://127.0.0.1", "127.0.0.1"),
        ("https://127.0.0.1", "127.0.0.1"),
        ("http://[::1]", "::1"),
        ("https://[::1]", "::1"),
        ("http://[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
        ("http://169.254.169.254", "169.254.169.254"),
        ("http://localhost", "localhost"),
        ("https://localhost", "localhost"),
        // Forms that only the resolver takes for addresses.
        ("http://2130706433", "127.0.0.1"),
        ("http://0x7f.1", "127.0.0.1"),
        ("http://0", "0.0.0.0"),
    ];
    for (origin, expected) in cases {
        let url = format!("{origin}:{port}/");
        let error = promptly(client.send(get(&url))).await.expect_err(&url);
        assert_eq!(error.retry(), Retry::Never);
        let SendError::PrivateAddress { host, addr } = error else {
            panic!("{url}: {error:?}");
        };
        assert!(origin.contains(&host), "{url}: {host}");
        // A machine may list either loopback address of its name first.
        assert!(
            addr.to_string() == expected || (host == expected && addr.is_loopback()),
            "{url}: {addr}"
        );
    }
    assert!(
        std::future::poll_fn(|cx| std::task::Poll::Ready(listener.poll_accept(cx).is_pending()))
            .await,
        "nobody connected"
    );
}

#[tokio::test]
async fn an_upgrade_is_no_way_around() {
    let client = Client::new(ClientOptions::default()).expect("default options");
    let request = http::Request::get("http://localhost:1/")
        .header("upgrade", "websocket")
        .body(())
        .expect("request");
    let error = promptly(client.upgrade(request))
        .await
        .expect_err("private");
    assert!(
        matches!(error, SendError::PrivateAddress { .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().starts_with("localhost: its address "),
        "{error}"
    );
}
