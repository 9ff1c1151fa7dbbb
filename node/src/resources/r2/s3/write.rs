//! Making objects: in one request where they are small, and else in parts, of which
//! nobody sees any before all are there.

use bytes::Bytes;
use http::header::DATE;
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use outboard_runtime::HostBody;
use tokio::runtime::Handle;

use super::super::bucket::{MOST_PUT, attributes, check_part, now};
use super::super::digest::{Algorithm, Digests, hex};
use super::super::error::R2Error;
use super::super::index::{Attributes, Row};
use super::super::protocol::{AskAbort, AskComplete, AskPart, AskPut, AskUpload, Conditional};
use super::super::upload::{Uploaded, choose};
use super::client::{Again, Call, Measured, Part, Payload, S3Error, Store};
use super::xml::{Parts, UploadedPart};
use super::{Bucket, Expected, PUT, ROUNDS, metadata, xml};

/// What is held of a value at a time, twice; a value that is no larger is one request.
/// S3 takes 10,000 parts of an object, which are more than a put may have.
const PART: u64 = 8 << 20;

impl Bucket {
    /// Makes `body`, of `size` bytes, an object.
    pub(crate) async fn put(&self, ask: AskPut, body: HostBody, size: u64) -> Result<Row, R2Error> {
        let key = self.key(&ask.object)?;
        let making = Making {
            attributes: attributes(ask.attributes)?,
            asked: ask.digests.into_list(),
            name: ask.object,
            key,
            size,
            only_if: ask.only_if,
        };
        if size > MOST_PUT {
            return Err(R2Error::TooLarge);
        }
        // Once more by S3; here it spares the sending of what is refused.
        let expected = self.expect(&making.name, making.only_if.as_ref()).await?;
        let value = Value {
            body,
            left: size,
            rest: Bytes::new(),
        };
        match size <= PART {
            true => self.put_whole(&making, value, expected).await,
            false => self.put_parts(&making, value, expected).await,
        }
    }

    async fn put_whole(
        &self,
        making: &Making,
        mut value: Value,
        expected: Expected,
    ) -> Result<Row, R2Error> {
        let chunks = value.next(PART).await?;
        value.end().await?;
        let digests = Digests::of(making.asked.iter().map(|(algorithm, _)| *algorithm));
        let (digests, part) = digest(digests, chunks).await?;
        let found = digests.finish();
        found.check(&making.asked)?;
        let checksums = found.checksums();
        let headers = metadata::to_headers(&making.attributes, &checksums)?;
        let put = async |expected: &Expected| {
            let mut call =
                Call::new(Method::PUT, making.key.as_str()).payload(Payload::Bytes(part.clone()));
            call.headers = headers.clone();
            expected.add_to(&mut call.headers)?;
            if *expected != Expected::Anything {
                call.again = Again::IfNotDone;
            }
            let answer = self.store.send(call).await?;
            let etag = metadata::etag_of(answer.headers());
            let etag = etag.ok_or_else(|| S3Error::Document("an object has no ETag".into()))?;
            Ok((etag, answer.headers().clone()))
        };
        let (etag, head) = self.change(making, expected, put).await?;
        Ok(self.made(making, etag, &head, checksums).await)
    }

