//! What the configuration's names stand for.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use outboard_egress::{Client, ClientError, ClientOptions};
use outboard_runtime::{Worker, WorkerSpec};
use outboard_workerd::{Config, DurableStorage, Network, ServiceKind, WorkerConfig};

use super::disk::Disk;
use super::spec;

/// The network that workers reach where no service of this name is configured.
pub(super) const INTERNET: &str = "internet";

/// What the command line says instead of the configuration.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    /// Folders of disk services, by name.
    pub(crate) directories: HashMap<String, PathBuf>,
    /// Addresses of external services, by name.
    pub(crate) externals: HashMap<String, String>,
    /// The compatibility date of every worker.
    pub(crate) date: Option<String>,
    /// Their tests are run.
    pub(crate) are_tested: bool,
}

/// One service, ready to be called from a lane.
pub(crate) enum Service {
    Worker(Arc<Worker>),
    Network(Box<Client>),
    Disk(Disk),
}

/// All services of a configuration, in its order.
pub(crate) struct Services {
    list: Vec<(String, Service)>,
    by_name: HashMap<String, usize>,
}

/// What keeps the services from being made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServicesError {
    #[error("{}", .0.join("\n"))]
    Faults(Vec<String>),
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Services {
    pub(crate) fn new(config: &Config, overrides: &Overrides) -> Result<Self, ServicesError> {
        let mut faults = Vec::new();
        let keys = object_keys(config);
        let mut list = Vec::with_capacity(config.services.len() + 1);
        for (index, service) in config.services.iter().enumerate() {
            let mut fault = |path: &str, text: &dyn fmt::Display| {
                faults.push(format!("services[{index}].{path}: {text}"));
            };
            let made = match &service.kind {
                ServiceKind::Worker(worker) => {
                    match (&worker.compatibility_date, &overrides.date) {
                        (Some(_), Some(_)) => fault(
                            "worker.compatibilityDate",
                            &"is given here and by --compat-date",
                        ),
                        (None, None) => fault("worker.compatibilityDate", &"is missing"),
                        _ => {}
                    }
                    let date = worker
                        .compatibility_date
                        .as_ref()
                        .or(overrides.date.as_ref());
                    let date = date.map(String::as_str);
                    match spec::spec(&service.name, worker, date, &keys, &config.extensions) {
                        Ok(spec) => match Worker::new(WorkerSpec {
                            is_tested: overrides.are_tested,
                            ..spec
                        }) {
                            Ok(worker) => Some(Service::Worker(worker)),
                            Err(error) => {
                                fault("worker", &error);
                                None
                            }
                        },
                        Err(list) => {
                            faults.extend(list);
                            None
                        }
                    }
                }
                ServiceKind::Network(network) => Some(Service::Network(Box::new(client(network)?))),
                ServiceKind::Disk(disk) => {
                    let path = overrides
                        .directories
                        .get(&service.name)
                        .or(disk.path.as_ref());
                    match path {
                        Some(path) => Some(Service::Disk(Disk::new(path.clone(), disk))),
                        None => {
                            fault(
                                "disk.path",
                                &"is missing; give it here or by --directory-path",
                            );
                            None
                        }
                    }
                }
                ServiceKind::External(_) => {
                    fault("external", &"an external server is not offered");
                    None
                }
            };
            if let Some(made) = made {
                list.push((service.name.clone(), made));
            }
        }
        unknown(
            &overrides.directories,
            config,
            "--directory-path",
            &mut faults,
        );
        unknown(&overrides.externals, config, "--external-addr", &mut faults);
        if !faults.is_empty() {
            return Err(ServicesError::Faults(faults));
        }
        if !config
            .services
            .iter()
            .any(|service| service.name == INTERNET)
        {
            let public = Service::Network(Box::new(Client::new(ClientOptions::default())?));
            list.push((INTERNET.into(), public));
        }
        let names = list.iter().enumerate();
        let by_name = names
            .map(|(index, (name, _))| (name.clone(), index))
            .collect();
        Ok(Self { list, by_name })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Service> {
        self.by_name.get(name).map(|index| &self.list[*index].1)
    }

    /// The workers, in the configuration's order.
    pub(crate) fn workers(&self) -> impl Iterator<Item = (&str, &Arc<Worker>)> {
        self.list
            .iter()
            .filter_map(|(name, service)| match service {
                Service::Worker(worker) => Some((name.as_str(), worker)),
                _ => None,
            })
    }
}

fn workers(config: &Config) -> impl Iterator<Item = (&str, &WorkerConfig)> {
    config
        .services
        .iter()
        .filter_map(|service| match &service.kind {
            ServiceKind::Worker(worker) => Some((service.name.as_str(), &**worker)),
            _ => None,
        })
}

fn object_keys(config: &Config) -> spec::ObjectKeys {
    let mut keys = spec::ObjectKeys::new();
    for (name, worker) in workers(config) {
        for class in &worker.durable_objects {
            if let Some(key) = &class.unique_key {
                keys.insert((name.into(), class.class_name.clone()), key.clone());
            }
        }
    }
    keys
}

/// Where the objects of a configuration are kept.
pub(crate) enum Keep {
    /// It has none.
    Nothing,
    /// Until the process ends.
    InMemory,
    Folder(PathBuf),
}

impl Keep {
    /// The folder of one disk service, for all classes that ask for one.
    pub(crate) fn of(config: &Config, overrides: &Overrides) -> Result<Self, ServicesError> {
        let mut keep = Self::Nothing;
        let mut name: Option<&str> = None;
        for (_, worker) in workers(config) {
            match &worker.durable_storage {
                _ if worker.durable_objects.is_empty() => {}
                DurableStorage::LocalDisk(disk) => match name {
                    Some(other) if other != disk => {
                        return Err(ServicesError::Faults(vec![format!(
                            "{}.durableObjectStorage.localDisk: {disk:?}: all objects are kept \
                             on one disk, and others are on {other:?}",
                            worker.path
                        )]));
                    }
                    _ => name = Some(disk),
                },
                DurableStorage::None | DurableStorage::InMemory => keep = Self::InMemory,
            }
        }
        let Some(name) = name else {
            return Ok(keep);
        };
        let configured = config
            .services
            .iter()
            .find_map(|service| match &service.kind {
                ServiceKind::Disk(disk) if service.name == name => disk.path.as_ref(),
                _ => None,
            });
        let path = overrides.directories.get(name).or(configured);
        // That a disk without a folder is a fault was said.
        Ok(path.map_or(Self::InMemory, |path| Self::Folder(path.clone())))
    }
}

/// Names on the command line that no service has.
fn unknown<T>(given: &HashMap<String, T>, config: &Config, option: &str, faults: &mut Vec<String>) {
    for name in given.keys() {
        if !config.services.iter().any(|service| service.name == *name) {
            faults.push(format!("{option}: no service is called {name:?}"));
        }
    }
}

/// `private` or any block of it opens this machine's networks; which of them is
/// not told apart.
fn client(network: &Network) -> Result<Client, ClientError> {
    Client::new(ClientOptions {
        deny_private: !network.allow.iter().any(|rule| rule != "public"),
        ..ClientOptions::default()
    })
}
