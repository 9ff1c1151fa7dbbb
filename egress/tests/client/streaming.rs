//! Bodies while they are under way, and when they break.

use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use outboard_egress::{
    BodyError, BodyRefused, BodySender, Client, RequestBody, RequestBodyError, SendError,
};
use tokio::net::TcpListener;

use crate::support::{
    Exact, Identity, accept, chunk, client, get, listen, listen_tls, post, promptly, serve,
};

/// Each chunk is answered before the next is written, so neither side can be
/// waiting for the other's end.
async fn echo_chunk_by_chunk(client: Client, url: &str) {
    let (mut sender, body) = RequestBody::channel(None);
    let response = promptly(client.send(post(url, body)))
        .await
        .expect("a response");
    let mut body = response.into_body();
    for round in 0..50 {
        let sent = format!("chunk {round}");
        promptly(sender.send(sent.clone().into()))
            .await
            .expect("read");
        let mut echoed = Vec::new();
        while echoed.len() < sent.len() {
            let part = promptly(chunk(&mut body)).await.expect("more");
            echoed.extend_from_slice(&part.expect("no error"));
        }
        assert_eq!(echoed, sent.as_bytes());
    }
    sender.finish();
    assert!(promptly(chunk(&mut body)).await.is_none());
    assert!(body.is_end_stream());
}

async fn echo(request: Request<Incoming>) -> Response<Incoming> {
    Response::new(request.into_body())
}

#[tokio::test]
async fn http1_streams_both_ways_at_once() {
    let (listener, url) = listen().await;
    tokio::spawn(async move { serve(accept(&listener).await.0, echo).await });
    echo_chunk_by_chunk(client(), &url).await;
}

#[tokio::test]
async fn http2_streams_both_ways_at_once() {
    let identity = Identity::of("localhost", &["h2"]);
    let (listener, url) = listen_tls().await;
    let acceptor = identity.acceptor();
    tokio::spawn(async move {
        let stream = acceptor.accept(accept(&listener).await.0).await;
        serve(stream.expect("handshake"), echo).await
    });
    echo_chunk_by_chunk(identity.client(), &url).await;
}

#[tokio::test]
async fn a_truncated_response_is_not_a_whole_one() {
    for head in [
        "content-length: 10\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n5\r\n",
    ] {
        let (listener, url) = listen().await;
        let server = tokio::spawn(async move {
            let mut connection = accept(&listener).await;
            connection.head().await;
            connection
                .write(&format!("HTTP/1.1 200 OK\r\n{head}hello"))
                .await;
        });
        let response = promptly(client().send(get(&url)))
            .await
            .expect("a response");
        let mut body = response.into_body();
        let first = promptly(chunk(&mut body)).await.expect("data");
        assert_eq!(first.expect("what came"), "hello");
        let error = promptly(chunk(&mut body)).await.expect("an error");
        let error = error.expect_err("truncated");
        assert!(matches!(error, BodyError::Closed { .. }), "{error:?}");
        assert!(
            error
                .to_string()
                .ends_with(": the connection closed before the end of the response"),
            "{error}"
        );
        assert!(promptly(chunk(&mut body)).await.is_none());
        server.await.expect("served");
    }
}

#[tokio::test]
async fn broken_chunks_are_an_error() {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let mut connection = accept(&listener).await;
        connection.head().await;
        connection
            .write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nnope\r\n")
            .await;
        connection.rest().await;
    });
    let response = promptly(client().send(get(&url)))
        .await
        .expect("a response");
    let error = promptly(response.into_body().collect())
        .await
        .expect_err("broken");
    assert!(matches!(error, BodyError::Protocol { .. }), "{error:?}");
    promptly(server).await.expect("closed by the client");
}

#[tokio::test]
async fn dropping_the_response_closes_the_connection() {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let mut connection = accept(&listener).await;
        connection.head().await;
        connection
            .write("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nhello")
            .await;
        connection.rest().await
    });
    let client = client();
    let response = promptly(client.send(get(&url))).await.expect("a response");
    drop(response);
    assert_eq!(promptly(server).await.expect("closed"), "");
}