    async fn put_parts(
        &self,
        making: &Making,
        mut value: Value,
        expected: Expected,
    ) -> Result<Row, R2Error> {
        let asked = making.asked.iter();
        let checksums = asked.map(|(algorithm, digest)| (algorithm.number(), hex(digest)));
        let checksums: Vec<_> = checksums.collect();
        let id = self
            .begin(&making.key, &making.attributes, &checksums)
            .await?;
        let upload = Unfinished {
            store: self.store.clone(),
            key: making.key.clone(),
            id: Some(id.clone()),
        };
        let mut digests = Digests::of(making.asked.iter().map(|(algorithm, _)| *algorithm));
        let mut etags = Vec::new();
        let mut waiting: Option<(u32, Part)> = None;
        for number in 1.. {
            // One part is read while the one before is sent.
            let send = async {
                match waiting.take() {
                    Some((number, part)) => {
                        let part = Payload::Bytes(part);
                        let etag = self.send_part(&making.key, &id, number, part).await?;
                        Ok(Some((number, etag)))
                    }
                    None => Ok::<_, R2Error>(None),
                }
            };
            let (chunks, sent) = futures::join!(value.next(PART), send);
            etags.extend(sent?);
            let chunks = chunks?;
            if chunks.is_empty() {
                break;
            }
            let part;
            (digests, part) = digest(digests, chunks).await?;
            waiting = Some((number, part));
        }
        value.end().await?;
        digests.finish().check(&making.asked)?;
        let parts = etags.iter().map(|(number, etag)| (*number, etag.as_str()));
        let document = Part::of(vec![xml::completion(parts).into()]);
        let complete = async |expected: &Expected| {
            let mut headers = HeaderMap::new();
            expected.add_to(&mut headers)?;
            self.send_completion(&making.key, &id, document.clone(), headers)
                .await
        };
        let (etag, head) = self.change(making, expected, complete).await?;
        upload.finished();
        Ok(self.made(making, etag, &head, checksums).await)
    }

    /// Makes a change, anew where what it expects is not there any more and the
    /// conditions hold for what is there instead.
    async fn change<T>(
        &self,
        making: &Making,
        mut expected: Expected,
        make: impl AsyncFn(&Expected) -> Result<T, S3Error>,
    ) -> Result<T, R2Error> {
        for _ in 0..ROUNDS {
            match make(&expected).await {
                Ok(made) => return Ok(made),
                Err(error) if expected != Expected::Anything && error.is_conflict() => {}
                Err(error) => return Err(self.fault(PUT, error)),
            }
            expected = self.expect(&making.name, making.only_if.as_ref()).await?;
        }
        let bucket = self.name.as_str();
        tracing::error!(bucket, "an object changes faster than it can be replaced");
        Err(R2Error::Internal)
    }

    /// The object that was made: S3 alone knows its time. It may be another's since.
    async fn made(
        &self,
        making: &Making,
        etag: String,
        answer: &HeaderMap,
        checksums: Vec<(u8, String)>,
    ) -> Row {
        if let Ok(Some(row)) = self.find(&making.name).await
            && row.etag == etag
        {
            return row;
        }
        let date = answer.get(DATE).and_then(|date| date.to_str().ok());
        let uploaded = date.and_then(metadata::read_http_date);
        let uploaded = uploaded.unwrap_or_else(now);
        Row {
            key: making.name.clone(),
            id: 0,
            version: metadata::version(&etag, uploaded),
            size: making.size,
            etag,
            uploaded,
            checksums,
            attributes: making.attributes.clone(),
        }
    }

    /// Begins an upload; gives S3's name for it.
    pub(crate) async fn begin_upload(&self, ask: AskUpload) -> Result<String, R2Error> {
        let key = self.key(&ask.object)?;
        let attributes = attributes(ask.attributes)?;
        self.begin(&key, &attributes, &[]).await
    }

    /// Makes `body` a part of an upload; gives its etag.
    pub(crate) async fn put_part(
        &self,
        ask: AskPart,
        body: HostBody,
        size: u64,
    ) -> Result<String, R2Error> {
        check_part(&ask, size)?;
        let key = self.key(&ask.object)?;
        check_upload(&ask.upload_id)?;
        let payload = match size <= PART {
            true => {
                let mut value = Value {
                    body,
                    left: size,
                    rest: Bytes::new(),
                };
                let chunks = value.next(PART).await?;
                value.end().await?;
                let (_, part) = digest(Digests::default(), chunks).await?;
                Payload::Bytes(part)
            }
            false => Payload::Stream(Some(Measured { body, left: size })),
        };
        self.send_part(&key, &ask.upload_id, ask.part_number, payload)
            .await
    }

