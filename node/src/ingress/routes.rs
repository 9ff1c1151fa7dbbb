//! Which worker serves a request: patterns of host and path, as Workers have
//! them (https://developers.cloudflare.com/workers/configuration/routing/routes/).

use std::cmp::Ordering;
use std::str::FromStr;
use std::sync::Arc;

use outboard_runtime::{Lane, Worker};

use crate::duties::Duties;

/// A route's pattern: `*`, `example.com`, `*.example.com/*`, `example.com/api/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    host: HostPattern,
    path: PathPattern,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum HostPattern {
    Any,
    /// `*.example.com`: the dot and what follows it.
    Below(String),
    Exact(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PathPattern {
    Prefix(String),
    Exact(String),
}

/// A route that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum PatternError {
    #[error(
        "{0:?}: a route is a host with an optional path, without a scheme; write \"example.com/*\""
    )]
    Scheme(String),
    #[error("{0:?}: a wildcard is a whole label; write \"*.example.com\" or \"*\"")]
    HostWildcard(String),
    #[error("{0:?}: a wildcard in a path is only allowed at its end; write \"example.com/api/*\"")]
    PathWildcard(String),
    #[error("{0:?}: not a host name")]
    Host(String),
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.contains("://") {
            return Err(PatternError::Scheme(text.into()));
        }
        let (host, path) = match text.find('/') {
            Some(at) => text.split_at(at),
            None => (text, "/*"),
        };
        let host = host.to_ascii_lowercase();
        let is_label = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        let is_name = |name: &str| name.split('.').all(is_label);
        let host = match host.strip_prefix('*') {
            Some("") => HostPattern::Any,
            Some(rest) if rest.starts_with('.') && is_name(&rest[1..]) => {
                HostPattern::Below(rest.into())
            }
            Some(_) => return Err(PatternError::HostWildcard(text.into())),
            None if host.contains('*') => return Err(PatternError::HostWildcard(text.into())),
            None if is_name(&host) || host.starts_with('[') => HostPattern::Exact(host),
            None => return Err(PatternError::Host(text.into())),
        };
        let path = match path.strip_suffix('*') {
            Some(prefix) if prefix.contains('*') => {
                return Err(PatternError::PathWildcard(text.into()));
            }
            Some(prefix) => PathPattern::Prefix(prefix.into()),
            None if path.contains('*') => return Err(PatternError::PathWildcard(text.into())),
            None => PathPattern::Exact(path.into()),
        };
        Ok(Self { host, path })
    }
}

impl Pattern {
    /// Every host and path.
    pub(crate) fn any() -> Self {
        Self {
            host: HostPattern::Any,
            path: PathPattern::Prefix("/".into()),
        }
    }

    /// Whether all that `other` serves is of this pattern too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let host = match (&self.host, &other.host) {
            (HostPattern::Any, _) => true,
            (HostPattern::Below(all), HostPattern::Below(some)) => some.ends_with(all),
            (HostPattern::Below(all), HostPattern::Exact(one)) => {
                one.len() > all.len() && one.ends_with(all)
            }
            (HostPattern::Exact(one), HostPattern::Exact(other)) => one == other,
            (HostPattern::Below(_) | HostPattern::Exact(_), _) => false,
        };
        host && match (&self.path, &other.path) {
            (PathPattern::Prefix(all), PathPattern::Prefix(some)) => some.starts_with(all),
            (PathPattern::Prefix(all), PathPattern::Exact(one)) => {
                one.starts_with(all) || all.strip_suffix('/') == Some(one)
            }
            (PathPattern::Exact(one), PathPattern::Exact(other)) => one == other,
            (PathPattern::Exact(_), PathPattern::Prefix(_)) => false,
        }
    }

    /// Of two patterns that match, the one by which a request goes is the greater.
    pub(crate) fn precedence(&self, other: &Self) -> Ordering {
        let ((a_host, a_len, a_exact), (b_host, b_len, b_exact)) = (self.rank(), other.rank());
        kind(a_host)
            .cmp(&kind(b_host))
            .then(a_len.cmp(&b_len))
            .then(a_exact.cmp(&b_exact))
    }

    fn matches(&self, host: &str, path: &str) -> bool {
        let host_matches = match &self.host {
            HostPattern::Any => true,
            HostPattern::Exact(name) => name == host,
            HostPattern::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        };
        host_matches
            && match &self.path {
                // "example.com/api/*" serves "/api" too.
                PathPattern::Prefix(prefix) => {
                    path.starts_with(prefix) || prefix.strip_suffix('/') == Some(path)
                }
                PathPattern::Exact(exact) => path == exact,
            }
    }

    /// Larger is more specific: the host decides first, then the path.
    fn rank(&self) -> (&HostPattern, usize, bool) {
        match &self.path {
            PathPattern::Exact(path) => (&self.host, path.len(), true),
            PathPattern::Prefix(path) => (&self.host, path.len(), false),
        }
    }
}

/// A worker, and the lane of its own that it runs on, where it has one.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) worker: Arc<Worker>,
    /// None: the lane that accepted the connection serves it.
    pub(crate) lane: Option<Arc<Lane>>,
    pub(crate) duties: Arc<Duties>,
}

/// What a node serves.
#[derive(Clone, Default)]
pub(crate) struct Roster {
    pub(crate) routes: Vec<(Pattern, Target)>,
    /// Workers that only others call.
    pub(crate) unrouted: Vec<Target>,
}

