//! HTTP/2, which a server chooses in the TLS handshake.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use outboard_egress::RequestBody;
use tokio::sync::{mpsc, oneshot};

use crate::support::{Identity, get, listen_tls, local, post, promptly, serve, text};

type Answer = Response<Full<bytes::Bytes>>;

fn plain(text: &'static str) -> Answer {
    Response::new(Full::new(text.into()))
}

#[tokio::test]
async fn alpn_decides() {
    for (protocols, version) in [
        (&["h2", "http/1.1"][..], Version::HTTP_2),
        (&["http/1.1"][..], Version::HTTP_11),
        (&[][..], Version::HTTP_11),
    ] {
        let identity = Identity::of("localhost", protocols);
        let (listener, url) = listen_tls().await;
        let acceptor = identity.acceptor();
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("accept");
            let stream = acceptor.accept(stream).await.expect("handshake");
            serve(stream, |request: Request<Incoming>| async move {
                assert!(request.headers().get("x-kept").is_some());
                plain("ok")
            })
            .await
            .expect("served");
        });
        let client = identity.client();
        let mut request = get(&url);
        request
            .headers_mut()
            .insert("x-kept", "1".parse().expect("value"));
        // On HTTP/2 the connection's headers are errors.
        request
            .headers_mut()
            .insert("connection", "close".parse().expect("value"));
        let response = promptly(client.send(request)).await.expect("a response");
        assert_eq!(response.version(), version);
        assert_eq!(promptly(text(response)).await.expect("a body"), "ok");
        drop(client);
        promptly(server).await.expect("served");
    }
}

#[tokio::test]
async fn requests_share_a_connection_at_once() {
    let identity = Identity::of("localhost", &["h2"]);
    let (listener, url) = listen_tls().await;
    let acceptor = identity.acceptor();
    // Answers when all of them are there, which one after another never are.
    const ALL: usize = 8;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("accept");
        let stream = acceptor.accept(stream).await.expect("handshake");
        let here = std::sync::Arc::new((AtomicUsize::new(0), tokio::sync::Notify::new()));
        let served = serve(stream, move |request: Request<Incoming>| {
            let here = here.clone();
            async move {
                if request.uri().path() == "/together" {
                    if here.0.fetch_add(1, Ordering::SeqCst) + 1 == ALL {
                        here.1.notify_waiters();
                    } else {
                        here.1.notified().await;
                    }
                }
                plain("ok")
            }
        });
        served.await.expect("served");
    });
    let client = identity.client();
    promptly(client.send(get(&url))).await.expect("first");
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..ALL {
        let (client, request) = (client.clone(), get(&format!("{url}together")));
        asking.spawn(async move { client.send(request).await });
    }
    for outcome in promptly(asking.join_all()).await {
        assert_eq!(outcome.expect("a response").version(), Version::HTTP_2);
    }
}

/// A dropped request resets its stream; the connection stays.
#[tokio::test]
async fn a_dropped_request_is_reset() {
    struct Gone(Option<oneshot::Sender<()>>);
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.take().map(|gone| gone.send(()));
        }
    }
    let identity = Identity::of("localhost", &["h2"]);
    let (listener, url) = listen_tls().await;
    let acceptor = identity.acceptor();
    let (arrived, arrival) = oneshot::channel();
    let (gone, departure) = oneshot::channel();
    let signals = std::sync::Mutex::new(Some((arrived, Gone(Some(gone)))));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("accept");
        let stream = acceptor.accept(stream).await.expect("handshake");
        let served = serve(stream, move |_: Request<Incoming>| {
            let signals = signals.lock().expect("lock").take();
            async move {
                let Some((arrived, _gone)) = signals else {
                    return plain("second");
                };
                arrived.send(()).expect("awaited");
                std::future::pending::<Answer>().await
            }
        });
        served.await.expect("served");
    });
    let client = identity.client();
    let asking = {
        let (client, request) = (client.clone(), get(&url));
        tokio::spawn(async move { client.send(request).await })
    };
    promptly(arrival).await.expect("arrived");
    asking.abort();
    promptly(departure).await.expect("reset");
    let response = promptly(client.send(get(&url))).await.expect("a response");
    assert_eq!(promptly(text(response)).await.expect("a body"), "second");
}

