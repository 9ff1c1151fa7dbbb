//! A bucket: its index, its blobs, and the order of things between the two. A put's
//! blob is durable before the commit that names it; a blob goes after the commit that
//! names it no more.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use outboard_runtime::HostBody;
use outboard_storage::{Object, Receipt};
use tokio::sync::Mutex;

use super::blobs::{BlobId, Blobs};
use super::condition;
use super::digest::{Algorithm, Digests, Found, hex};
use super::error::R2Error;
use super::index::{Attributes, Blob, Doomed, Index, Row};
use super::list::{Page, Walk};
use super::protocol::{
    AskAbort, AskComplete, AskDelete, AskGet, AskList, AskPart, AskPut, AskUpload, AskedAttributes,
    Conditional, ToldRange,
};
use super::range;
use super::read::{Pin, Pins, Reading};
use super::upload::{Begun, PATIENCE};

/// Documented limits: of a key, of all metadata, of what one request puts, and of the
/// keys that one deletes.
const MOST_KEY: usize = 1024;
const MOST_METADATA: usize = 8192;
const MOST_PUT: u64 = (5 << 30) - (5 << 20);
const MOST_DELETED: usize = 1000;

/// Where a class is not told.
const STANDARD: &str = "Standard";
const CLASSES: [&str; 2] = [STANDARD, "InfrequentAccess"];

