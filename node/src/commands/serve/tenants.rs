//! Workers that tenants have deployed: what is kept of them, checked against the
//! node's config and each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use outboard_project::{Mode, Package, Project, Secret};
use outboard_runtime::Worker;

use crate::config::{NodeConfig, TenantConfig};
use crate::control::{Deployments, Refusal, Secrets};
use crate::duties::{Consumer, Duties};
use crate::ingress::{Pattern, Roster, Target};
use crate::objects::{NodeObjects, Plan, Scope, Wanted};
use crate::project_worker::{self, Names};

pub(super) struct Tenants {
    /// None where the node has no tenants.
    deployments: Option<Arc<Deployments>>,
    /// What is served, by the node's names.
    deployed: BTreeMap<String, Deployed>,
}

struct Deployed {
    target: Target,
    routes: Vec<(String, Pattern)>,
}

/// A version that is sound, and not served yet.
pub(super) struct Candidate {
    name: String,
    deployed: Deployed,
    pub(super) plan: Plan,
}

/// Whether what a worker calls has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Callees {
    /// When it is deployed: else it would never work.
    Required,
    /// Afterwards one may be missing, as when it could not be read, and what is left
    /// of its callers works.
    Assumed,
}

impl Tenants {
    pub(super) fn open(config: &NodeConfig) -> anyhow::Result<Self> {
        let wanted = config.control.is_some() || !config.tenants.is_empty();
        let deployments = wanted.then(|| Deployments::open(&config.data)).transpose();
        Ok(Self {
            deployments: deployments.context("data")?.map(Arc::new),
            deployed: BTreeMap::new(),
        })
    }

    /// The same deployments, of which none is served yet.
    pub(super) fn anew(&self, config: &NodeConfig) -> anyhow::Result<Self> {
        match &self.deployments {
            None => Self::open(config),
            Some(deployments) => Ok(Self {
                deployments: Some(deployments.clone()),
                deployed: BTreeMap::new(),
            }),
        }
    }

    pub(super) fn deployments(&self) -> Option<&Arc<Deployments>> {
        self.deployments.as_ref()
    }

    /// Workers that are kept, each with its tenant.
    pub(super) fn kept(&self, config: &NodeConfig) -> anyhow::Result<Vec<(String, String)>> {
        let mut kept = Vec::new();
        for tenant in &config.tenants {
            if let Some(deployments) = &self.deployments {
                let workers = deployments.workers(&tenant.name)?;
                kept.extend(
                    workers
                        .into_iter()
                        .map(|worker| (tenant.name.clone(), worker)),
                );
            }
        }
        Ok(kept)
    }

    /// The version of a worker that was served last; none where it has none yet.
    pub(super) fn admit_kept(
        &self,
        config: &NodeConfig,
        objects: &Arc<NodeObjects>,
        tenant: &str,
        worker: &str,
    ) -> anyhow::Result<Option<Candidate>> {
        let tenant = config.tenants.iter().find(|it| it.name == tenant);
        let (Some(deployments), Some(tenant)) = (&self.deployments, tenant) else {
            return Ok(None);
        };
        let Some(state) = deployments.state(&tenant.name, worker)? else {
            return Ok(None);
        };
        let Some(version) = state.served() else {
            return Ok(None);
        };
        let package = deployments.package(&tenant.name, worker, &version.package)?;
        let check = Check {
            tenants: self,
            config,
            objects,
            tenant,
            callees: Callees::Assumed,
        };
        Ok(Some(check.candidate(package, &version.secrets)?))
    }

    /// Checks a package that a tenant wants served.
    pub(super) fn admit(
        &self,
        config: &NodeConfig,
        objects: &Arc<NodeObjects>,
        tenant: &TenantConfig,
        package: Package,
        secrets: &Secrets,
    ) -> Result<Candidate, Refusal> {
        let check = Check {
            tenants: self,
            config,
            objects,
            tenant,
            callees: Callees::Required,
        };
        check.candidate(package, secrets)
    }

    /// Has a version served, in the place of the one before.
    pub(super) fn insert(&mut self, candidate: Candidate) {
        self.deployed.insert(candidate.name, candidate.deployed);
    }

    /// A worker, by the node's name for it, is served no more.
    pub(super) fn remove(&mut self, name: &str) {
        self.deployed.remove(name);
    }