impl Roster {
    /// One worker for every host and path.
    pub(crate) fn only(target: Target) -> Self {
        Self {
            routes: vec![(Pattern::any(), target)],
            unrouted: Vec::new(),
        }
    }

    pub(crate) fn targets(&self) -> impl Iterator<Item = &Target> {
        let routed = self.routes.iter().map(|(_, target)| target);
        routed.chain(&self.unrouted)
    }
}

/// All routes of a node, the most specific first. Replaced whole on a change.
#[derive(Default)]
pub(crate) struct Routes {
    routes: Vec<(Pattern, Target)>,
    unrouted: Vec<Target>,
}

impl Routes {
    pub(crate) fn new(
        Roster {
            mut routes,
            unrouted,
        }: Roster,
    ) -> Self {
        routes.sort_by(|(a, _), (b, _)| b.precedence(a));
        Self { routes, unrouted }
    }

    /// The worker for a request to `host` (a `Host` header's value).
    pub(crate) fn find(&self, host: &str, path: &str) -> Option<&Target> {
        // The usual single-worker node needs no look at the host.
        if let [(pattern, target)] = self.routes.as_slice()
            && pattern.host == HostPattern::Any
            && pattern.path == PathPattern::Prefix("/".into())
        {
            return Some(target);
        }
        let name = host_name(host).to_ascii_lowercase();
        self.routes
            .iter()
            .find(|(pattern, _)| pattern.matches(&name, path))
            .map(|(_, target)| target)
    }

    /// The workers that shared lanes serve.
    pub(crate) fn shared_workers(&self) -> impl Iterator<Item = &Arc<Worker>> {
        let routed = self.routes.iter().map(|(_, target)| target);
        routed
            .chain(&self.unrouted)
            .filter(|target| target.lane.is_none())
            .map(|target| &target.worker)
    }
}

/// How specific a host is: a longer suffix beats a shorter one.
fn kind(host: &HostPattern) -> (u8, usize) {
    match host {
        HostPattern::Any => (0, 0),
        HostPattern::Below(suffix) => (1, suffix.len()),
        HostPattern::Exact(_) => (2, 0),
    }
}

/// A `Host` header without its port.
fn host_name(host: &str) -> &str {
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split(':').next().unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use outboard_runtime::{Module, ModuleKind, WorkerSpec};

    use super::*;

    fn target(name: &str) -> Target {
        let worker = Worker::new(WorkerSpec {
            name: name.into(),
            main: "index.js".into(),
            modules: vec![Module {
                specifier: "index.js".into(),
                kind: ModuleKind::EsModule,
                content: Vec::new(),
                named_exports: Vec::new(),
                source_map: None,
            }],
            ..WorkerSpec::default()
        })
        .expect("a worker");
        Target {
            worker,
            lane: None,
            duties: Arc::default(),
        }
    }

    #[test]
    fn the_most_specific_route_wins() {
        let routes: Vec<_> = [
            "*",
            "*.example.com/*",
            "api.example.com/*",
            "api.example.com/v1/*",
            "api.example.com/v1/health",
            "*.eu.example.com/*",
        ]
        .iter()
        .map(|text| (text.parse().expect("a pattern"), target(text)))
        .collect();
        let routes = Routes::new(Roster {
            routes,
            unrouted: Vec::new(),
        });
        let check = |host: &str, path: &str, expected: &str| {
            let found = routes.find(host, path).map(|target| target.worker.name());
            assert_eq!(found, Some(expected), "{host}{path}");
        };
        check("api.example.com", "/", "api.example.com/*");
        check("API.example.com:8080", "/v1", "api.example.com/v1/*");
        check("api.example.com", "/v1/x", "api.example.com/v1/*");
        check("api.example.com", "/v1/health", "api.example.com/v1/health");
        check("www.example.com", "/v1/x", "*.example.com/*");
        check("a.eu.example.com", "/", "*.eu.example.com/*");
        check("example.com", "/", "*");
        check("[::1]:80", "/", "*");
    }

    #[test]
    fn a_pattern_covers_what_is_no_wider() {
        let check = |all: &str, some: &str, expected: bool| {
            let pattern = |text: &str| text.parse::<Pattern>().expect("a pattern");
            assert_eq!(
                pattern(all).covers(&pattern(some)),
                expected,
                "{all} {some}"
            );
        };
        check("*", "*.a.test/x", true);
        check("*.a.test", "b.a.test/x*", true);
        check("*.a.test", "*.b.a.test", true);
        check("*.a.test", "a.test", false);
        check("*.a.test", "*.test", false);
        check("*.a.test", "b.xa.test", false);
        check("a.test", "*.a.test", false);
        check("a.test/api/*", "a.test/api", true);
        check("a.test/api/*", "a.test/api/*", true);
        check("a.test/api/*", "a.test/apis", false);
        check("a.test/api/*", "a.test/*", false);
        check("a.test/x", "a.test/x", true);
        check("a.test/x", "a.test/x*", false);
    }

    #[test]
    fn route_faults_are_named() {
        let check = |text: &str, expected: PatternError| {
            assert_eq!(text.parse::<Pattern>(), Err(expected));
        };
        check(
            "https://a.test/*",
            PatternError::Scheme("https://a.test/*".into()),
        );
        check(
            "*ample.com",
            PatternError::HostWildcard("*ample.com".into()),
        );
        check("a.*.com", PatternError::HostWildcard("a.*.com".into()));
        check("a.com/*/b", PatternError::PathWildcard("a.com/*/b".into()));
        check("a b.com", PatternError::Host("a b.com".into()));
        check("", PatternError::Host(String::new()));
    }
}