#[tokio::test]
async fn dropping_the_request_closes_the_connection() {
    let (listener, url) = listen().await;
    let client = client();
    let asking = tokio::spawn(async move { client.send(get(&url)).await });
    let mut connection = promptly(accept(&listener)).await;
    connection.head().await;
    asking.abort();
    assert_eq!(promptly(connection.rest()).await, "");
}

/// An upload whose first chunk has arrived: its writer, connection and call.
async fn uploading(
    listener: &TcpListener,
    url: &str,
) -> (
    BodySender,
    Exact,
    tokio::task::JoinHandle<Result<Response<outboard_egress::ResponseBody>, SendError>>,
) {
    let (mut sender, body) = RequestBody::channel(None);
    let (client, request) = (client(), post(url, body));
    let call = tokio::spawn(async move { client.send(request).await });
    let mut connection = promptly(accept(listener)).await;
    promptly(sender.send("first".into())).await.expect("read");
    promptly(connection.until("5\r\nfirst\r\n")).await;
    (sender, connection, call)
}

#[tokio::test]
async fn dropping_the_request_ends_its_upload() {
    let (listener, url) = listen().await;
    let (mut sender, mut connection, call) = uploading(&listener, &url).await;
    call.abort();
    promptly(sender.closed()).await;
    assert_eq!(sender.send("more".into()).await, Err(BodyRefused));
    assert_eq!(promptly(connection.rest()).await, "");
}

#[tokio::test]
async fn dropping_the_response_ends_its_upload() {
    let (listener, url) = listen().await;
    let (sender, mut connection, call) = uploading(&listener, &url).await;
    connection
        .write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
        .await;
    let response = promptly(call).await.expect("called").expect("a response");
    drop(response);
    promptly(sender.closed()).await;
    assert_eq!(promptly(connection.rest()).await, "");
}

#[tokio::test]
async fn an_early_answer_lets_the_upload_go_on() {
    let (listener, url) = listen().await;
    let (mut sender, mut connection, call) = uploading(&listener, &url).await;
    connection
        .write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        .await;
    let response = promptly(call).await.expect("called").expect("a response");
    let body = promptly(crate::support::text(response)).await;
    assert_eq!(body.expect("a body"), "ok");
    promptly(sender.send("second".into())).await.expect("read");
    sender.finish();
    assert_eq!(
        promptly(connection.until("0\r\n\r\n")).await,
        "6\r\nsecond\r\n0\r\n\r\n"
    );
}

#[tokio::test]
async fn half_an_upload_is_not_a_whole_one() {
    let cases: [(fn(BodySender), RequestBodyError); 2] = [
        (drop, RequestBodyError::Unfinished),
        (
            |sender| sender.abort("the stream broke"),
            RequestBodyError::Failed("the stream broke".into()),
        ),
    ];
    for (end, expected) in cases {
        let (listener, url) = listen().await;
        let (sender, mut connection, call) = uploading(&listener, &url).await;
        end(sender);
        let error = promptly(call)
            .await
            .expect("called")
            .expect_err("broken off");
        match error {
            SendError::RequestBody { source, .. } => assert_eq!(source, expected),
            other => panic!("{other:?}"),
        }
        // No last chunk.
        assert_eq!(promptly(connection.rest()).await, "");
    }
}

#[tokio::test]
async fn a_promised_length_is_kept() {
    let cases = [
        (3, "abcd", RequestBodyError::TooLong),
        (5, "abcd", RequestBodyError::TooShort { missing: 1 }),
    ];
    for (length, sent, expected) in cases {
        let (listener, url) = listen().await;
        let server = tokio::spawn(async move {
            let mut connection = accept(&listener).await;
            connection.rest().await
        });
        let (mut sender, body) = RequestBody::channel(Some(length));
        promptly(sender.send(sent.into())).await.expect("room");
        sender.finish();
        let error = promptly(client().send(post(&url, body)))
            .await
            .expect_err("wrong");
        match error {
            SendError::RequestBody { source, .. } => assert_eq!(source, expected),
            other => panic!("{other:?}"),
        }
        let request = promptly(server).await.expect("closed");
        let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        assert!((body.len() as u64) < length, "{request:?} is not whole");
    }
}
