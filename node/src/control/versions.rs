//! What tenants have deployed: of each worker its versions, and which of them is
//! served.
//!
//! ```text
//! workers/TENANT/WORKER/state.json     the versions, with their secrets
//! workers/TENANT/WORKER/packages/HASH  a package, by the SHA-256 of its bytes
//! ```
//!
//! A package is there before the state that names it, and the state is replaced whole:
//! that is the moment when a deployment has happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use outboard_project::{Package, PackageError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::file;
use super::tokens::{hex, now};
use crate::folders;

const FORMAT: u32 = 1;

/// Why what was deployed cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeploymentsError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: another process has the deployments open", .0.display())]
    Busy(PathBuf),
    #[error("{}: this version of Outboard does not read it: {why}", path.display())]
    State { path: PathBuf, why: String },
    #[error("{}: it is not what was written: its SHA-256 is another", .0.display())]
    Damaged(PathBuf),
    #[error("{}: {source}", path.display())]
    Package { path: PathBuf, source: PackageError },
}

/// A secret's value; it is in memory, in the state's file and in `env`, nowhere else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretValue(pub(crate) String);

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

pub(crate) type Secrets = BTreeMap<String, SecretValue>;

/// A worker as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkerState {
    format: u32,
    /// The version that is served; none where there are only secrets yet.
    pub(crate) current: Option<u64>,
    /// What the next version is made with.
    pub(crate) secrets: Secrets,
    /// Oldest first.
    pub(crate) versions: Vec<Version>,
    /// The number that was given last; none is given twice.
    last: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    pub(crate) number: u64,
    /// The SHA-256 of its package.
    pub(crate) package: String,
    pub(crate) secrets: Secrets,
    /// In seconds since 1970.
    pub(crate) created: u64,
    /// The id of the token that it came with.
    pub(crate) token: String,
    /// What made it: a deployment, or a secret's change.
    pub(crate) cause: String,
}

impl Default for WorkerState {
    fn default() -> Self {
        Self {
            format: FORMAT,
            current: None,
            secrets: Secrets::new(),
            versions: Vec::new(),
            last: 0,
        }
    }
}

impl WorkerState {
    pub(crate) fn served(&self) -> Option<&Version> {
        self.version(self.current?)
    }

    pub(crate) fn version(&self, number: u64) -> Option<&Version> {
        self.versions
            .iter()
            .find(|version| version.number == number)
    }

    /// The version before the one that is served.
    pub(crate) fn before(&self) -> Option<&Version> {
        let current = self.current?;
        let older = self.versions.iter().rev();
        older.into_iter().find(|version| version.number < current)
    }

    /// The same with one more version, which is served; the oldest past `kept` go.
    pub(crate) fn with(&self, package: String, cause: &str, token: &str, kept: usize) -> Self {
        let mut next = self.clone();
        next.last += 1;
        next.versions.push(Version {
            number: next.last,
            package,
            secrets: next.secrets.clone(),
            created: now(),
            token: token.into(),
            cause: cause.into(),
        });
        next.current = Some(next.last);
        let old = next.versions.len().saturating_sub(kept);
        next.versions.drain(..old);
        next
    }

    /// The same with a version served that there is.
    pub(crate) fn back_to(&self, version: &Version) -> Self {
        Self {
            current: Some(version.number),
            secrets: version.secrets.clone(),
            ..self.clone()
        }
    }
}

/// The deployments of a node, which one process has open.
pub(crate) struct Deployments {
    folder: PathBuf,
    /// Held while they are open; it goes with the process.
    _lock: File,
}

