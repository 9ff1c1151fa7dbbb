//! A node and what it serves, as it changes: one order or one reload at a time.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use outboard_project::Package;

use super::fleet::Fleet;
use super::tenants::Candidate;
use crate::config::{self, TenantConfig};
use crate::control::{
    Action, Answer, Deployments, Internal, Order, Refusal, Secrets, VersionLine, WorkerLine,
    WorkerState,
};
use crate::node::{Node, NodeWarmError};
use crate::objects::Scope;

pub(super) struct Site {
    pub(super) fleet: Fleet,
    pub(super) node: Node,
}

/// An order's worker, and whose it is.
struct Subject {
    tenant: TenantConfig,
    worker: String,
    /// The id of the token.
    token: String,
}

/// What a version is made of.
struct Version {
    package: Package,
    secrets: Secrets,
}

impl Site {
    /// Reads the config again. All of it is loaded before anything is replaced;
    /// what listens and how many lanes there are needs a restart.
    pub(super) async fn reload(&mut self, path: &Path) -> anyhow::Result<()> {
        let next = self.fleet.next(config::load(path)?).await?;
        for target in &next.changed {
            self.node
                .warm(target)
                .await
                .with_context(|| format!("worker {:?}", target.worker.name()))?;
        }
        let held = self.fleet.objects.migrate(&next.plan).await?;
        self.fleet.replace(next);
        self.node.deploy(&self.fleet.roster()).await?;
        drop(held);
        Ok(())
    }

    /// Carries out an order, and answers it.
    pub(super) async fn take(&mut self, order: Order) {
        let done = self
            .carry_out(order.tenant, order.token, order.action)
            .await;
        // Nobody may wait for it any more.
        let _ = order.reply.send(done);
    }

    async fn carry_out(
        &mut self,
        tenant: String,
        token: String,
        action: Action,
    ) -> Result<Answer, Refusal> {
        let tenants = &self.fleet.config.tenants;
        let tenant = tenants.iter().find(|it| it.name == tenant).cloned();
        let tenant = tenant.ok_or(Refusal::NoTenant)?;
        let deployments = self.fleet.tenants.deployments().ok_or(Refusal::NoTenant)?;
        let deployments = deployments.clone();
        let subject = |worker: String| Subject {
            tenant: tenant.clone(),
            worker,
            token: token.clone(),
        };
        match action {
            Action::Workers => workers(&deployments, &tenant),
            Action::Versions { worker } => {
                let state = subject(worker).state(&deployments)?;
                Ok(Answer::Versions {
                    current: state.current,
                    versions: state.versions.iter().map(VersionLine::from).collect(),
                })
            }
            Action::Secrets { worker } => {
                let state = subject(worker).state(&deployments)?;
                Ok(Answer::Secrets {
                    secrets: state.secrets.into_keys().collect(),
                })
            }
            Action::Deploy {
                worker,
                package,
                bytes,
            } => {
                self.deploy(&deployments, subject(worker), *package, &bytes)
                    .await
            }
            Action::Delete { worker } => self.delete(&deployments, subject(worker)).await,
            Action::Rollback { worker, version } => {
                self.roll_back(&deployments, subject(worker), version).await
            }
            Action::SetSecret {
                worker,
                name,
                value,
            } => {
                let subject = subject(worker);
                self.set_secret(&deployments, subject, name, value).await
            }
        }
    }

    async fn deploy(
        &mut self,
        deployments: &Arc<Deployments>,
        subject: Subject,
        package: Package,
        bytes: &Bytes,
    ) -> Result<Answer, Refusal> {
        let before = deployments.state(&subject.tenant.name, &subject.worker)?;
        let before = before.unwrap_or_default();
        let version = Version {
            package,
            secrets: before.secrets.clone(),
        };
        let candidate = self.admit(&subject, version).await?;
        let kept = deployments.save_package(&subject.tenant.name, &subject.worker, bytes);
        let package = match kept {
            Ok(package) => package,
            Err(error) => {
                self.node.forget(candidate.target()).await;
                return Err(error.into());
            }
        };
        let after = before.with(package, "deploy", &subject.token, self.kept());
        self.switch(deployments, subject, candidate, &before, &after)
            .await
    }

    /// What it kept (objects, databases, keys) stays: it is there for a worker of the
    /// same name.
    async fn delete(
        &mut self,
        deployments: &Arc<Deployments>,
        subject: Subject,
    ) -> Result<Answer, Refusal> {
        subject.state(deployments)?;
        let (tenant, worker) = (&subject.tenant.name, &subject.worker);
        let name = Scope::of_tenant(tenant).name(worker);
        let tenants = &mut self.fleet.tenants;
        if let Some(caller) = tenants.caller_of(&name) {
            let own = caller.strip_prefix(tenant.as_str());
            let own = own.and_then(|own| own.strip_prefix('/'));
            return Err(Refusal::Called {
                worker: worker.clone(),
                caller: own.unwrap_or(caller).into(),
            });
        }
        deployments.remove(tenant, worker)?;
        tenants.remove(&name);
        let deployed = self.node.deploy(&self.fleet.roster()).await;
        deployed.map_err(Internal::from)?;
        tracing::info!(tenant, worker, token = subject.token, "deleted");
        Ok(Answer::Deleted {
            deleted: subject.worker,
        })
    }

