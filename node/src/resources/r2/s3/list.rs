//! A page of a list: one request, and one for each object where metadata is asked for.

use std::collections::BTreeMap;

use futures::StreamExt;
use http::Method;

use super::super::error::R2Error;
use super::super::index::{Attributes, Row, told_size};
use super::super::list::{From, Item, MOST_BYTES, Page, Walk, cursor};
use super::super::protocol::{AskList, HttpFields};
use super::client::Call;
use super::xml::{Listed, ListedObject};
use super::{Bucket, metadata};

/// Objects of a page whose metadata is asked for at the same time.
const AT_ONCE: usize = 16;

/// Behind all keys that begin as a group does.
const LAST: char = char::MAX;

impl Bucket {
    pub(crate) async fn list(&self, ask: AskList) -> Result<Page<Row>, R2Error> {
        let walk = Walk::new(&ask)?;
        let after = match walk.from {
            From::At(_) => None,
            From::Behind(key) => {
                let wrong = |_| R2Error::Argument("The list cursor is not valid.".into());
                Some(String::from_utf8(key).map_err(wrong)?)
            }
        };
        let listed = self.listed(&ask, walk.limit, after.as_deref()).await?;
        let found = futures::stream::iter(listed.items).map(|item| async {
            match item {
                Item::Object(row) if !ask.include.is_empty() => {
                    // One that went meanwhile is not there.
                    let found = self.find(&row.key).await?;
                    Ok(found.map(Item::Object))
                }
                other => Ok::<_, R2Error>(Some(other)),
            }
        });
        let mut found = std::pin::pin!(found.buffered(AT_ONCE));
        let mut items = Vec::new();
        let mut bytes = 0;
        let mut truncated = listed.truncated;
        let mut last = None;
        while let Some(item) = found.next().await {
            let Some(item) = item? else {
                continue;
            };
            let (size, behind) = match &item {
                Item::Object(row) => (told_size(row), row.key.clone()),
                Item::Group(prefix) => (prefix.len(), format!("{prefix}{LAST}")),
            };
            if bytes + size > MOST_BYTES && !items.is_empty() {
                truncated = true;
                break;
            }
            bytes += size;
            last = Some(behind);
            items.push(item);
        }
        let last = last.or(listed.last).filter(|_| truncated);
        let cursor = last.map(|key| cursor(&From::Behind(key.into_bytes())));
        Ok(Page { items, cursor })
    }

    /// What S3 lists, in the order of the keys.
    async fn listed(
        &self,
        ask: &AskList,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Found, R2Error> {
        let prefix = &self.place().prefix;
        let mut token: Option<String> = None;
        loop {
            let mut call = Call::new(Method::GET, None)
                .query("list-type", "2")
                .query("encoding-type", "url")
                .query("max-keys", limit.to_string())
                .query("prefix", format!("{prefix}{}", ask.prefix));
            if !ask.delimiter.is_empty() {
                call = call.query("delimiter", &ask.delimiter);
            }
            call = match (&token, after) {
                (Some(token), _) => call.query("continuation-token", token),
                (None, Some(after)) => call.query("start-after", format!("{prefix}{after}")),
                (None, None) => call,
            };
            let asked = async {
                let (_, text) = self.store.ask(call).await?;
                Listed::read(&text)
            };
            let (listed, groups) = asked.await.map_err(|error| self.fault("list", error))?;
            let mut items = BTreeMap::new();
            let mut last = None;
            for object in listed.contents {
                let key = object.key.strip_prefix(prefix.as_str()).unwrap_or_default();
                // A folder's mark at the prefix is no object of the bucket.
                if !key.is_empty() {
                    let key = key.to_string();
                    items.insert(key.clone(), Item::Object(row(key, object)));
                }
            }
            for group in groups {
                if let Some(group) = group.strip_prefix(prefix.as_str()) {
                    items.insert(group.to_string(), Item::Group(group.into()));
                }
            }
            if let Some((key, item)) = items.last_key_value() {
                last = Some(match item {
                    Item::Object(_) => key.clone(),
                    Item::Group(_) => format!("{key}{LAST}"),
                });
            }
            token = listed.next_continuation_token;
            // A page may be empty although others are not.
            if items.is_empty() && listed.is_truncated && token.is_some() {
                continue;
            }
            return Ok(Found {
                items: items.into_values().collect(),
                truncated: listed.is_truncated,
                last,
            });
        }
    }
}

struct Found {
    items: Vec<Item<Row>>,
    truncated: bool,
    /// Where the next page goes on.
    last: Option<String>,
}

/// What a list tells of an object.
fn row(key: String, object: ListedObject) -> Row {
    let etag = metadata::bare(&object.etag).to_string();
    let uploaded = metadata::read_list_time(&object.last_modified).unwrap_or_default();
    Row {
        key,
        id: 0,
        version: metadata::version(&etag, uploaded),
        size: object.size,
        etag,
        uploaded,
        checksums: Vec::new(),
        attributes: Attributes {
            http: HttpFields::default(),
            custom: Vec::new(),
            class: metadata::class(object.storage_class.as_deref()).into(),
        },
    }
}