/// How often uploads are looked through for those that took too long.
const EXPIRY: i64 = 60 * 60 * 1000;

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
    index: Arc<Mutex<Index>>,
    blobs: Blobs,
    pins: Arc<Pins>,
    /// The next name of a blob, or owner of some.
    fresh: AtomicI64,
    /// When uploads were looked through.
    expired: AtomicI64,
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
        let blobs = Blobs::open(&folder_of(folder, name)).map_err(|error| {
            tracing::error!(%error, bucket = name, "a bucket's folder cannot be made");
            R2Error::Internal
        })?;
        let bucket = Arc::new(Self {
            name: name.into(),
            index: Arc::new(Mutex::new(index)),
            blobs,
            pins: Arc::default(),
            fresh: AtomicI64::new(BlobId::first(run).0),
            expired: AtomicI64::new(0),
        });
        tokio::spawn(bucket.clone().sweep(run));
        Ok(bucket)
    }

    pub(crate) async fn head(&self, key: &str) -> Result<Row, R2Error> {
        check_key(key)?;
        let (found, receipt) = {
            let index = self.index.lock().await;
            (index.find(key)?, index.newest())
        };
        durable(receipt).await?;
        found.ok_or(R2Error::NoSuchKey)
    }

    /// The object and the bytes that are asked for. What is refused by a condition
    /// is told too.
    pub(crate) async fn get(&self, ask: &AskGet) -> Result<Got, R2Error> {
        check_key(&ask.object)?;
        if ask.ssec.is_some() {
            return Err(no_ssec());
        }
        let (row, blobs, pin, receipt) = {
            let index = self.index.lock().await;
            let row = index.find(&ask.object)?.ok_or(R2Error::NoSuchKey)?;
            // Under the lock, so that nobody removes them between.
            let pin = Pins::pin(&self.pins, row.id);
            let blobs = index.blobs(row.id)?;
            (row, blobs, pin, index.newest())
        };
        durable(receipt).await?;
        let there = Some((row.etag.as_str(), row.uploaded));
        if let Some(only_if) = &ask.only_if
            && !condition::holds(only_if, there)
        {
            return Ok(Got::Refused(row));
        }
        let range = range::of(ask.range, ask.range_header.as_deref(), row.size)?;
        let releasing = Releasing {
            pin: Some(pin),
            index: self.index.clone(),
            blobs: self.blobs.clone(),
        };
        let reading = Reading::open(&self.blobs, blobs, range, releasing).await?;
        Ok(Got::Found(row, range, reading))
    }

    /// Makes `body`, of `size` bytes, an object.
    pub(crate) async fn put(&self, ask: AskPut, body: HostBody, size: u64) -> Result<Row, R2Error> {
        check_key(&ask.object)?;
        let attributes = attributes(ask.attributes)?;
        if size > MOST_PUT {
            return Err(R2Error::TooLarge);
        }
        let only_if = ask.only_if.as_ref();
        // Once more with the commit; here it spares the writing of what is refused.
        if only_if.is_some() {
            self.expect(&ask.object, only_if).await?;
        }
        let asked = ask.digests.into_list();
        let digests = Digests::of(asked.iter().map(|(algorithm, _)| *algorithm));
        let (blob, found) = self.write(body, size, digests).await?;
        for (algorithm, digest) in &asked {
            let actual = found.of(*algorithm);
            if digest != actual {
                return Err(R2Error::digest(*algorithm, digest, actual));
            }
        }
        let md5 = hex(&found.md5);
        let mut checksums = vec![(Algorithm::Md5.number(), md5.clone())];
        let others = found.others.iter();
        checksums.extend(others.map(|(other, digest)| (other.number(), hex(digest))));
        let row = Row {
            key: ask.object,
            id: self.fresh(),
            version: version(),
            size,
            etag: md5,
            uploaded: now(),
            checksums,
            attributes,
        };
        let part = (size > 0).then(|| blob.part(0, size, &found));
        self.commit(|index| {
            let doomed = index.put(&row, part.as_ref(), only_if)?;
            blob.keep();
            Ok(doomed)
        })
        .await?;
        Ok(row)
    }

    async fn expect(&self, key: &str, only_if: Option<&Conditional>) -> Result<(), R2Error> {
        let found = self.index.lock().await.find(key)?;
        let found = found.as_ref().map(|row| (row.etag.as_str(), row.uploaded));
        match only_if.is_none_or(|only_if| condition::holds(only_if, found)) {
            true => Ok(()),
            false => Err(R2Error::Precondition),
        }
    }

    pub(crate) async fn delete(&self, ask: AskDelete) -> Result<(), R2Error> {
        let mut keys = ask.objects;
        keys.extend(ask.object);
        if keys.len() > MOST_DELETED {
            return Err(R2Error::Argument(format!(
                "A delete takes at most {MOST_DELETED} keys."
            )));
        }
        keys.iter().try_for_each(|key| check_key(key))?;
        self.commit(move |index| index.delete(&keys)).await
    }

    pub(crate) async fn list(&self, ask: AskList) -> Result<Page<Row>, R2Error> {
        let walk = Walk::new(&ask)?;
        let mut index = self.index.clone().lock_owned().await;
        // Milliseconds for a long page: not on the lane.
        let walked = tokio::task::spawn_blocking(move || {
            let page = walk.page(&mut *index);
            page.map(|page| (page, index.newest()))
        });
        let (page, receipt) = walked.await.map_err(|_| R2Error::Internal)??;
        durable(receipt).await?;
        Ok(page)
    }

    /// Begins an upload; gives its name.
    pub(crate) async fn begin_upload(&self, ask: AskUpload) -> Result<String, R2Error> {
        check_key(&ask.object)?;
        let attributes = attributes(ask.attributes)?;
        let name = [version(), version(), version(), version()].concat();
        let now = now();
        let begun = Begun {
            id: self.fresh(),
            name: &name,
            key: &ask.object,
            now,
            attributes: &attributes,
        };
        self.commit(|index| index.begin_upload(&begun).map(|()| Vec::new()))
            .await?;
        if now - self.expired.load(Ordering::Relaxed) > EXPIRY {
            self.expired.store(now, Ordering::Relaxed);
            self.commit(|index| index.expire(now - PATIENCE)).await?;
        }
        Ok(name)
    }

    /// Makes `body` a part of an upload; gives its etag.
    pub(crate) async fn put_part(
        &self,
        ask: &AskPart,
        body: HostBody,
        size: u64,
    ) -> Result<String, R2Error> {
        check_key(&ask.object)?;
        if ask.ssec.is_some() {
            return Err(no_ssec());
        }
        if !(1..=10_000).contains(&ask.part_number) {
            return Err(R2Error::Argument(
                "A part's number is from 1 to 10000.".into(),
            ));
        }
        if size > MOST_PUT {
            return Err(R2Error::TooLarge);
        }
        let (name, key) = (&ask.upload_id, &ask.object);
        self.index.lock().await.open_upload(name, key)?;
        let (blob, found) = self.write(body, size, Digests::default()).await?;
        let part = blob.part(ask.part_number, size, &found);
        self.commit(|index| {
            let doomed = index.put_part(name, key, &part)?;
            blob.keep();
            Ok(doomed)
        })
        .await?;
        Ok(hex(&found.md5))
    }

    pub(crate) async fn complete(&self, ask: AskComplete) -> Result<Row, R2Error> {
        check_key(&ask.object)?;
        let mut row = None;
        self.commit(|index| {
            let (name, key) = (&ask.upload_id, &ask.object);
            let (made, doomed) = index.complete(name, key, &ask.parts, version(), now())?;
            row = Some(made);
            Ok(doomed)
        })
        .await?;
        row.ok_or(R2Error::Internal)
    }

    pub(crate) async fn abort(&self, ask: AskAbort) -> Result<(), R2Error> {
        check_key(&ask.object)?;
        self.commit(|index| index.abort(&ask.upload_id, &ask.object))
            .await
    }

    /// Changes the index, waits until that is durable, and lets go of blobs that are
    /// nobody's then. What was changed stays so although nobody waits for it.
    async fn commit(
        &self,
        change: impl FnOnce(&mut Index) -> Result<Doomed, R2Error>,
    ) -> Result<(), R2Error> {
        let (doomed, receipt) = {
            let mut index = self.index.lock().await;
            let doomed = change(&mut index)?;
            (doomed, index.newest())
        };
        let doomed = self.pins.doom(doomed);
        if doomed.is_empty() {
            return durable(receipt).await;
        }
        let removal = remove(
            self.index.clone(),
            self.blobs.clone(),
            doomed,
            receipt.clone(),
        );
        tokio::spawn(removal);
        durable(receipt).await
    }

    async fn write(
        &self,
        body: HostBody,
        size: u64,
        digests: Digests,
    ) -> Result<(Fresh, Found), R2Error> {
        let id = BlobId(self.fresh());
        let fresh = Fresh {
            id,
            blobs: Some(self.blobs.clone()),
        };
        if size == 0 {
            // There is no blob of nothing; a body that goes on is found out.
            let empty = super::blobs::nothing(body).await?;
            return Ok((
                fresh,
                empty.then(|| digests.finish()).ok_or(R2Error::Incomplete)?,
            ));
        }
        let found = self.blobs.write(id, body, size, digests).await?;
        Ok((fresh, found))
    }

    fn fresh(&self) -> i64 {
        self.fresh.fetch_add(1, Ordering::Relaxed)
    }

    /// Removes what runs before left: blobs that are nobody's, parts of uploads that
    /// nobody completed, and bytes that never became an object.
    async fn sweep(self: Arc<Self>, run: i64) {
        let bucket = &self.name;
        match self.swept(run).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(bucket, removed, "swept what a crash left"),
            Err(error) => tracing::error!(bucket, %error, "a bucket was not swept"),
        }
    }

    async fn swept(&self, run: i64) -> Result<u64, R2Error> {
        let now = now();
        self.expired.store(now, Ordering::Relaxed);
        self.commit(|index| index.expire(now - PATIENCE)).await?;
        let (doomed, from) = {
            let index = self.index.lock().await;
            (index.doomed()?, index.swept()?)
        };
        let mut removed = doomed.len() as u64;
        if !doomed.is_empty() {
            remove(self.index.clone(), self.blobs.clone(), doomed, None).await;
        }
        let (blobs, index) = (self.blobs.clone(), self.index.clone());
        let files = tokio::task::spawn_blocking(move || {
            let mut removed = 0;
            let runs = blobs.runs().map_err(|_| R2Error::Internal)?;
            for old in runs.into_iter().filter(|old| (from..run).contains(old)) {
                removed += blobs.sweep(old, |id| index.blocking_lock().knows(id))?;
            }
            Ok::<_, R2Error>(removed)
        });
        removed += files.await.map_err(|_| R2Error::Internal)??;
        self.index.lock().await.set_swept(run)?;
        Ok(removed)
    }
}

