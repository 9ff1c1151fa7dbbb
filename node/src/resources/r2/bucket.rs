//! A bucket, as it is asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use outboard_runtime::HostBody;
use outboard_storage::Object;

use super::blobs::{BlobId, Blobs};
use super::condition;
use super::digest::{Digests, Found, hex};
use super::error::R2Error;
use super::index::{Attributes, Index, Row};
use super::kept::{Fresh, Kept, durable};
use super::list::{Page, Walk};
use super::protocol::{
    AskAbort, AskComplete, AskDelete, AskGet, AskList, AskPart, AskPut, AskUpload, AskedAttributes,
    ToldRange,
};
use super::range;
use super::read::Reading;
use super::upload::{Begun, PATIENCE};
use crate::resources::steady::is_steady;

/// Documented limits: of a key, of all metadata, of what one request puts, and of the
/// keys that one deletes.
const MOST_KEY: usize = 1024;
const MOST_METADATA: usize = 8192;
pub(super) const MOST_PUT: u64 = (5 << 30) - (5 << 20);
const MOST_DELETED: usize = 1000;

/// Where a class is not told.
pub(super) const STANDARD: &str = "Standard";
pub(super) const INFREQUENT: &str = "InfrequentAccess";
const CLASSES: [&str; 2] = [STANDARD, INFREQUENT];

/// The folder of a bucket's blobs, in the folder of all data: its name, of which a
/// slash may be part, as one name of a file.
pub(super) fn folder_of(data: &Path, bucket: &str) -> PathBuf {
    let mut name = String::new();
    for byte in bucket.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    data.join("r2").join(name)
}

pub(crate) struct Bucket {
    name: String,
    kept: Kept,
    /// The next name of a blob, or owner of some.
    fresh: AtomicI64,
}

impl Bucket {
    /// Opens a bucket, and makes it; what a crash left is swept in the background.
    pub(crate) async fn open(
        database: Object,
        folder: &Path,
        name: &str,
    ) -> Result<Arc<Self>, R2Error> {
        let (index, run) = Index::open(database)?;
        durable(index.newest()).await?;
        // Before anybody reads: later there are some that wait for their readers.
        let doomed = index.doomed()?;
        let blobs = Blobs::open(&folder_of(folder, name))?;
        let bucket = Arc::new(Self {
            name: name.into(),
            kept: Kept::new(index, blobs),
            fresh: AtomicI64::new(BlobId::first(run).0),
        });
        tokio::spawn(bucket.clone().sweep(run, doomed));
        Ok(bucket)
    }

    pub(crate) async fn head(&self, key: &str) -> Result<Row, R2Error> {
        check_key(key)?;
        let found = self.kept.look(|index| index.find(key)).await?;
        found.ok_or(R2Error::NoSuchKey)
    }

    /// The object and the bytes that are asked for. What is refused by a condition
    /// is told too.
    pub(crate) async fn get(&self, ask: &AskGet) -> Result<Got, R2Error> {
        check_key(&ask.object)?;
        if ask.ssec.is_some() {
            return Err(no_ssec());
        }
        let look = self.kept.look(|index| {
            let row = index.find(&ask.object)?.ok_or(R2Error::NoSuchKey)?;
            let hold = self.kept.hold(row.id);
            let blobs = index.blobs(row.id)?;
            Ok((row, blobs, hold))
        });
        let (row, blobs, hold) = look.await?;
        let there = Some((row.etag.as_str(), row.uploaded));
        if let Some(only_if) = &ask.only_if
            && !condition::holds(only_if, there)
        {
            return Ok(Got::Refused(row));
        }
        let range = range::of(ask.range, ask.range_header.as_deref(), row.size)?;
        let reading = Reading::open(&self.kept.blobs, blobs, range, hold).await?;
        Ok(Got::Found(row, range, reading.into_body()))
    }

