//! Errands: what commands want done in a data folder, by whoever has it open.
//!
//! A folder is one process's. A command that finds it free opens it and does its errand
//! there ([`Keeper::Own`]); where a node has it open, the command tells the errand to
//! the node's [`Desk`], which does the same with what is open there. So `outboard kv`
//! beside a node writes through the namespace that the node's workers write through.

mod d1;
mod data;
mod desk;
mod folder;
mod keeper;
mod kv;
mod r2;
mod wire;

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

pub(crate) use self::d1::{D1Errand, Dump, Form};
pub(crate) use self::data::DataErrand;
pub(crate) use self::desk::Desk;
pub(crate) use self::folder::{Folder, FolderError};
pub(crate) use self::keeper::Keeper;
pub(crate) use self::kv::KvErrand;
pub(crate) use self::r2::{Buckets, R2Errand};

/// What is to be done.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Errand {
    Kv(KvErrand),
    R2(R2Errand),
    D1(D1Errand),
    Data(DataErrand),
}

/// What an errand reads and writes.
pub(crate) struct Session<'a> {
    /// What it comes with: a value, a file, SQL.
    pub(crate) input: Box<dyn Read + Send>,
    pub(crate) out: &'a mut dyn Write,
    /// Whether nobody waits for it any more.
    pub(crate) is_gone: &'a dyn Fn() -> bool,
}

/// What whoever asked is told besides.
pub(crate) type Warnings = Vec<String>;

impl Errand {
    /// Whether it comes with something.
    fn has_input(&self) -> bool {
        matches!(
            self,
            Self::Kv(KvErrand::Put { .. })
                | Self::R2(R2Errand::Put { .. })
                | Self::D1(D1Errand::Run { .. })
                | Self::Data(DataErrand::Import { .. })
        )
    }

    /// Does it. What it changes is durable when this returns.
    pub(crate) fn run(&self, folder: &Folder, session: Session<'_>) -> anyhow::Result<Warnings> {
        match self {
            Self::Kv(errand) => errand.run(folder, session).map(|()| Vec::new()),
            Self::R2(errand) => errand.run(folder, session).map(|()| Vec::new()),
            Self::D1(errand) => errand.run(folder, session).map(|()| Vec::new()),
            Self::Data(errand) => errand.run(folder, session),
        }
    }
}