    /// Another worker that is bound to this one, or to a class of it.
    pub(super) fn caller_of(&self, name: &str) -> Option<&str> {
        let mut others = self.deployed.iter().filter(|(other, _)| *other != name);
        let caller = others.find(|(_, deployed)| {
            let worker = &deployed.target.worker;
            worker.services().any(|(_, service)| service == name)
                || worker.namespaces().any(|(_, it)| it.service == name)
        });
        caller.map(|(caller, _)| caller.as_str())
    }

    pub(super) fn add_to(&self, roster: &mut Roster) {
        for deployed in self.deployed.values() {
            if deployed.routes.is_empty() {
                roster.unrouted.push(deployed.target.clone());
            }
            let routes = deployed.routes.iter();
            roster
                .routes
                .extend(routes.map(|(_, pattern)| (pattern.clone(), deployed.target.clone())));
        }
    }
}

impl Candidate {
    pub(super) fn target(&self) -> &Target {
        &self.deployed.target
    }

    /// Its routes, as the project writes them.
    pub(super) fn routes(&self) -> Vec<String> {
        let routes = self.deployed.routes.iter();
        routes.map(|(written, _)| written.clone()).collect()
    }

    /// Goes on with the version that is served, where it is the same.
    pub(super) fn is_as_in(&mut self, tenants: &Tenants) -> bool {
        let same = tenants
            .deployed
            .get(&self.name)
            .filter(|served| *served.target.worker == *self.deployed.target.worker);
        if let Some(served) = same {
            self.deployed.target = Target {
                duties: self.deployed.target.duties.clone(),
                ..served.target.clone()
            };
        }
        same.is_some()
    }
}

struct Check<'a> {
    tenants: &'a Tenants,
    config: &'a NodeConfig,
    objects: &'a Arc<NodeObjects>,
    tenant: &'a TenantConfig,
    callees: Callees,
}

