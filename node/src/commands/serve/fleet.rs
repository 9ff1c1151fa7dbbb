//! All workers of a node: those of its config and those that tenants deployed.

use std::sync::Arc;

use anyhow::anyhow;

use super::configured::{Known, Loaded, load_workers};
use super::tenants::Tenants;
use crate::config::NodeConfig;
use crate::host::MakeHost;
use crate::ingress::{Roster, Target};
use crate::objects::{NodeObjects, Plan};

pub(super) struct Fleet {
    pub(super) config: NodeConfig,
    pub(super) host: MakeHost,
    pub(super) objects: Arc<NodeObjects>,
    configured: Roster,
    pub(super) tenants: Tenants,
}

/// What a config that was read again comes to; nothing of it is served yet.
pub(super) struct Next {
    config: NodeConfig,
    configured: Roster,
    tenants: Tenants,
    pub(super) changed: Vec<Target>,
    pub(super) plan: Plan,
}

impl Fleet {
    /// What a node begins with, its classes recorded. A worker of the config that is
    /// not sound ends it; one that was deployed is left out, and the log says why:
    /// the others' tenants have nothing to do with it.
    pub(super) async fn first(
        config: NodeConfig,
        host: MakeHost,
        objects: Arc<NodeObjects>,
    ) -> anyhow::Result<Self> {
        let new = load_workers(&config, &host, &Known::default(), &objects).await?;
        objects.migrate(&new.plan).await?;
        let mut fleet = Self {
            tenants: Tenants::open(&config)?,
            configured: new.roster,
            config,
            host,
            objects,
        };
        for (tenant, worker) in fleet.tenants.kept(&fleet.config)? {
            if let Err(error) = fleet.admit_kept(&tenant, &worker).await {
                tracing::error!("worker {worker:?} of {tenant:?} is not served: {error:#}");
            }
        }
        Ok(fleet)
    }

    async fn admit_kept(&mut self, tenant: &str, worker: &str) -> anyhow::Result<()> {
        let tenants = &self.tenants;
        let kept = tenants.admit_kept(&self.config, &self.objects, tenant, worker)?;
        if let Some(candidate) = kept {
            self.objects.migrate(&candidate.plan).await?;
            self.tenants.insert(candidate);
        }
        Ok(())
    }

    pub(super) fn roster(&self) -> Roster {
        let mut roster = self.configured.clone();
        self.tenants.add_to(&mut roster);
        roster
    }

    /// What a changed config makes of the workers: all are sound, or it is refused.
    pub(super) async fn next(&self, config: NodeConfig) -> anyhow::Result<Next> {
        let known = self.configured.targets();
        let known = known.map(|target| (target.worker.name().to_string(), target.clone()));
        let Loaded {
            roster,
            mut changed,
            plan,
        } = load_workers(&config, &self.host, &known.collect(), &self.objects).await?;
        let mut tenants = self.tenants.anew(&config)?;
        let mut faults = Vec::new();
        for (tenant, worker) in tenants.kept(&config)? {
            match tenants.admit_kept(&config, &self.objects, &tenant, &worker) {
                Ok(None) => {}
                Ok(Some(mut candidate)) => {
                    // Its classes were recorded when it was deployed.
                    if candidate.plan.changes() {
                        faults.push(format!(
                            "worker {worker:?} of {tenant:?} has to be deployed again"
                        ));
                    }
                    if !candidate.is_as_in(&self.tenants) {
                        changed.push(candidate.target().clone());
                    }
                    tenants.insert(candidate);
                }
                Err(error) => faults.push(format!("worker {worker:?} of {tenant:?}: {error:#}")),
            }
        }
        if !faults.is_empty() {
            return Err(anyhow!(faults.join("\n")));
        }
        Ok(Next {
            config,
            configured: roster,
            tenants,
            changed,
            plan,
        })
    }

    /// Makes it what is served from now on.
    pub(super) fn replace(&mut self, next: Next) {
        self.config = next.config;
        self.configured = next.configured;
        self.tenants = next.tenants;
    }
}
