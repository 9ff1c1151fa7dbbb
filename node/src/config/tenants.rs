//! `[control]` and `[[tenant]]`: who may deploy workers to a running node, and what.

use std::net::SocketAddr;

use serde::Deserialize;

use super::{Checker, Number, WorkerConfig, WorkerLimits, WorkerLimitsToml, range};
use crate::ingress::Pattern;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ControlToml {
    listen: Option<toml::Spanned<String>>,
    versions: Option<Number>,
    package_mb: Option<Number>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantToml {
    name: toml::Spanned<String>,
    #[serde(default)]
    routes: Vec<toml::Spanned<String>>,
    #[serde(default)]
    limits: WorkerLimitsToml,
}

/// How deployments come in.
#[derive(Debug, Clone)]
pub(crate) struct ControlConfig {
    pub(crate) listen: SocketAddr,
    /// How many versions of a worker are kept.
    pub(crate) versions: usize,
    /// Bytes that a package may have.
    pub(crate) max_package: usize,
}

/// Somebody whose workers the node serves, and who deploys them.
#[derive(Debug, Clone)]
pub(crate) struct TenantConfig {
    pub(crate) name: String,
    /// Where its workers may be routed, unless one of somebody else's is more specific.
    pub(crate) routes: Vec<Pattern>,
    /// The most that its workers may use.
    pub(crate) limits: WorkerLimits,
}

impl Checker<'_> {
    pub(super) fn control(&mut self, control: &ControlToml) -> ControlConfig {
        let versions = self.number("control.versions", &control.versions, range::VERSIONS);
        let package = self.number("control.package_mb", &control.package_mb, range::PACKAGE_MB);
        ControlConfig {
            listen: self.address("control.listen", &control.listen, 8788),
            versions: versions.unwrap_or(10),
            max_package: package.unwrap_or(64_usize) << 20,
        }
    }

    pub(super) fn tenants(
        &mut self,
        tenants: Vec<TenantToml>,
        workers: &[WorkerConfig],
    ) -> Vec<TenantConfig> {
        let mut checked: Vec<TenantConfig> = Vec::new();
        for (index, tenant) in tenants.into_iter().enumerate() {
            let owner = format!("tenant[{index}]");
            let (name, at) = (tenant.name.get_ref(), tenant.name.span().start);
            if !is_name(name) {
                let fault = format!(
                    "{owner}.name: {name:?}: write lower-case letters, digits, \"-\" and \"_\""
                );
                self.fault(at, &fault);
            }
            if checked.iter().any(|other| other.name == *name) {
                self.fault(at, &format!("{owner}.name: {name:?} is there twice"));
            }
            let inside = format!("{name}/");
            if let Some(worker) = workers.iter().find(|it| it.name.starts_with(&inside)) {
                let fault = format!(
                    "{owner}.name: {name:?}: the worker {:?} would be one of the tenant's",
                    worker.name
                );
                self.fault(at, &fault);
            }
            let routes = self.routes(&owner, &tenant.routes);
            for written in &tenant.routes {
                let others = checked.iter().flat_map(|other| &other.routes);
                let mut taken = others.chain(workers.iter().flat_map(|worker| &worker.routes));
                let route = written.get_ref().parse();
                if taken.any(|other| Ok(other) == route.as_ref()) {
                    let fault = format!("{owner}.routes: {:?} is another's", written.get_ref());
                    self.fault(written.span().start, &fault);
                }
            }
            checked.push(TenantConfig {
                limits: self.limits(&owner, &tenant.limits),
                name: tenant.name.into_inner(),
                routes,
            });
        }
        checked
    }
}

/// Names of tenants are those of folders too.
fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(letter) && name.len() <= 64 && name.chars().all(|c| letter(c) || c == '-')
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::parse;

    #[test]
    fn faults_of_tenants() {
        let check = |text: &str, expected: &str| {
            let faults = parse(Path::new("o.toml"), text).expect_err("faults");
            assert_eq!(faults.to_string(), expected, "{text}");
        };
        check(
            "[control]\nlisten = \"x\"\nversions = 0\n[[tenant]]\nname = \"A/b\"\nroutes = [\"a.test/*\"]\n\
             [[tenant]]\nname = \"b\"\nroutes = [\"a.test\", \"https://b\"]\nlimits = { heap_mb = 1 }\n\
             [[tenant]]\nname = \"b\"\n[[worker]]\nname = \"b/x\"\nmain = \"a.js\"\nroutes = [\"*\"]\n",
            "o.toml:2:10: control.listen: \"x\": write an address and a port, \"127.0.0.1:8788\"\n\
             o.toml:3:12: control.versions: 0: write 1 to 1000\n\
             o.toml:5:8: tenant[0].name: \"A/b\": write lower-case letters, digits, \"-\" and \"_\"\n\
             o.toml:8:8: tenant[1].name: \"b\": the worker \"b/x\" would be one of the tenant's\n\
             o.toml:9:11: tenant[1].routes: \"a.test\" is another's\n\
             o.toml:9:21: tenant[1].routes[1]: \"https://b\": a route is a host with an optional \
             path, without a scheme; write \"example.com/*\"\n\
             o.toml:10:22: tenant[1].limits.heap_mb: 1: write 8 to 512\n\
             o.toml:12:8: tenant[2].name: \"b\" is there twice\n\
             o.toml:12:8: tenant[2].name: \"b\": the worker \"b/x\" would be one of the tenant's",
        );
        check(
            "[[tenant]]\nname = \"a\"\nroutes = [\"a.test/*\"]\n[[tenant]]\nname = \"b\"\nroutes = [\"a.test\"]\n",
            "o.toml:6:11: tenant[1].routes: \"a.test\" is another's",
        );
    }
}
