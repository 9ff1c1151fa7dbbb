//! Requests, responses, and the connections they share.

use http::Version;
use http_body::Body;
use outboard_egress::{ReasonPhrase, RequestBody, Retry, SendError};

use crate::support::{accept, client, get, listen, post, promptly, text};

#[tokio::test]
async fn a_get_is_answered() {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let mut connection = accept(&listener).await;
        let head = connection.head().await;
        connection
            .write("HTTP/1.1 200 Fine\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 5\r\n\r\nhello")
            .await;
        head
    });
    let request = get(&format!("{url}path?query"));
    let response = promptly(client().send(request)).await.expect("a response");
    assert_eq!(response.status(), 200);
    assert_eq!(response.version(), Version::HTTP_11);
    let values: Vec<_> = response.headers().get_all("x-a").iter().collect();
    assert_eq!(values, ["1", "2"]);
    let reason = response.extensions().get::<ReasonPhrase>().expect("reason");
    assert_eq!(reason.as_bytes(), b"Fine");
    assert_eq!(response.body().size_hint().exact(), Some(5));
    assert_eq!(promptly(text(response)).await.expect("a body"), "hello");
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    assert_eq!(
        server.await.expect("served"),
        format!("GET /path?query HTTP/1.1\r\nhost: {host}\r\n\r\n")
    );
}

#[tokio::test]
async fn a_body_is_framed_by_what_is_known_of_it() {
    let (sender, channel) = RequestBody::channel(Some(2));
    let (chunks, unknown) = RequestBody::channel(None);
    let written = tokio::spawn(async move {
        let (mut sender, mut chunks) = (sender, chunks);
        for body in [&mut sender, &mut chunks] {
            body.send("a".into()).await.expect("read");
            body.send("b".into()).await.expect("read");
        }
        sender.finish();
        chunks.finish();
    });
    let cases = [
        (RequestBody::empty(), "content-length: 0\r\n", "\r\n\r\n"),
        (RequestBody::from("abc"), "content-length: 3\r\n", "abc"),
        (
            RequestBody::new(http_body_util::Full::new("abcd".into())),
            "content-length: 4\r\n",
            "abcd",
        ),
        (channel, "content-length: 2\r\n", "ab"),
        (
            unknown,
            "transfer-encoding: chunked\r\n",
            "1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
        ),
    ];
    for (body, framing, end) in cases {
        let (listener, url) = listen().await;
        let server = tokio::spawn(async move {
            let mut connection = accept(&listener).await;
            let request = connection.until(end).await;
            connection.write("HTTP/1.1 204 No Content\r\n\r\n").await;
            request
        });
        let response = promptly(client().send(post(&url, body))).await;
        assert!(response.expect("a response").body().is_end_stream());
        let request = server.await.expect("served");
        assert!(request.contains(framing), "{framing:?} in {request:?}");
    }
    written.await.expect("written");
}

#[tokio::test]
async fn requests_share_a_connection() {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let mut connection = accept(&listener).await;
        for _ in 0..3 {
            connection.head().await;
            connection
                .write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .await;
        }
        (connection, listener)
    });
    let client = client();
    for _ in 0..3 {
        let response = promptly(client.clone().send(get(&url))).await;
        let body = promptly(text(response.expect("a response"))).await;
        assert_eq!(body.expect("a body"), "ok");
    }
    let (mut connection, listener) = promptly(server).await.expect("served by one connection");
    // Another client has its own connections.
    let other = crate::support::client();
    let asking = tokio::spawn(async move { other.send(get(&url)).await });
    let mut second = promptly(accept(&listener)).await;
    second.head().await;
    second.write("HTTP/1.1 204 No Content\r\n\r\n").await;
    promptly(asking).await.expect("asked").expect("a response");
    // With its last clone a client's connections go.
    drop(client);
    assert_eq!(promptly(connection.rest()).await, "");
}

/// The server closes a kept connection when the next request is on its way,
/// as servers with a short keep-alive do.
#[tokio::test]
async fn a_stale_connection_costs_an_idempotent_request_nothing() {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let mut stale = accept(&listener).await;
        stale.head().await;
        stale.write("HTTP/1.1 204 No Content\r\n\r\n").await;
        stale.head().await;
        drop(stale);
        let mut fresh = accept(&listener).await;
        let head = fresh.head().await;
        fresh.write("HTTP/1.1 204 No Content\r\n\r\n").await;
        head
    });
    let client = client();
    promptly(client.send(get(&url))).await.expect("first");
    let again = get(&format!("{url}again"));
    promptly(client.send(again)).await.expect("sent again");
    assert!(server.await.expect("served").starts_with("GET /again "));
}

#[tokio::test]
async fn a_post_is_not_sent_twice() {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let mut stale = accept(&listener).await;
        stale.head().await;
        stale.write("HTTP/1.1 204 No Content\r\n\r\n").await;
        stale.head().await;
    });
    let client = client();
    promptly(client.send(get(&url))).await.expect("first");
    let error = promptly(client.send(post(&url, RequestBody::empty())))
        .await
        .expect_err("closed");
    assert!(
        matches!(error, SendError::Closed { reused: true, .. }),
        "{error:?}"
    );
    assert_eq!(error.retry(), Retry::IfIdempotent);
    server.await.expect("served");
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced() {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        for _ in 0..5 {
            let mut connection = accept(&listener).await;
            connection.head().await;
            connection.write("HTTP/1.1 204 No Content\r\n\r\n").await;
        }
    });
    let client = client();
    for _ in 0..5 {
        promptly(client.send(get(&url))).await.expect("a response");
    }
    server.await.expect("served");
}
