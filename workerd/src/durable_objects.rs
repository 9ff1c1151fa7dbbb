//! Objects of a worker's classes, and where they keep what they store.

use std::collections::HashSet;

use crate::binding::BindingKind;
use crate::check::{self, Faults, Fields};
use crate::config::{Disk, Service, ServiceKind};
use crate::value::Value;
use crate::worker::WorkerConfig;

/// Objects of one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurableObjects {
    /// Where it is: `services[0].worker.durableObjectNamespaces[1]`.
    pub path: String,
    /// The export that is the class; once a worker.
    pub class_name: String,
    /// What ids are derived from. None: `ephemeralLocal`, so without storage,
    /// and any text is an id.
    pub unique_key: Option<String>,
    /// Whether `storage.sql` is there.
    pub sql: bool,
    /// Objects stay in memory while idle.
    pub prevent_eviction: bool,
}

/// Where a worker's objects keep what they store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DurableStorage {
    /// Nowhere; then all classes are ephemeral.
    #[default]
    None,
    /// As long as the process runs.
    InMemory,
    /// In the folder of this disk service, which is writable.
    LocalDisk(String),
}

/// `durableObjectNamespaces`.
pub(crate) fn namespaces(fields: &mut Fields, faults: &mut Faults) -> Vec<DurableObjects> {
    let list = fields.list("durableObjectNamespaces", faults, namespace);
    let mut known = HashSet::new();
    for class in &list {
        if !class.class_name.is_empty() && !known.insert(&class.class_name) {
            let text = format!("{:?} is the class of two namespaces", class.class_name);
            faults.invalid(&format!("{}.className", class.path), text);
        }
    }
    list
}

fn namespace(path: &str, value: Value, faults: &mut Faults) -> Option<DurableObjects> {
    let mut fields = Fields::new(path, value, None, faults);
    let class_name = fields.required("className", faults);
    let unique_key = match fields.union(&["uniqueKey", "ephemeralLocal"], faults) {
        Some(("uniqueKey", value)) => {
            let path = fields.child("uniqueKey");
            let key = check::text(&path, value, faults);
            if key.as_deref() == Some("") {
                faults.invalid(&path, "is missing");
            }
            key
        }
        Some(_) => None,
        None => {
            faults.invalid(path, "says neither uniqueKey nor ephemeralLocal");
            None
        }
    };
    let sql = fields.flag("enableSql", faults);
    let prevent_eviction = fields.flag("preventEviction", faults);
    fields.refuse(&["container"], faults);
    fields.end(faults);
    Some(DurableObjects {
        path: path.to_string(),
        class_name,
        unique_key,
        sql,
        prevent_eviction,
    })
}

/// `durableObjectStorage`, which must be somewhere if objects of `classes` store.
pub(crate) fn storage(
    fields: &mut Fields,
    classes: &[DurableObjects],
    faults: &mut Faults,
) -> DurableStorage {
    let path = fields.child("durableObjectStorage");
    let value = fields.take("durableObjectStorage").unwrap_or(Value::Void);
    let mut group = Fields::new(&path, value, None, faults);
    let chosen = group.union(&["none", "inMemory", "localDisk"], faults);
    let storage = match chosen {
        Some(("inMemory", _)) => DurableStorage::InMemory,
        Some(("localDisk", value)) => {
            let path = group.child("localDisk");
            let service = check::text(&path, value, faults);
            if service.as_deref() == Some("") {
                faults.invalid(&path, "is missing");
            }
            DurableStorage::LocalDisk(service.unwrap_or_default())
        }
        _ => DurableStorage::None,
    };
    group.end(faults);
    let stores = classes.iter().any(|class| class.unique_key.is_some());
    if stores && storage == DurableStorage::None {
        faults.invalid(
            &path,
            "says nowhere, and there are classes with a uniqueKey: write inMemory or localDisk",
        );
    }
    storage
}

/// Keys are there once, bindings name classes that there are, and what is
/// stored has a place.
pub(crate) fn check(services: &[Service], faults: &mut Faults) {
    let mut keys = HashSet::new();
    for service in services {
        let ServiceKind::Worker(worker) = &service.kind else {
            continue;
        };
        for class in &worker.durable_objects {
            let key = class.unique_key.as_deref().filter(|key| !key.is_empty());
            if key.is_some_and(|key| !keys.insert(key)) {
                let path = format!("{}.uniqueKey", class.path);
                faults.invalid(&path, "is the key of another class too");
            }
        }
        check_bindings(services, worker, faults);
        check_storage(services, worker, faults);
    }
}

fn check_bindings(services: &[Service], worker: &WorkerConfig, faults: &mut Faults) {
    for binding in &worker.bindings {
        let BindingKind::DurableObjects {
            class_name,
            service,
        } = &binding.kind
        else {
            continue;
        };
        let path = format!("{}.durableObjectNamespace", binding.path);
        let (whose, classes) = match service {
            None => ("the worker".to_string(), &worker.durable_objects),
            Some(name) => match find(services, name) {
                Some(ServiceKind::Worker(other)) => {
                    (format!("service {name:?}"), &other.durable_objects)
                }
                found => {
                    let text = match found {
                        Some(_) => format!("service {name:?} is no worker"),
                        None => format!("no service is called {name:?}"),
                    };
                    faults.invalid(&format!("{path}.serviceName"), text);
                    continue;
                }
            },
        };
        let known = classes.iter().any(|class| class.class_name == *class_name);
        if !known && !class_name.is_empty() {
            let text = format!("{whose} has no namespace of the class {class_name:?}");
            faults.invalid(&format!("{path}.className"), text);
        }
    }
}

