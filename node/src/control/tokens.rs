//! Tokens that tenants deploy with. The node keeps of each a hash, in a file of its
//! own: `outboard token` writes and removes files while the node runs, which
//! reads the one that a request names.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::file;

const FORMAT: u32 = 1;
/// What a token begins with, so that scanners know it where it does not belong.
const PREFIX: &str = "outboard_";

/// Why tokens cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: this version of Outboard does not read it: {why}", path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("ID: there is no token {0:?}; `outboard token list` lists those that there are")]
    NotThere(String),
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// Why a request's token is refused; which of its parts is wrong nobody is told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadToken {
    #[error("give a token: authorization: Bearer TOKEN")]
    Missing,
    #[error("the token is not valid: it was revoked, or never issued")]
    Unknown,
    #[error("the token has expired")]
    Expired,
    #[error(transparent)]
    Store(#[from] TokenError),
}

/// A token as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issued {
    format: u32,
    #[serde(skip)]
    pub(crate) id: String,
    pub(crate) tenant: String,
    /// Of its secret part, in hexadecimal digits.
    sha256: String,
    /// In seconds since 1970, as all times here.
    pub(crate) created: u64,
    pub(crate) expires: Option<u64>,
}

impl Issued {
    pub(crate) fn is_expired(&self) -> bool {
        self.expires.is_some_and(|expires| expires <= now())
    }
}

pub(crate) struct TokenStore {
    folder: PathBuf,
}

impl TokenStore {
    /// The tokens of the node that keeps its data in `data`.
    pub(crate) fn of(data: &Path) -> Self {
        let folder = data.join(super::FOLDER).join("tokens");
        Self { folder }
    }

    /// Makes a token for a tenant; its text is known to nobody afterwards.
    pub(crate) fn create(
        &self,
        tenant: &str,
        lasts: Option<Duration>,
    ) -> Result<(Issued, String), TokenError> {
        let (mut id, mut secret) = ([0; 8], [0; 32]);
        getrandom::fill(&mut id).map_err(TokenError::Random)?;
        getrandom::fill(&mut secret).map_err(TokenError::Random)?;
        let (id, secret) = (hex(&id), URL_SAFE_NO_PAD.encode(secret));
        let created = now();
        let issued = Issued {
            format: FORMAT,
            id: id.clone(),
            tenant: tenant.into(),
            sha256: hex(&Sha256::digest(&secret)),
            created,
            expires: lasts.map(|lasts| created.saturating_add(lasts.as_secs())),
        };
        let content = serde_json::to_vec(&issued).expect("its keys are strings");
        let path = self.path(&id);
        file::replace(&path, &content).map_err(|source| TokenError::Io { path, source })?;
        Ok((issued, format!("{PREFIX}{id}_{secret}")))
    }

    /// Those that there are, the expired ones too, by their ids.
    pub(crate) fn list(&self) -> Result<Vec<Issued>, TokenError> {
        let names = file::names(&self.folder).map_err(|source| TokenError::Io {
            path: self.folder.clone(),
            source,
        })?;
        let ids = names.iter().filter_map(|name| name.strip_suffix(".json"));
        ids.filter(|id| is_id(id))
            .filter_map(|id| self.read(id).transpose())
            .collect()
    }

    /// From now on nobody deploys with it.
    pub(crate) fn revoke(&self, id: &str) -> Result<(), TokenError> {
        let path = self.path(id);
        if !is_id(id) || !path.is_file() {
            return Err(TokenError::NotThere(id.into()));
        }
        file::remove(&path).map_err(|source| TokenError::Io { path, source })
    }

    /// Whose token the text is.
    pub(crate) fn check(&self, text: &str) -> Result<Issued, BadToken> {
        let split = text
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'));
        let (id, secret) = split.filter(|(id, _)| is_id(id)).ok_or(BadToken::Unknown)?;
        let issued = self.read(id)?.ok_or(BadToken::Unknown)?;
        let given = hex(&Sha256::digest(secret));
        if !bool::from(given.as_bytes().ct_eq(issued.sha256.as_bytes())) {
            return Err(BadToken::Unknown);
        }
        if issued.is_expired() {
            return Err(BadToken::Expired);
        }
        Ok(issued)
    }

    fn read(&self, id: &str) -> Result<Option<Issued>, TokenError> {
        let path = self.path(id);
        let content = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(TokenError::Io { path, source }),
            Ok(content) => content,
        };
        let read: Result<Issued, _> = serde_json::from_slice(&content);
        let why = match read {
            Ok(issued) if issued.format == FORMAT => {
                let id = id.into();
                return Ok(Some(Issued { id, ..issued }));
            }
            Ok(issued) => format!("its format is {}", issued.format),
            Err(error) => error.to_string(),
        };
        Err(TokenError::Unreadable { path, why })
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}

fn is_id(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 16 && text.bytes().all(digit)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn now() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Up to the secret, and the secret.
    fn parts(text: &str) -> (&str, &str) {
        text.split_at(PREFIX.len() + 17)
    }

    #[test]
    fn a_token_is_one_tenants_until_it_ends() {
        let data = tempfile::tempdir().expect("a folder");
        let store = TokenStore::of(data.path());
        assert!(store.list().expect("none").is_empty());
        let (issued, text) = store.create("acme", None).expect("a token");
        let day = Some(Duration::from_secs(86_400));
        let (_, other) = store.create("other", day).expect("a token");
        assert_eq!(store.check(&text).expect("it is valid").tenant, "acme");
        assert_eq!(store.check(&other).expect("it is valid").tenant, "other");
        let (_, ended) = store.create("acme", Some(Duration::ZERO)).expect("a token");
        assert!(matches!(store.check(&ended), Err(BadToken::Expired)));

        let (head, secret) = parts(&text);
        let (other_head, _) = parts(&other);
        for bad in [
            "",
            "outboard_",
            secret,
            &format!("{other_head}{secret}"),
            head,
            &format!("{text}A"),
            &format!("outboard_../tokens/{}_{secret}", issued.id),
        ] {
            assert!(matches!(store.check(bad), Err(BadToken::Unknown)), "{bad}");
        }

        assert_eq!(store.list().expect("three").len(), 3);
        store.revoke(&issued.id).expect("revoked");
        assert!(matches!(store.check(&text), Err(BadToken::Unknown)));
        assert!(store.revoke(&issued.id).is_err());
        assert!(store.revoke("../../x").is_err());
    }

    #[test]
    fn only_the_nodes_user_reads_a_hash() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().expect("a folder");
        let store = TokenStore::of(data.path());
        let (issued, text) = store.create("acme", None).expect("a token");
        let path = store.path(&issued.id);
        let (_, secret) = parts(&text);
        let content = std::fs::read_to_string(&path).expect("the file");
        assert!(!content.contains(secret));
        let mode = std::fs::metadata(&path).expect("the file").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        // Of another version.
        std::fs::write(&path, content.replace("\"format\":1", "\"format\":2")).expect("a file");
        assert!(matches!(store.check(&text), Err(BadToken::Store(_))));
    }
}