    pub(crate) async fn complete(&self, ask: AskComplete) -> Result<Row, R2Error> {
        let key = self.key(&ask.object)?;
        let id = ask.upload_id;
        check_upload(&id)?;
        let all = self.parts(&key, &id).await?;
        let chosen = choose(&all, &ask.parts)?;
        let mut parts: Vec<_> = chosen
            .iter()
            .map(|part| (part.number(), part.etag()))
            .collect();
        if parts.is_empty() {
            // S3 makes no object of no parts, but of one that is nothing.
            let nothing = Payload::Bytes(Part::of(Vec::new()));
            parts.push((1, self.send_part(&key, &id, 1, nothing).await?));
        }
        let size = chosen.iter().map(|part| part.size()).sum();
        let parts = parts.iter().map(|(number, etag)| (*number, etag.as_str()));
        let document = Part::of(vec![xml::completion(parts).into()]);
        let completed = self
            .send_completion(&key, &id, document, HeaderMap::new())
            .await;
        let (etag, head) =
            completed.map_err(|error| self.fault("completeMultipartUpload", error))?;
        let making = Making {
            name: ask.object,
            key,
            size,
            attributes: Attributes::default(),
            asked: Vec::new(),
            only_if: None,
        };
        Ok(self.made(&making, etag, &head, Vec::new()).await)
    }

    /// Ends an upload and its parts. S3 does not tell one that ended from one that never
    /// was; to end either is no fault.
    pub(crate) async fn abort(&self, ask: AskAbort) -> Result<(), R2Error> {
        let key = self.key(&ask.object)?;
        check_upload(&ask.upload_id)?;
        match abort(&self.store, &key, &ask.upload_id).await {
            Err(error) if error.code() == "NoSuchUpload" => Ok(()),
            aborted => aborted.map_err(|error| self.fault("abortMultipartUpload", error)),
        }
    }

    async fn begin(
        &self,
        key: &str,
        attributes: &Attributes,
        checksums: &[(u8, String)],
    ) -> Result<String, R2Error> {
        let mut call = Call::new(Method::POST, key).query("uploads", "");
        call.headers = metadata::to_headers(attributes, checksums)?;
        // Begun twice, one would stay.
        call.again = Again::IfNotDone;
        let begun = async {
            let (_, text) = self.store.ask(call).await?;
            xml::upload_id(&text)
        };
        begun
            .await
            .map_err(|error| self.fault("createMultipartUpload", error))
    }

    async fn send_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        payload: Payload,
    ) -> Result<String, R2Error> {
        let call = Call::new(Method::PUT, key)
            .query("partNumber", number.to_string())
            .query("uploadId", id)
            .payload(payload);
        let sent = async {
            let answer = self.store.send(call).await?;
            let etag = metadata::etag_of(answer.headers());
            etag.ok_or_else(|| S3Error::Document("a part has no ETag".into()))
        };
        sent.await.map_err(|error| self.fault("uploadPart", error))
    }

    async fn send_completion(
        &self,
        key: &str,
        id: &str,
        document: Part,
        headers: HeaderMap,
    ) -> Result<(String, HeaderMap), S3Error> {
        let mut call = Call::new(Method::POST, key)
            .query("uploadId", id)
            .payload(Payload::Bytes(document));
        call.headers = headers;
        // Completed twice it is an upload that is not there.
        call.again = Again::IfNotDone;
        let (head, text) = self.store.ask(call).await?;
        let etag = xml::completed_etag(&text)?;
        Ok((metadata::bare(&etag).to_string(), head))
    }

    /// All parts that an upload has.
    async fn parts(&self, key: &str, id: &str) -> Result<Vec<UploadedPart>, R2Error> {
        let mut all = Vec::new();
        let mut behind: Option<u32> = None;
        loop {
            let mut call = Call::new(Method::GET, key).query("uploadId", id);
            if let Some(behind) = behind {
                call = call.query("part-number-marker", behind.to_string());
            }
            let asked = async {
                let (_, text) = self.store.ask(call).await?;
                Parts::read(&text)
            };
            let page = asked
                .await
                .map_err(|error| self.fault("completeMultipartUpload", error))?;
            all.extend(page.part);
            match page.next_part_number_marker {
                Some(next) if page.is_truncated && behind < Some(next) => behind = Some(next),
                _ => return Ok(all),
            }
        }
    }
}