    /// Makes `body`, of `size` bytes, an object.
    pub(crate) async fn put(&self, ask: AskPut, body: HostBody, size: u64) -> Result<Row, R2Error> {
        check_key(&ask.object)?;
        let attributes = attributes(ask.attributes)?;
        if size > MOST_PUT {
            return Err(R2Error::TooLarge);
        }
        let only_if = ask.only_if;
        // Once more with the commit; here it spares the writing of what is refused.
        if let Some(only_if) = &only_if {
            let found = self.kept.look(|index| index.find(&ask.object)).await?;
            let found = found.as_ref().map(|row| (row.etag.as_str(), row.uploaded));
            if !condition::holds(only_if, found) {
                return Err(R2Error::Precondition);
            }
        }
        let asked = ask.digests.into_list();
        let digests = Digests::of(asked.iter().map(|(algorithm, _)| *algorithm));
        let (blob, found) = self.write(body, size, digests).await?;
        found.check(&asked)?;
        let row = Row {
            key: ask.object,
            id: self.fresh(),
            version: version(),
            size,
            etag: hex(&found.md5),
            uploaded: now(),
            checksums: found.checksums(),
            attributes,
        };
        let put = self.kept.commit(move |index| {
            let part = (size > 0).then(|| blob.part(0, size, &found));
            let doomed = index.put(&row, part.as_ref(), only_if.as_ref())?;
            blob.keep();
            Ok((row, doomed))
        });
        put.await
    }

    pub(crate) async fn delete(&self, ask: AskDelete) -> Result<(), R2Error> {
        let keys = keys_to_delete(ask)?;
        let delete = self
            .kept
            .commit(move |index| Ok(((), index.delete(&keys)?)));
        delete.await
    }

    pub(crate) async fn list(&self, ask: AskList) -> Result<Page<Row>, R2Error> {
        let walk = Walk::new(&ask)?;
        self.kept.work(move |index| walk.page(index)).await
    }

    /// Begins an upload; gives its name.
    pub(crate) async fn begin_upload(&self, ask: AskUpload) -> Result<String, R2Error> {
        check_key(&ask.object)?;
        let attributes = attributes(ask.attributes)?;
        let (id, now) = (self.fresh(), now());
        let begin = self.kept.commit(move |index| {
            let name = [version(), version(), version(), version()].concat();
            index.begin_upload(&Begun {
                id,
                name: &name,
                key: &ask.object,
                now,
                attributes: &attributes,
            })?;
            Ok((name, Vec::new()))
        });
        begin.await
    }

    /// Forgets uploads that take too long, and has their parts removed.
    pub(super) async fn expire_uploads(&self) -> Result<(), R2Error> {
        let now = now();
        match is_steady(now) {
            true => self.expire(now - PATIENCE).await,
            false => Ok(()),
        }
    }

    async fn expire(&self, before: i64) -> Result<(), R2Error> {
        let expire = self
            .kept
            .commit(move |index| Ok(((), index.expire(before)?)));
        expire.await
    }

    /// Makes `body` a part of an upload; gives its etag.
    pub(crate) async fn put_part(
        &self,
        ask: AskPart,
        body: HostBody,
        size: u64,
    ) -> Result<String, R2Error> {
        check_part(&ask, size)?;
        let number = ask.part_number;
        let (name, key) = (ask.upload_id, ask.object);
        // Before it is sent, which may be long.
        self.kept
            .look(|index| index.open_upload(&name, &key))
            .await?;
        let (blob, found) = self.write(body, size, Digests::default()).await?;
        let put = self.kept.commit(move |index| {
            let doomed = index.put_part(&name, &key, &blob.part(number, size, &found))?;
            blob.keep();
            Ok((hex(&found.md5), doomed))
        });
        put.await
    }

    pub(crate) async fn complete(&self, ask: AskComplete) -> Result<Row, R2Error> {
        check_key(&ask.object)?;
        let complete = self.kept.commit(move |index| {
            index.complete(&ask.upload_id, &ask.object, &ask.parts, version(), now())
        });
        complete.await
    }