    async fn roll_back(
        &mut self,
        deployments: &Arc<Deployments>,
        subject: Subject,
        number: Option<u64>,
    ) -> Result<Answer, Refusal> {
        let before = subject.state(deployments)?;
        let worker = subject.worker.clone();
        let version = match number {
            Some(version) => before
                .version(version)
                .ok_or(Refusal::NoVersion { worker, version })?,
            None => before.before().ok_or(Refusal::NoneBefore(worker))?,
        };
        let package =
            deployments.package(&subject.tenant.name, &subject.worker, &version.package)?;
        let after = before.back_to(version);
        let version = Version {
            package,
            secrets: after.secrets.clone(),
        };
        let candidate = self.admit(&subject, version).await?;
        self.switch(deployments, subject, candidate, &before, &after)
            .await
    }

    async fn set_secret(
        &mut self,
        deployments: &Arc<Deployments>,
        subject: Subject,
        name: String,
        value: Option<crate::control::SecretValue>,
    ) -> Result<Answer, Refusal> {
        /// As Workers have it.
        const MOST: usize = 128;
        let (tenant, worker) = (&subject.tenant.name, &subject.worker);
        let before = match (&value, deployments.state(tenant, worker)?) {
            (_, Some(state)) => state,
            // It may be there before its worker is.
            (Some(_), None) => WorkerState::default(),
            (None, None) => return Err(Refusal::NoWorker(worker.clone())),
        };
        let mut changed = before.clone();
        let cause = match value {
            Some(value) => {
                changed.secrets.insert(name.clone(), value);
                format!("secret put {name}")
            }
            None if changed.secrets.remove(&name).is_some() => format!("secret delete {name}"),
            None => {
                let worker = worker.clone();
                return Err(Refusal::NoSecret { worker, name });
            }
        };
        if changed.secrets.len() > MOST {
            let fault = format!("a worker may have {MOST}");
            return Err(Refusal::field("secret", fault));
        }
        let Some(served) = before.served() else {
            deployments.save(tenant, worker, &changed)?;
            return Ok(Answer::Set {
                worker: subject.worker,
            });
        };
        let package = deployments.package(tenant, worker, &served.package)?;
        let version = Version {
            package,
            secrets: changed.secrets.clone(),
        };
        let candidate = self.admit(&subject, version).await?;
        let package = served.package.clone();
        let after = changed.with(package, &cause, &subject.token, self.kept());
        self.switch(deployments, subject, candidate, &before, &after)
            .await
    }

    /// How many versions of a worker are kept.
    fn kept(&self) -> usize {
        let control = self.fleet.config.control.as_ref();
        control.map_or(1, |control| control.versions)
    }

    /// Checks a version, and starts its script on every lane.
    async fn admit(&self, subject: &Subject, version: Version) -> Result<Candidate, Refusal> {
        let Fleet {
            tenants,
            config,
            objects,
            ..
        } = &self.fleet;
        let Version { package, secrets } = version;
        let candidate = tenants.admit(config, objects, &subject.tenant, package, &secrets)?;
        match self.node.warm(candidate.target()).await {
            Ok(()) => Ok(candidate),
            Err(error) => {
                self.node.forget(candidate.target()).await;
                Err(match error {
                    NodeWarmError::Script(error) => Refusal::Script(error.to_string()),
                    NodeWarmError::Node(error) => Refusal::Internal(error.into()),
                })
            }
        }
    }

    /// Has a version that was admitted served. It is the served one from the moment
    /// when the state is kept: a crash after that finds it, and what its migrations
    /// come to, at the next start.
    async fn switch(
        &mut self,
        deployments: &Arc<Deployments>,
        subject: Subject,
        candidate: Candidate,
        before: &WorkerState,
        after: &WorkerState,
    ) -> Result<Answer, Refusal> {
        let (tenant, worker) = (&subject.tenant.name, &subject.worker);
        if let Err(error) = deployments.save(tenant, worker, after) {
            self.node.forget(candidate.target()).await;
            return Err(error.into());
        }
        let held = match self.fleet.objects.migrate(&candidate.plan).await {
            Ok(held) => held,
            Err(error) => {
                self.node.forget(candidate.target()).await;
                if let Err(error) = deployments.save(tenant, worker, before) {
                    tracing::error!(%error, "a deployment that failed is served at the next start");
                }
                return Err(Internal::from(error).into());
            }
        };
        let routes = candidate.routes();
        self.fleet.tenants.insert(candidate);
        let deployed = self.node.deploy(&self.fleet.roster()).await;
        drop(held);
        deployed.map_err(Internal::from)?;
        let version = after.current.unwrap_or_default();
        let cause = after.served().map_or("", |version| &version.cause);
        tracing::info!(
            tenant,
            worker,
            version,
            cause,
            token = subject.token,
            "serves a version"
        );
        Ok(Answer::Served {
            worker: subject.worker,
            version,
            routes,
        })
    }
}

impl Subject {
    fn state(&self, deployments: &Deployments) -> Result<WorkerState, Refusal> {
        let state = deployments.state(&self.tenant.name, &self.worker)?;
        state.ok_or_else(|| Refusal::NoWorker(self.worker.clone()))
    }
}

fn workers(deployments: &Deployments, tenant: &TenantConfig) -> Result<Answer, Refusal> {
    let mut workers = Vec::new();
    for name in deployments.workers(&tenant.name)? {
        if let Some(state) = deployments.state(&tenant.name, &name)? {
            let version = state.current;
            workers.push(WorkerLine { name, version });
        }
    }
    Ok(Answer::Workers { workers })
}
