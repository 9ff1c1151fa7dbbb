//! The classes of the node's workers, and what migrations make of them. Nothing here
//! touches the disk: the catalogue keeps what comes of it.
//!
//! A class is a name, and its objects are known by a key that stays theirs: to
//! rename a class or hand it to another worker gives the key another name, and
//! a class that is made where one was deleted gets a key that nobody had.

use std::collections::BTreeMap;
use std::sync::Arc;

use outboard_project::{Migration, Project};
use outboard_runtime::ObjectNamespace;

/// What is known of all classes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Classes {
    /// Every key that was ever given: none is given again.
    pub(super) keys: BTreeMap<String, Fate>,
    /// Classes that became another worker's, by what they were called before, since
    /// bindings go on to lead to them.
    pub(super) forwards: BTreeMap<ClassName, String>,
    /// Tags of the migrations that were applied, in order, by worker.
    pub(super) tags: BTreeMap<String, Vec<String>>,
}

/// What became of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    Live(Arc<ObjectNamespace>),
    /// Its class was deleted, and its objects may still have files.
    Doomed,
    Gone,
}

/// A worker and its class.
pub(super) type ClassName = (String, String);

/// A worker that is to be served, as its classes see it.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// What the node calls it.
    pub(crate) name: &'a str,
    pub(crate) project: &'a Project,
    /// What its entry exports, where that is known.
    pub(crate) exports: Option<&'a [String]>,
    /// What the node calls a worker that the project names.
    pub(crate) scope: &'a Scope,
}

/// Whose a worker is: its own name and those that it uses are the tenant's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope(Option<String>);

impl Scope {
    pub(crate) fn of_tenant(tenant: &str) -> Self {
        Self(Some(tenant.into()))
    }

    /// What the node calls a worker that is called `name` there.
    pub(crate) fn name(&self, name: &str) -> String {
        match &self.0 {
            Some(tenant) => format!("{tenant}/{name}"),
            None => name.into(),
        }
    }

    /// The same, of a name that may be the node's already.
    pub(crate) fn within(&self, name: &str) -> String {
        let is_within = |tenant: &String| {
            let rest = name.strip_prefix(tenant.as_str());
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        match &self.0 {
            Some(tenant) if is_within(tenant) => name.into(),
            _ => self.name(name),
        }
    }
}

/// Migrations that cannot be applied; then none of them is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MigrationError {
    #[error(
        "migrations: those up to {tag:?} were applied here, and it is not among them; \
         what was applied stays in the list"
    )]
    UnknownTag { tag: String },
    #[error(
        "migrations[{at}].tag: {tag:?} was not applied, and stands before {applied:?}, which was; \
         new migrations come last"
    )]
    Before {
        at: usize,
        tag: String,
        applied: String,
    },
    #[error(
        "migrations[{at}].tag: {tag:?} was applied before {applied:?}, and stands behind it; \
         what was applied keeps its order"
    )]
    Behind {
        at: usize,
        tag: String,
        applied: String,
    },
    #[error("{field}: worker {worker:?} has no class {class:?} here")]
    NoClass {
        field: String,
        worker: String,
        class: String,
    },
    #[error("{field}: there is a class {class:?} already, and it has objects")]
    Taken { field: String, class: String },
    #[error("{field}: the script exports no class {class:?}")]
    NotExported { field: String, class: String },
    #[error("{field}: {error}")]
    Unknown {
        field: String,
        error: outboard_storage::StoreError,
    },
}

/// Whether no object of a key was ever made.
pub(super) type IsEmpty<'a> = &'a dyn Fn(&str) -> Result<bool, outboard_storage::StoreError>;

impl Classes {
    /// What a class's objects are known by: the class's own, or where it went.
    pub(crate) fn find(&self, worker: &str, class: &str) -> Option<Arc<ObjectNamespace>> {
        self.own(worker, class)
            .or_else(|| self.live(self.forwards.get(&class_name(worker, class))?))
            .cloned()
    }

    fn own(&self, worker: &str, class: &str) -> Option<&Arc<ObjectNamespace>> {
        self.keys.values().find_map(|fate| match fate {
            Fate::Live(live) if live.service == worker && live.class == class => Some(live),
            _ => None,
        })
    }

    fn live(&self, key: &str) -> Option<&Arc<ObjectNamespace>> {
        match self.keys.get(key)? {
            Fate::Live(live) => Some(live),
            Fate::Doomed | Fate::Gone => None,
        }
    }