    pub(crate) async fn abort(&self, ask: AskAbort) -> Result<(), R2Error> {
        check_key(&ask.object)?;
        let abort = self
            .kept
            .commit(move |index| Ok(((), index.abort(&ask.upload_id, &ask.object)?)));
        abort.await
    }

    async fn write(
        &self,
        body: HostBody,
        size: u64,
        digests: Digests,
    ) -> Result<(Fresh, Found), R2Error> {
        let id = BlobId(self.fresh());
        self.kept.write(id, body, size, digests).await
    }

    fn fresh(&self) -> i64 {
        self.fresh.fetch_add(1, Ordering::Relaxed)
    }

    /// Removes what runs before left: blobs that are nobody's, parts of uploads that
    /// nobody completed, and bytes that never became an object.
    async fn sweep(self: Arc<Self>, run: i64, doomed: Vec<BlobId>) {
        let swept = async {
            self.expire_uploads().await?;
            let removed = doomed.len() as u64;
            if removed > 0 {
                self.kept.clone().remove(doomed, None).await;
            }
            Ok::<_, R2Error>(removed + self.kept.sweep_runs(run).await?)
        };
        let bucket = &self.name;
        match swept.await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(bucket, removed, "swept what a crash left"),
            Err(error) => tracing::error!(bucket, %error, "a bucket was not swept"),
        }
    }
}

/// What a get comes to.
pub(crate) enum Got {
    Found(Row, ToldRange, HostBody),
    /// A condition does not hold.
    Refused(Row),
}

/// The keys that are to go, few enough.
pub(super) fn keys_to_delete(ask: AskDelete) -> Result<Vec<String>, R2Error> {
    let mut keys = ask.objects;
    keys.extend(ask.object);
    if keys.len() > MOST_DELETED {
        return Err(R2Error::Argument(format!(
            "A delete takes at most {MOST_DELETED} keys."
        )));
    }
    keys.iter().try_for_each(|key| check_key(key))?;
    Ok(keys)
}

/// Whether `size` bytes may be the part that is asked for.
pub(super) fn check_part(ask: &AskPart, size: u64) -> Result<(), R2Error> {
    check_key(&ask.object)?;
    if ask.ssec.is_some() {
        return Err(no_ssec());
    }
    if !(1..=10_000).contains(&ask.part_number) {
        return Err(R2Error::Argument(
            "A part's number is from 1 to 10000.".into(),
        ));
    }
    match size > MOST_PUT {
        true => Err(R2Error::TooLarge),
        false => Ok(()),
    }
}

pub(super) fn check_key(key: &str) -> Result<(), R2Error> {
    match key.is_empty() || key.len() > MOST_KEY {
        true => Err(R2Error::ObjectName),
        false => Ok(()),
    }
}

pub(super) fn attributes(asked: AskedAttributes) -> Result<Attributes, R2Error> {
    if asked.ssec.is_some() {
        return Err(no_ssec());
    }
    let custom = asked.custom_fields.iter();
    let custom: usize = custom.map(|record| record.k.len() + record.v.len()).sum();
    if custom + asked.http_fields.size() > MOST_METADATA {
        return Err(R2Error::MetadataTooLarge);
    }
    let class = asked.storage_class.unwrap_or_else(|| STANDARD.into());
    if !CLASSES.contains(&class.as_str()) {
        return Err(R2Error::Argument(format!(
            "The storage class {class:?} is neither \"Standard\" nor \"InfrequentAccess\"."
        )));
    }
    Ok(Attributes {
        http: asked.http_fields,
        custom: asked.custom_fields,
        class,
    })
}

/// Nobody's disk would be safer for it: who reads the disk reads the memory.
pub(super) fn no_ssec() -> R2Error {
    R2Error::Argument("Keys of the customer's (SSE-C) are not offered.".into())
}

/// 128 random bits: what nothing else has.
fn version() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests;
