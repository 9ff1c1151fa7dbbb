use http::{HeaderMap, Request, StatusCode};
use outboard_runtime::empty_body;

use super::*;

async fn ask(store: &Store, worker: &str, url: &str, operation: CacheOperation) -> CacheAnswer {
    let request = Request::get(url).body(()).expect("a request");
    answer(
        store.clone(),
        CacheRequest {
            worker: worker.into(),
            cache: None,
            request,
            operation,
        },
    )
    .await
    .expect("an answer")
}

async fn put(
    store: &Store,
    worker: &str,
    headers: &[(&'static str, &'static str)],
    body: HostBody,
) {
    let mut response = Response::new(body);
    for (name, value) in headers {
        response
            .headers_mut()
            .append(*name, HeaderValue::from_static(value));
    }
    let operation = CacheOperation::Put(response);
    let put = ask(store, worker, "http://a.test/", operation).await;
    assert!(matches!(put, CacheAnswer::Done));
}

async fn read(store: &Store, worker: &str) -> Option<(StatusCode, HeaderMap, String)> {
    match ask(store, worker, "http://a.test/", CacheOperation::Match).await {
        CacheAnswer::Found(response) => {
            let (head, body) = response.into_parts();
            let body = body.collect().await.expect("a body").to_bytes();
            let text = String::from_utf8_lossy(&body).into_owned();
            Some((head.status, head.headers, text))
        }
        _ => None,
    }
}

#[tokio::test]
async fn what_is_put_is_found_by_its_worker_alone() {
    let store = Store::default();
    put(&store, "one", &[("x-a", "1")], full_body("text")).await;
    let (status, headers, body) = read(&store, "one").await.expect("found");
    assert_eq!((status, body.as_str()), (StatusCode::OK, "text"));
    assert_eq!(headers["cf-cache-status"], "HIT");
    assert_eq!(headers["x-a"], "1");
    assert_eq!(headers["content-length"], "4");
    assert!(read(&store, "two").await.is_none());
    let deleted = ask(&store, "two", "http://a.test/", CacheOperation::Delete).await;
    assert!(matches!(deleted, CacheAnswer::Missing));
    let deleted = ask(&store, "one", "http://a.test/", CacheOperation::Delete).await;
    assert!(matches!(deleted, CacheAnswer::Done));
    assert!(read(&store, "one").await.is_none());
}

#[tokio::test]
async fn what_may_not_be_stored_replaces_what_was() {
    let store = Store::default();
    for headers in [
        &[("cache-control", "no-store")][..],
        &[("set-cookie", "a=b")],
    ] {
        put(&store, "one", &[], full_body("old")).await;
        assert!(read(&store, "one").await.is_some());
        put(&store, "one", headers, full_body("new")).await;
        assert!(read(&store, "one").await.is_none(), "{headers:?}");
    }
}

#[tokio::test]
async fn cookies_are_left_out_where_asked() {
    let store = Store::default();
    let headers = [
        ("set-cookie", "a=b"),
        ("cache-control", "private=Set-Cookie, max-age=60"),
    ];
    put(&store, "one", &headers, full_body("text")).await;
    let (_, headers, _) = read(&store, "one").await.expect("found");
    assert!(!headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn a_body_too_large_is_read_and_let_go() {
    let store = Store::default();
    put(&store, "one", &[], full_body(vec![0; LARGEST + 1])).await;
    assert!(read(&store, "one").await.is_none());
    // One whose length nobody said.
    let chunks = std::iter::repeat_n(Bytes::from(vec![0; 1 << 20]), 17);
    let chunks = chunks.map(|chunk| Ok(http_body::Frame::data(chunk)));
    let body = http_body_util::StreamBody::new(futures::stream::iter(chunks));
    put(&store, "one", &[], BodyExt::boxed_unsync(body)).await;
    assert!(read(&store, "one").await.is_none());
    put(&store, "one", &[], full_body(vec![b'x'; LARGEST])).await;
    assert!(read(&store, "one").await.is_some());
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_and_nothing_is_stored() {
    let store = Store::default();
    let frames = futures::stream::iter([
        Ok(http_body::Frame::data(Bytes::from_static(b"half"))),
        Err(BodyError("broke off".into())),
    ]);
    let body = BodyExt::boxed_unsync(http_body_util::StreamBody::new(frames));
    let request = Request::get("http://a.test/").body(()).expect("a request");
    let asked = CacheRequest {
        worker: "one".into(),
        cache: None,
        request,
        operation: CacheOperation::Put(Response::new(body)),
    };
    let Err(error) = answer(store.clone(), asked).await else {
        panic!("stored");
    };
    assert_eq!(error.message, "broke off");
    assert!(read(&store, "one").await.is_none());
    put(&store, "one", &[], empty_body()).await;
    assert!(read(&store, "one").await.is_some());
}