impl Uploaded for UploadedPart {
    fn number(&self) -> u32 {
        self.part_number
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn etag(&self) -> String {
        metadata::bare(&self.etag).into()
    }
}

/// Without a name some stores take a part for an object.
fn check_upload(id: &str) -> Result<(), R2Error> {
    match id.is_empty() {
        true => Err(R2Error::NoSuchUpload),
        false => Ok(()),
    }
}

async fn abort(store: &Store, key: &str, id: &str) -> Result<(), S3Error> {
    let call = Call::new(Method::DELETE, key).query("uploadId", id);
    store.send(call).await.map(drop)
}

/// An object that is to be made.
struct Making {
    name: String,
    key: String,
    size: u64,
    attributes: Attributes,
    asked: Vec<(Algorithm, Vec<u8>)>,
    only_if: Option<Conditional>,
}

/// An upload whose parts go where it does not become an object.
struct Unfinished {
    store: Store,
    key: String,
    id: Option<String>,
}

impl Unfinished {
    fn finished(mut self) {
        self.id = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(id) = self.id.take()
            && let Ok(runtime) = Handle::try_current()
        {
            let (store, key) = (self.store.clone(), std::mem::take(&mut self.key));
            runtime.spawn(async move {
                // It may have become an object after all.
                if let Err(error) = abort(&store, &key, &id).await
                    && error.code() != "NoSuchUpload"
                {
                    let s3 = store.place().bucket.as_str();
                    tracing::warn!(s3, %error, "parts of a put that failed stay in S3");
                }
            });
        }
    }
}

/// The bytes that are to come.
struct Value {
    body: HostBody,
    left: u64,
    /// What came and is not taken yet.
    rest: Bytes,
}

impl Value {
    /// The next bytes, as many as `most` unless they are the last.
    async fn next(&mut self, most: u64) -> Result<Vec<Bytes>, R2Error> {
        let mut chunks = Vec::new();
        let mut room = most.min(self.left);
        while room > 0 {
            if self.rest.is_empty() {
                self.rest = self.receive().await?.ok_or(R2Error::Incomplete)?;
            }
            let most = usize::try_from(room).unwrap_or(usize::MAX);
            let chunk = self.rest.split_to(self.rest.len().min(most));
            room -= chunk.len() as u64;
            self.left -= chunk.len() as u64;
            chunks.push(chunk);
        }
        Ok(chunks)
    }

    /// Refuses what comes behind the last.
    async fn end(&mut self) -> Result<(), R2Error> {
        let more = !self.rest.is_empty() || self.receive().await?.is_some();
        match more || self.left > 0 {
            true => Err(R2Error::Incomplete),
            false => Ok(()),
        }
    }

    async fn receive(&mut self) -> Result<Option<Bytes>, R2Error> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| R2Error::Body(error.to_string()))?;
            if let Ok(bytes) = frame.into_data()
                && !bytes.is_empty()
            {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }
}

/// Takes the digests of bytes, not on the lane.
async fn digest(mut digests: Digests, chunks: Vec<Bytes>) -> Result<(Digests, Part), R2Error> {
    let taken = tokio::task::spawn_blocking(move || {
        digests.update(&chunks);
        (digests, Part::of(chunks))
    });
    taken.await.map_err(|_ended| R2Error::Internal)
}