/// The connection stays, so nothing but the client ends the upload.
#[tokio::test]
async fn dropping_either_side_ends_its_upload() {
    for path in ["never-answered", "answered"] {
        let identity = Identity::of("localhost", &["h2"]);
        let (listener, url) = listen_tls().await;
        let acceptor = identity.acceptor();
        let (arrived, mut arrival) = mpsc::channel(1);
        let (ended, mut end) = mpsc::channel(1);
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("accept");
            let stream = acceptor.accept(stream).await.expect("handshake");
            let served = serve(stream, move |request: Request<Incoming>| {
                let (arrived, ended) = (arrived.clone(), ended.clone());
                async move {
                    let answered = request.uri().path() == "/answered";
                    let mut upload = request.into_body();
                    let (writer, body) = RequestBody::channel(None);
                    tokio::spawn(async move {
                        // The answer's body lasts as long as the upload.
                        let _writer = writer;
                        upload.frame().await.expect("data").expect("no error");
                        arrived.send(()).await.expect("awaited");
                        let broken = upload.frame().await.expect("no end").is_err();
                        ended.send(broken).await.expect("awaited");
                    });
                    if !answered {
                        std::future::pending::<()>().await;
                    }
                    Response::new(body)
                }
            });
            served.await.expect("served");
        });
        let (mut sender, body) = RequestBody::channel(None);
        let client = identity.client();
        let (asker, request) = (client.clone(), post(&format!("{url}{path}"), body));
        let call = tokio::spawn(async move { asker.send(request).await });
        promptly(sender.send("first".into())).await.expect("read");
        promptly(arrival.recv()).await.expect("arrived");
        if path == "answered" {
            drop(promptly(call).await.expect("called").expect("a response"));
        } else {
            call.abort();
        }
        promptly(sender.closed()).await;
        assert_eq!(promptly(end.recv()).await, Some(true), "{path}: broken off");
    }
}

#[tokio::test]
async fn headers_over_the_limit_are_an_error() {
    let cases = [
        (900, None),
        (1100, Some("the response headers exceed 1000 bytes")),
        // HTTP/2 itself refuses these and doesn't say why.
        (5000, Some("headers far over 1000 bytes")),
    ];
    for (length, expected) in cases {
        let identity = Identity::of("localhost", &["h2"]);
        let (listener, url) = listen_tls().await;
        let acceptor = identity.acceptor();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("accept");
            let stream = acceptor.accept(stream).await.expect("handshake");
            let served = serve(stream, move |_: Request<Incoming>| async move {
                let mut response = plain("");
                let value = "x".repeat(length).parse().expect("value");
                response.headers_mut().insert("x-long", value);
                response
            });
            served.await.expect("served");
        });
        let client = identity.client_with(outboard_egress::ClientOptions {
            max_response_header_bytes: 1000,
            ..local()
        });
        match (promptly(client.send(get(&url))).await, expected) {
            (Ok(_), None) => {}
            (Err(error), Some(expected)) => {
                assert!(error.to_string().ends_with(expected), "{error}");
            }
            (outcome, _) => panic!("{length}: {outcome:?}"),
        }
    }
}

/// The server goes away without a word when the next request is there.
#[tokio::test]
async fn a_stale_connection_costs_an_idempotent_request_nothing() {
    let identity = Identity::of("localhost", &["h2"]);
    let (listener, url) = listen_tls().await;
    let acceptor = identity.acceptor();
    tokio::spawn(async move {
        for connection in 0.. {
            let (stream, _) = listener.accept().await.expect("accept");
            let stream = acceptor.accept(stream).await.expect("handshake");
            let (last, mut leave) = tokio::sync::mpsc::channel(1);
            let served = serve(stream, move |request: Request<Incoming>| {
                let last = last.clone();
                async move {
                    if connection == 0 && request.uri().path() == "/again" {
                        last.send(()).await.expect("awaited");
                        std::future::pending::<()>().await;
                    }
                    plain("ok")
                }
            });
            if leave.recv().await.is_some() {
                served.abort();
            }
        }
    });
    let client = identity.client();
    promptly(client.send(get(&url))).await.expect("first");
    let again = get(&format!("{url}again"));
    promptly(client.send(again)).await.expect("sent again");
}