/// What a get comes to.
pub(crate) enum Got {
    Found(Row, ToldRange, Reading),
    /// A condition does not hold.
    Refused(Row),
}

/// A blob that was written and that no row names yet: goes with its guard.
struct Fresh {
    id: BlobId,
    blobs: Option<Blobs>,
}

impl Fresh {
    fn part(&self, number: u32, size: u64, found: &Found) -> Blob {
        Blob {
            id: self.id,
            number,
            size,
            md5: found.md5,
        }
    }

    /// A row names it from now on, durable or not.
    fn keep(mut self) {
        self.blobs = None;
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(blobs) = self.blobs.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let id = self.id;
            // What it cannot remove the next run sweeps.
            runtime.spawn(async move { blobs.remove(id).await });
        }
    }
}

/// A reader's hold on an object's blobs; the last to let go of those that are nobody's
/// any more has them removed.
pub(super) struct Releasing {
    pin: Option<Pin>,
    index: Arc<Mutex<Index>>,
    blobs: Blobs,
}

impl Drop for Releasing {
    fn drop(&mut self) {
        let doomed = self.pin.take().map(Pin::release).unwrap_or_default();
        if !doomed.is_empty()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(remove(self.index.clone(), self.blobs.clone(), doomed, None));
        }
    }
}

/// Removes blobs once it is durable that they are nobody's, and then their rows.
async fn remove(
    index: Arc<Mutex<Index>>,
    blobs: Blobs,
    doomed: Vec<BlobId>,
    receipt: Option<Receipt>,
) {
    if durable(receipt).await.is_err() {
        // They may be somebody's after all.
        return;
    }
    let mut removed = Vec::with_capacity(doomed.len());
    for id in doomed {
        match blobs.remove(id).await {
            Ok(()) => removed.push(id),
            Err(error) => {
                tracing::warn!(%error, "a blob is not removed; the next start tries again")
            }
        }
    }
    if let Err(error) = index.lock().await.forget(&removed) {
        tracing::warn!(%error, "removed blobs are not forgotten");
    }
}

/// Waits until a commit is durable.
async fn durable(receipt: Option<Receipt>) -> Result<(), R2Error> {
    match receipt {
        Some(receipt) if !receipt.is_durable() => Ok(receipt.wait().await?),
        _ => Ok(()),
    }
}

fn check_key(key: &str) -> Result<(), R2Error> {
    match key.is_empty() || key.len() > MOST_KEY {
        true => Err(R2Error::ObjectName),
        false => Ok(()),
    }
}

fn attributes(asked: AskedAttributes) -> Result<Attributes, R2Error> {
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
fn no_ssec() -> R2Error {
    R2Error::Argument("Keys of the customer's (SSE-C) are not offered.".into())
}

/// 128 random bits: what nothing else has.
fn version() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests;
