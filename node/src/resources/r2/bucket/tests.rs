//! A bucket without a worker: what time and crashes do to it.

use std::path::PathBuf;
use std::time::Duration;

use http_body_util::BodyExt;
use outboard_runtime::full_body;
use outboard_storage::{Store, StoreOptions};

use super::*;
use crate::objects::key_of;

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}

/// Waits for work in the background.
async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let patience = tokio::time::Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(tokio::time::Instant::now() < patience, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn store(folder: &Path) -> Store {
    let (store, _) = Store::open(folder, StoreOptions::default()).expect("it opens");
    store
}

async fn open(store: &Store, folder: &Path) -> Arc<Bucket> {
    let database = store.object(key_of("r2", "files")).expect("a database");
    let bucket = Bucket::open(database, folder, "files").await;
    bucket.expect("a bucket")
}

fn ask_put(key: &str) -> AskPut {
    AskPut {
        object: key.into(),
        ..AskPut::default()
    }
}

async fn put(bucket: &Bucket, key: &str, value: &'static str) {
    let size = value.len() as u64;
    let row = bucket.put(ask_put(key), full_body(value), size).await;
    assert_eq!(row.expect("a put").size, size);
}

async fn read(bucket: &Bucket, key: &str) -> bytes::Bytes {
    let ask = AskGet {
        object: key.into(),
        ..AskGet::default()
    };
    let Got::Found(_, _, body) = bucket.get(&ask).await.expect("the object") else {
        panic!("nothing was asked that can be refused");
    };
    let bytes = body.collect().await;
    bytes.expect("its bytes").to_bytes()
}

async fn begin(bucket: &Bucket, key: &str) -> String {
    let ask = AskUpload {
        object: key.into(),
        attributes: AskedAttributes::default(),
    };
    bucket.begin_upload(ask).await.expect("an upload")
}

async fn put_part(
    bucket: &Bucket,
    key: &str,
    upload: &str,
    number: u32,
) -> Result<String, R2Error> {
    let ask = AskPart {
        object: key.into(),
        upload_id: upload.into(),
        part_number: number,
        ssec: None,
    };
    bucket.put_part(ask, full_body("part"), 4).await
}

#[tokio::test]
async fn uploads_that_take_too_long_go() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = store(dir.path());
    let bucket = open(&store, dir.path()).await;
    let (late, kept) = (begin(&bucket, "late").await, begin(&bucket, "kept").await);
    put_part(&bucket, "late", &late, 1).await.expect("a part");
    let etag = put_part(&bucket, "kept", &kept, 1).await.expect("a part");
    let complete = AskComplete {
        object: "kept".into(),
        upload_id: kept,
        parts: vec![super::super::protocol::AskedPart { part: 1, etag }],
    };
    bucket.complete(complete).await.expect("an object");
    assert_eq!(files(&dir.path().join("r2")).len(), 2);
    bucket.expire(now() + 1).await.expect("they expire");
    until("its part is gone", || {
        files(&dir.path().join("r2")).len() == 1
    })
    .await;
    let error = put_part(&bucket, "late", &late, 2).await;
    assert!(matches!(error, Err(R2Error::NoSuchUpload)));
    bucket.head("kept").await.expect("an object");
}

#[tokio::test]
async fn what_a_crash_left_is_swept() {
    let dir = tempfile::tempdir().expect("a folder");
    let place = dir.path().join("r2/files");
    {
        let store = store(dir.path());
        let bucket = open(&store, dir.path()).await;
        put(&bucket, "a", "value").await;
        until("the first sweep", || Arc::strong_count(&bucket) == 1).await;
    }
    // A blob without a row, and the beginning of one.
    std::fs::write(place.join("1/0/900"), "orphan").expect("written");
    std::fs::write(place.join("1/0/901#1"), "begun").expect("written");
    std::fs::create_dir_all(place.join("1/3")).expect("made");
    std::fs::write(place.join("1/3/3072"), "older").expect("written");
    let store = store(dir.path());
    let bucket = open(&store, dir.path()).await;
    until("the sweep", || {
        files(&place).len() == 1 && !place.join("1/3").exists()
    })
    .await;
    assert_eq!(read(&bucket, "a").await, "value");
}

/// Whoever waits for a put may leave: what is there then is one of the two, whole.
#[tokio::test]
async fn a_put_that_nobody_waits_for_leaves_nothing_half() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = store(dir.path());
    let bucket = open(&store, dir.path()).await;
    put(&bucket, "a", "old").await;
    for patience in 0..40 {
        let value = "x".repeat(200_000);
        let body = full_body(value.clone());
        let put = bucket.put(ask_put("a"), body, 200_000);
        let limit = Duration::from_micros(100 * patience);
        let _ = tokio::time::timeout(limit, put).await;
        let row = bucket.head("a").await.expect("an object");
        assert_eq!(read(&bucket, "a").await.len() as u64, row.size, "{limit:?}");
    }
    until("others are gone", || {
        files(&dir.path().join("r2")).len() == 1
    })
    .await;
}