    /// Applies the migrations of workers that have not been, and makes the classes that
    /// are there without one. A worker that another takes a class from goes first.
    pub(super) fn apply(
        &mut self,
        mut workers: Vec<Wanted<'_>>,
        is_empty: IsEmpty<'_>,
    ) -> Result<(), Vec<(String, MigrationError)>> {
        let mut faults = Vec::new();
        while !workers.is_empty() {
            // Where they wait for one another, the first goes.
            let next = workers.iter().position(|worker| {
                let waits_for = |other: &Wanted<'_>| self.takes_from(worker, other.name);
                !workers.iter().any(waits_for)
            });
            let worker = workers.remove(next.unwrap_or(0));
            if let Err(error) = self.apply_of(&worker, is_empty) {
                faults.push((worker.name.to_string(), error));
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    /// Whether migrations that are still to be applied take a class from `other`.
    fn takes_from(&self, worker: &Wanted<'_>, other: &str) -> bool {
        let Ok(pending) = self.pending(worker) else {
            return false;
        };
        pending
            .iter()
            .flat_map(|(_, migration)| &migration.transferred_classes)
            .any(|transfer| worker.scope.name(&transfer.from_script) == other)
    }

    fn apply_of(
        &mut self,
        worker: &Wanted<'_>,
        is_empty: IsEmpty<'_>,
    ) -> Result<(), MigrationError> {
        let pending = self.pending(worker)?;
        for (at, migration) in &pending {
            let at = format!("migrations[{at}]");
            self.apply_one(worker, &at, migration, is_empty)?;
        }
        for class in worker.project.classes() {
            self.create(worker.name, class);
        }
        self.exported(worker, &pending)?;
        let tags = pending
            .into_iter()
            .map(|(_, migration)| migration.tag.clone());
        let tags: Vec<_> = tags.collect();
        if !tags.is_empty() {
            self.tags
                .entry(worker.name.into())
                .or_default()
                .extend(tags);
        }
        Ok(())
    }

    /// The migrations after the last that was applied, each with its place.
    fn pending<'a>(
        &self,
        worker: &Wanted<'a>,
    ) -> Result<Vec<(usize, &'a Migration)>, MigrationError> {
        let migrations = &worker.project.migrations;
        let applied = self.tags.get(worker.name).map_or(&[][..], Vec::as_slice);
        let Some(last) = applied.last().filter(|_| !migrations.is_empty()) else {
            return Ok(migrations.iter().enumerate().collect());
        };
        let place = migrations
            .iter()
            .position(|migration| migration.tag == *last);
        let place = place.ok_or_else(|| MigrationError::UnknownTag { tag: last.clone() })?;
        let mut pending = Vec::new();
        for (at, migration) in migrations.iter().enumerate() {
            let tag = migration.tag.clone();
            let applied_too = applied.contains(&tag);
            let applied = last.clone();
            match (at <= place, applied_too) {
                (true, true) => {}
                (true, false) => return Err(MigrationError::Before { at, tag, applied }),
                (false, true) => return Err(MigrationError::Behind { at, tag, applied }),
                (false, false) => pending.push((at, migration)),
            }
        }
        Ok(pending)
    }

    /// In the order in which wrangler applies what a migration has.
    fn apply_one(
        &mut self,
        worker: &Wanted<'_>,
        at: &str,
        migration: &Migration,
        is_empty: IsEmpty<'_>,
    ) -> Result<(), MigrationError> {
        for (index, class) in migration.deleted_classes.iter().enumerate() {
            let name = class_name(worker.name, class);
            if self.own(worker.name, class).is_none() && self.forwards.remove(&name).is_some() {
                // Another worker has it and its objects; here the name is free again.
                continue;
            }
            let field = format!("{at}.deleted_classes[{index}]");
            let key = self.key(&field, worker.name, class)?;
            self.doom(&key);
        }
        for (index, (from, to)) in migration.renamed_classes.iter().enumerate() {
            let field = format!("{at}.renamed_classes[{index}]");
            let key = self.key(&format!("{field}.from"), worker.name, from)?;
            self.give(&format!("{field}.to"), key, worker.name, to, is_empty)?;
        }
        for (index, transfer) in migration.transferred_classes.iter().enumerate() {
            let field = format!("{at}.transferred_classes[{index}]");
            let script = worker.scope.name(&transfer.from_script);
            let key = self.key(&format!("{field}.from"), &script, &transfer.from)?;
            let to = format!("{field}.to");
            self.give(&to, key.clone(), worker.name, &transfer.to, is_empty)?;
            self.forwards.insert((script, transfer.from.clone()), key);
        }
        for class in &migration.new_classes {
            // Its own again, where another worker took the one before.
            self.forwards.remove(&class_name(worker.name, class));
            self.create(worker.name, class);
        }
        Ok(())
    }

    fn key(&self, field: &str, worker: &str, class: &str) -> Result<String, MigrationError> {
        let own = self.own(worker, class);
        own.map(|live| live.key.clone())
            .ok_or_else(|| MigrationError::NoClass {
                field: field.into(),
                worker: worker.into(),
                class: class.into(),
            })
    }

    /// Gives a key another name, unless a class with objects has it.
    fn give(
        &mut self,
        field: &str,
        key: String,
        worker: &str,
        class: &str,
        is_empty: IsEmpty<'_>,
    ) -> Result<(), MigrationError> {
        if let Some(other) = self.own(worker, class).cloned() {
            // A binding may have named it before the migration was written.
            let empty = is_empty(&other.key).map_err(|error| MigrationError::Unknown {
                field: field.into(),
                error,
            })?;
            if !empty {
                return Err(MigrationError::Taken {
                    field: field.into(),
                    class: class.into(),
                });
            }
            self.doom(&other.key);
        }
        self.forwards.remove(&class_name(worker, class));
        self.set(key, worker, class);
        Ok(())
    }

    fn doom(&mut self, key: &str) {
        self.keys.insert(key.into(), Fate::Doomed);
        self.forwards.retain(|_, forward| forward != key);
    }

    /// Makes a class where there is none of that name.
    pub(super) fn create(&mut self, worker: &str, class: &str) {
        if self.find(worker, class).is_some() {
            return;
        }
        // A worker's name and a class have neither colon nor number sign.
        let first = format!("{worker}:{class}");
        let others = (2_u64..).map(|number| format!("{first}#{number}"));
        let unused = std::iter::once(first.clone())
            .chain(others)
            .find(|key| !self.keys.contains_key(key));
        self.set(unused.unwrap_or(first), worker, class);
    }

    fn set(&mut self, key: String, worker: &str, class: &str) {
        let live = ObjectNamespace {
            service: worker.into(),
            class: class.into(),
            key: key.clone(),
        };
        self.keys.insert(key, Fate::Live(Arc::new(live)));
    }

    /// Migrations and bindings of classes which the script has not would leave objects
    /// that nothing can reach.
    fn exported(
        &self,
        worker: &Wanted<'_>,
        pending: &[(usize, &Migration)],
    ) -> Result<(), MigrationError> {
        let Some(exports) = worker.exports else {
            return Ok(());
        };
        for (at, migration) in pending {
            let created = migration.new_classes.iter();
            let renamed = migration.renamed_classes.iter().map(|(_, to)| to);
            let taken = migration.transferred_classes.iter().map(|taken| &taken.to);
            let missing = created
                .chain(renamed)
                .chain(taken)
                // What a later one renames or deletes is no matter.
                .find(|class| self.own(worker.name, class).is_some() && !exports.contains(class));
            if let Some(class) = missing {
                return Err(MigrationError::NotExported {
                    field: format!("migrations[{at}]"),
                    class: class.clone(),
                });
            }
        }
        for binding in &worker.project.durable_objects {
            let class = &binding.class_name;
            let is_own = binding.script_name.is_none() && self.own(worker.name, class).is_some();
            if is_own && !exports.contains(class) {
                return Err(MigrationError::NotExported {
                    field: format!("durable_objects.{}", binding.name),
                    class: class.clone(),
                });
            }
        }
        Ok(())
    }

    /// Keys whose classes are no longer what they are here: renamed or another
    /// worker's, and deleted.
    pub(super) fn changed_in(&self, after: &Self) -> (Vec<String>, Vec<String>) {
        let mut moved = Vec::new();
        let mut deleted = Vec::new();
        for (key, before) in &self.keys {
            match (before, after.keys.get(key)) {
                (Fate::Live(before), Some(Fate::Live(after))) if before == after => {}
                (Fate::Live(_), Some(Fate::Live(_))) => moved.push(key.clone()),
                (Fate::Live(_), _) => deleted.push(key.clone()),
                _ => {}
            }
        }
        (moved, deleted)
    }

    pub(super) fn doomed(&self) -> Vec<String> {
        let doomed = self.keys.iter().filter(|(_, fate)| **fate == Fate::Doomed);
        doomed.map(|(key, _)| key.clone()).collect()
    }
}

fn class_name(worker: &str, class: &str) -> ClassName {
    (worker.into(), class.into())
}

#[cfg(test)]
mod tests;