impl Check<'_> {
    fn candidate(&self, package: Package, secrets: &Secrets) -> Result<Candidate, Refusal> {
        let Package {
            mut project,
            bundle,
        } = package;
        let scope = Scope::of_tenant(&self.tenant.name);
        let name = scope.name(&project.name);
        let routes = self.routes(&name, &project)?;
        set_secrets(&mut project, secrets)?;
        if project.has_objects() {
            self.keep_data()?;
        }
        let wanted = Wanted {
            name: &name,
            project: &project,
            exports: bundle.exports.as_deref(),
            scope: &scope,
        };
        let plan = self.objects.plan(vec![wanted]).map_err(|mut faults| {
            // It has at least one, of the only worker.
            let (_, error) = faults.swap_remove(0);
            Refusal::Migration(error)
        })?;
        let names = Names {
            own: &name,
            scope: &scope,
            classes: plan.classes(),
            mode: Mode::Production,
        };
        let mut spec = project_worker::spec(&project, bundle, &names);
        self.tenant.limits.cap(&mut spec.limits);
        if let Some(twice) = project_worker::name_twice(&spec) {
            let fault = format!("{twice:?} is the name of two things");
            return Err(Refusal::field("env", fault));
        }
        if let Some(binding) = project_worker::strange_resource(&spec) {
            let fault = "the name of what it is bound to is none";
            return Err(Refusal::field(format!("env.{binding}"), fault));
        }
        let worker = Worker::new(spec)?;
        self.callees(&name, &worker, &plan)?;
        let duties = Duties::of(&project, &scope);
        self.consumers(&name, &duties)?;
        if worker.keeps_data() || duties.keep_data() {
            self.keep_data()?;
        }
        let target = Target {
            worker,
            lane: None,
            duties: Arc::new(duties),
        };
        Ok(Candidate {
            deployed: Deployed { target, routes },
            name,
            plan,
        })
    }

    /// Nobody else takes the messages of its queues.
    fn consumers(&self, name: &str, duties: &Duties) -> Result<(), Refusal> {
        let deployed = self.tenants.deployed.iter();
        for (other, deployed) in deployed.filter(|(other, _)| *other != name) {
            let theirs = &deployed.target.duties.consumers;
            let same = |own: &&Consumer| theirs.iter().any(|it| it.queue == own.queue);
            if let Some(own) = duties.consumers.iter().find(same) {
                let queue = &own.config.queue;
                let fault = format!("{queue:?} has a consumer already, {other:?}");
                return Err(Refusal::field("queues.consumers", fault));
            }
        }
        Ok(())
    }

    fn keep_data(&self) -> Result<(), Refusal> {
        let opened = self.objects.keep_in(&self.config.data, self.config.history);
        opened.map_err(|error| Refusal::Internal(error.into()))
    }

    fn routes(&self, name: &str, project: &Project) -> Result<Vec<(String, Pattern)>, Refusal> {
        let mut routes = Vec::new();
        for (at, route) in project.routes.iter().enumerate() {
            let written = &route.pattern;
            let fault = |fault: String| Refusal::field(format!("routes[{at}]"), fault);
            let pattern: Pattern = written.parse().map_err(|error| fault(format!("{error}")))?;
            if !self.is_own(&pattern) {
                let message = format!("{written:?} is not within the routes of this tenant");
                return Err(fault(message));
            }
            let others = self
                .tenants
                .deployed
                .iter()
                .filter(|(other, _)| *other != name);
            let mut taken = others.filter(|(_, other)| {
                let mut routes = other.routes.iter();
                routes.any(|(_, other)| *other == pattern)
            });
            if let Some((other, _)) = taken.next() {
                return Err(fault(format!(
                    "{written:?} is a route of {other:?} already"
                )));
            }
            routes.push((written.clone(), pattern));
        }
        Ok(routes)
    }

    /// Whether the tenant has a pattern that covers a route, and nobody else a more
    /// specific one.
    fn is_own(&self, route: &Pattern) -> bool {
        fn best<'a>(
            patterns: impl Iterator<Item = &'a Pattern>,
            route: &Pattern,
        ) -> Option<&'a Pattern> {
            patterns
                .filter(|pattern| pattern.covers(route))
                .max_by(|a, b| a.precedence(b))
        }
        let others = self.config.tenants.iter();
        let others = others.filter(|other| other.name != self.tenant.name);
        let others = others.flat_map(|other| &other.routes);
        let configured = self.config.workers.iter().flat_map(|worker| &worker.routes);
        let own = best(self.tenant.routes.iter(), route);
        match (own, best(others.chain(configured), route)) {
            (Some(own), Some(other)) => own.precedence(other).is_gt(),
            (own, _) => own.is_some(),
        }
    }

    /// What it is bound to is there: workers of the same tenant, and their classes.
    fn callees(&self, name: &str, worker: &Worker, plan: &Plan) -> Result<(), Refusal> {
        if self.callees == Callees::Assumed {
            return Ok(());
        }
        let inside = format!("{}/", self.tenant.name);
        let own_name = |service: &str| {
            let name = service.strip_prefix(&inside).unwrap_or(service);
            name.to_string()
        };
        let is_there =
            |service: &str| service == name || self.tenants.deployed.contains_key(service);
        let field = |kind: &str, binding: &str| format!("{kind}.{binding}");
        for (binding, service) in worker.services() {
            if !is_there(service) {
                let fault = format!(
                    "there is no worker {:?}; deploy it first",
                    own_name(service)
                );
                return Err(Refusal::field(field("services", binding), fault));
            }
        }
        for service in worker.tail_workers() {
            if !is_there(service) {
                let fault = format!(
                    "there is no worker {:?}; deploy it first",
                    own_name(service)
                );
                return Err(Refusal::field("tail_consumers", fault));
            }
        }
        for (binding, namespace) in worker.namespaces() {
            let (service, class) = (&namespace.service, &namespace.class);
            let fault = if !is_there(service) {
                format!(
                    "there is no worker {:?}; deploy it first",
                    own_name(service)
                )
            } else if plan.classes().find(service, class).is_none() {
                format!("worker {:?} has no class {class:?}", own_name(service))
            } else {
                continue;
            };
            return Err(Refusal::field(field("durable_objects", binding), fault));
        }
        Ok(())
    }
}

fn set_secrets(project: &mut Project, secrets: &Secrets) -> Result<(), Refusal> {
    let required = project.required_secrets.iter();
    if let Some(missing) = required
        .into_iter()
        .find(|name| !secrets.contains_key(*name))
    {
        let fault = format!("{missing:?} is not set; `outboard secret put {missing}` sets it");
        return Err(Refusal::field("secrets.required", fault));
    }
    let secrets = secrets.iter();
    let secrets = secrets.map(|(name, value)| (name.clone(), Secret::new(&*value.0)));
    project.secrets = secrets.collect();
    Ok(())
}