fn check_storage(services: &[Service], worker: &WorkerConfig, faults: &mut Faults) {
    let DurableStorage::LocalDisk(name) = &worker.durable_storage else {
        return;
    };
    let text = match find(services, name) {
        // Which was said when it was read.
        _ if name.is_empty() => return,
        Some(ServiceKind::Disk(Disk { writable: true, .. })) => return,
        Some(ServiceKind::Disk(_)) => {
            format!("service {name:?} is read-only; it needs \"writable = true\"")
        }
        Some(_) => format!("service {name:?} is no disk"),
        None => format!("no service is called {name:?}"),
    };
    let path = format!("{}.durableObjectStorage.localDisk", worker.path);
    faults.invalid(&path, text);
}

fn find<'a>(services: &'a [Service], name: &str) -> Option<&'a ServiceKind> {
    let mut services = services.iter();
    Some(&services.find(|service| service.name == name)?.kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workerd_capnp::{config, worker};
    use crate::{BindingKind, Config, ServiceKind, WorkerConfig};

    /// The worker of a message, as a tool that writes the binary format makes it.
    fn written(fill: impl Fn(worker::Builder<'_>)) -> Result<WorkerConfig, String> {
        let mut message = capnp::message::Builder::new_default();
        let root = message.init_root::<config::Builder<'_>>();
        let mut services = root.init_services(2);
        let mut service = services.reborrow().get(0);
        service.set_name("w");
        let mut worker = service.init_worker();
        worker.set_service_worker_script("");
        fill(worker);
        let mut disk = services.get(1);
        disk.set_name("disk");
        disk.init_disk().set_writable(true);
        let bytes = capnp::serialize::write_message_to_words(&message);
        let mut config = Config::from_binary(&bytes).map_err(|error| error.to_string())?;
        match config.services.swap_remove(0).kind {
            ServiceKind::Worker(worker) => Ok(*worker),
            other => panic!("a worker, not {other:?}"),
        }
    }

    #[test]
    fn the_binary_form_has_namespaces_storage_and_bindings() {
        let worker = written(|mut worker| {
            let mut list = worker.reborrow().init_durable_object_namespaces(2);
            let mut kept = list.reborrow().get(0);
            kept.set_class_name("Kept");
            kept.set_unique_key("kept-key");
            kept.set_enable_sql(true);
            let mut passing = list.get(1);
            passing.set_class_name("Passing");
            passing.set_ephemeral_local(());
            passing.set_prevent_eviction(true);
            let mut storage = worker.reborrow().init_durable_object_storage();
            storage.set_local_disk("disk");
            let mut bindings = worker.init_bindings(2);
            let mut own = bindings.reborrow().get(0);
            own.set_name("OWN");
            own.init_durable_object_namespace().set_class_name("Kept");
            let mut named = bindings.get(1);
            named.set_name("NAMED");
            let mut named = named.init_durable_object_namespace();
            named.set_class_name("Passing");
            named.set_service_name("w");
        })
        .expect("a configuration");
        let path = |index| format!("services[0].worker.durableObjectNamespaces[{index}]");
        let expected = [
            DurableObjects {
                path: path(0),
                class_name: "Kept".into(),
                unique_key: Some("kept-key".into()),
                sql: true,
                prevent_eviction: false,
            },
            DurableObjects {
                path: path(1),
                class_name: "Passing".into(),
                unique_key: None,
                sql: false,
                prevent_eviction: true,
            },
        ];
        assert_eq!(worker.durable_objects, expected);
        assert_eq!(
            worker.durable_storage,
            DurableStorage::LocalDisk("disk".into())
        );
        let bound: Vec<_> = worker
            .bindings
            .iter()
            .map(|binding| match &binding.kind {
                BindingKind::DurableObjects {
                    class_name,
                    service,
                } => (class_name.as_str(), service.as_deref()),
                other => panic!("objects, not {other:?}"),
            })
            .collect();
        assert_eq!(bound, [("Kept", None), ("Passing", Some("w"))]);
    }

    #[test]
    fn the_binary_form_without_them_is_sound_and_an_empty_key_is_not() {
        let worker = written(|_| {}).expect("a configuration");
        assert_eq!(worker.durable_objects, []);
        assert_eq!(worker.durable_storage, DurableStorage::None);
        let error = written(|mut worker| {
            let list = worker.reborrow().init_durable_object_namespaces(1);
            list.get(0).set_class_name("C");
            worker.init_durable_object_storage().set_in_memory(());
        });
        let path = "services[0].worker.durableObjectNamespaces[0].uniqueKey";
        assert_eq!(error.expect_err("a fault"), format!("{path}: is missing"));
    }
}