impl Deployments {
    /// Opens those of the node that keeps its data in `data`.
    pub(crate) fn open(data: &Path) -> Result<Self, DeploymentsError> {
        let root = data.join(super::FOLDER);
        let folder = root.join("workers");
        file::make_folder(&folder).map_err(|error| io(&folder, error))?;
        let lock = File::open(&root).map_err(|error| io(&root, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DeploymentsError::Busy(root)),
            Err(TryLockError::Error(error)) => return Err(io(&root, error)),
        }
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// The names of a tenant's workers.
    pub(crate) fn workers(&self, tenant: &str) -> Result<Vec<String>, DeploymentsError> {
        let folder = self.folder.join(tenant);
        file::names(&folder).map_err(|error| io(&folder, error))
    }

    /// A worker's state; none where the tenant has no such worker.
    pub(crate) fn state(
        &self,
        tenant: &str,
        worker: &str,
    ) -> Result<Option<WorkerState>, DeploymentsError> {
        let path = self.state_path(tenant, worker);
        let content = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(&path, error)),
            Ok(content) => content,
        };
        // What is made of it, as migrations are, must not outlive it.
        let folder = self.folder.join(tenant).join(worker);
        folders::keep_found(&folder).map_err(|error| io(&folder, error))?;
        let read: Result<WorkerState, _> = serde_json::from_slice(&content);
        let why = match read {
            Ok(state) if state.format == FORMAT => return Ok(Some(state)),
            Ok(state) => format!("its format is {}", state.format),
            Err(error) => error.to_string(),
        };
        Err(DeploymentsError::State { path, why })
    }

    /// Keeps a worker's new state, and removes packages that no version has any more.
    pub(crate) fn save(
        &self,
        tenant: &str,
        worker: &str,
        state: &WorkerState,
    ) -> Result<(), DeploymentsError> {
        let path = self.state_path(tenant, worker);
        let content = serde_json::to_vec(state).expect("its keys are strings");
        file::replace(&path, &content).map_err(|error| io(&path, error))?;
        if let Err(error) = self.tidy(tenant, worker, state) {
            // They are in nobody's way.
            tracing::warn!(%error, "old packages were not removed");
        }
        Ok(())
    }

    /// Lets go of a worker: it is not there from the moment that its state is not.
    pub(crate) fn remove(&self, tenant: &str, worker: &str) -> Result<(), DeploymentsError> {
        let path = self.state_path(tenant, worker);
        file::remove(&path).map_err(|error| io(&path, error))?;
        let folder = self.folder.join(tenant).join(worker);
        if let Err(error) = std::fs::remove_dir_all(&folder) {
            tracing::warn!(%error, "the packages of a worker that was deleted were not removed");
        }
        Ok(())
    }

    /// Keeps the bytes of a package; its name.
    pub(crate) fn save_package(
        &self,
        tenant: &str,
        worker: &str,
        bytes: &[u8],
    ) -> Result<String, DeploymentsError> {
        let hash = hex(&Sha256::digest(bytes));
        let path = self.package_path(tenant, worker, &hash);
        // One that is there may be damaged.
        file::replace(&path, bytes).map_err(|error| io(&path, error))?;
        Ok(hash)
    }

    pub(crate) fn package(
        &self,
        tenant: &str,
        worker: &str,
        hash: &str,
    ) -> Result<Package, DeploymentsError> {
        let path = self.package_path(tenant, worker, hash);
        let bytes = std::fs::read(&path).map_err(|error| io(&path, error))?;
        if hex(&Sha256::digest(&bytes)) != hash {
            return Err(DeploymentsError::Damaged(path));
        }
        Package::decode(&bytes).map_err(|source| DeploymentsError::Package { path, source })
    }

    fn tidy(
        &self,
        tenant: &str,
        worker: &str,
        state: &WorkerState,
    ) -> Result<(), DeploymentsError> {
        let wanted = state
            .versions
            .iter()
            .map(|version| version.package.as_str());
        let wanted: BTreeSet<_> = wanted.collect();
        let folder = self.package_path(tenant, worker, "");
        let tidy = || {
            file::tidy(&self.folder.join(tenant).join(worker))?;
            for name in file::names(&folder)? {
                if !wanted.contains(name.as_str()) {
                    file::remove(&folder.join(name))?;
                }
            }
            Ok(())
        };
        tidy().map_err(|error| io(&folder, error))
    }

    fn state_path(&self, tenant: &str, worker: &str) -> PathBuf {
        self.folder.join(tenant).join(worker).join("state.json")
    }

    fn package_path(&self, tenant: &str, worker: &str, hash: &str) -> PathBuf {
        let worker = self.folder.join(tenant).join(worker);
        worker.join("packages").join(hash)
    }
}

fn io(path: &Path, source: io::Error) -> DeploymentsError {
    DeploymentsError::Io {
        path: path.into(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_and_go_and_their_packages_with_them() {
        let data = tempfile::tempdir().expect("a folder");
        let deployments = Deployments::open(data.path()).expect("opened");
        assert!(matches!(
            Deployments::open(data.path()),
            Err(DeploymentsError::Busy(_))
        ));
        assert_eq!(deployments.state("t", "w").expect("read"), None);
        let mut state = WorkerState::default();
        state
            .secrets
            .insert("KEY".into(), SecretValue("one".into()));
        let packages = |expected: &[&str]| {
            let folder = data.path().join("control/workers/t/w/packages");
            let hashes = expected.iter().map(|bytes| hex(&Sha256::digest(bytes)));
            let mut hashes: Vec<_> = hashes.collect();
            hashes.sort();
            assert_eq!(file::names(&folder).expect("names"), hashes);
        };
        for bytes in ["one", "two", "three", "three"] {
            let hash = deployments.save_package("t", "w", bytes.as_bytes());
            state = state.with(hash.expect("kept"), "deploy", "id", 3);
            deployments.save("t", "w", &state).expect("kept");
        }
        packages(&["two", "three"]);
        assert_eq!(
            deployments.state("t", "w").expect("read"),
            Some(state.clone())
        );
        let numbers: Vec<_> = state
            .versions
            .iter()
            .map(|version| version.number)
            .collect();
        assert_eq!(numbers, [2, 3, 4]);
        assert_eq!(state.before().map(|version| version.number), Some(3));

        state.secrets.clear();
        let back = state.back_to(state.version(2).expect("it is kept"));
        assert_eq!(back.current, Some(2));
        assert_eq!(back.secrets.len(), 1);
        assert_eq!(back.before(), None);
        // Numbers go on.
        assert_eq!(back.with("x".into(), "deploy", "id", 3).current, Some(5));
        assert!(!format!("{back:?}").contains("one"));
        deployments.remove("t", "w").expect("removed");
        assert_eq!(deployments.state("t", "w").expect("read"), None);
        assert!(deployments.workers("t").expect("names").is_empty());
    }

    #[test]
    fn what_was_not_written_so_is_not_read() {
        let data = tempfile::tempdir().expect("a folder");
        let deployments = Deployments::open(data.path()).expect("opened");
        let hash = deployments.save_package("t", "w", b"bytes").expect("kept");
        let path = deployments.package_path("t", "w", &hash);
        let read = |what: &str| deployments.package("t", "w", &hash).expect_err(what);
        assert!(matches!(
            read("no package"),
            DeploymentsError::Package { .. }
        ));
        std::fs::write(&path, b"bytez").expect("a file");
        assert!(matches!(read("damage"), DeploymentsError::Damaged(_)));
        let state = deployments.state_path("t", "w");
        std::fs::write(&state, "{\"format\": 2}").expect("a file");
        let error = deployments.state("t", "w").expect_err("another format");
        assert!(matches!(error, DeploymentsError::State { .. }), "{error}");
    }
}
