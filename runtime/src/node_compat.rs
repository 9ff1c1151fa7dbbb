//! How much of Node a worker sees, by its compatibility date and flags.

use outboard_compatibility::{Compatibility, Flag};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// No module of Node's.
    None,
    /// `node:async_hooks` alone.
    AsyncHooks,
    /// The modules, by names with `node:`.
    Modules,
    /// The modules, also by bare names, and Node's globals.
    Full,
}

fn extent(compatibility: &Compatibility) -> Extent {
    if compatibility.has(Flag::NodejsCompatV2) {
        Extent::Full
    } else if compatibility.has(Flag::NodejsCompat) {
        Extent::Modules
    } else if compatibility.has(Flag::NodejsAls) {
        Extent::AsyncHooks
    } else {
        Extent::None
    }
}

/// Modules with a flag of their own; the others come with Node's extent.
const SWITCHED: &[(&str, Flag)] = &[
    ("_http_agent", Flag::EnableNodejsHttpModules),
    ("_http_client", Flag::EnableNodejsHttpModules),
    ("_http_common", Flag::EnableNodejsHttpModules),
    ("_http_incoming", Flag::EnableNodejsHttpModules),
    ("_http_outgoing", Flag::EnableNodejsHttpModules),
    ("_http_server", Flag::EnableNodejsHttpServerModules),
    ("child_process", Flag::EnableNodejsChildProcessModule),
    ("cluster", Flag::EnableNodejsClusterModule),
    ("console", Flag::EnableNodejsConsoleModule),
    ("dgram", Flag::EnableNodejsDgramModule),
    ("domain", Flag::EnableNodejsDomainModule),
    ("fs", Flag::EnableNodejsFsModule),
    ("fs/promises", Flag::EnableNodejsFsModule),
    ("http", Flag::EnableNodejsHttpModules),
    ("http2", Flag::EnableNodejsHttp2Module),
    ("https", Flag::EnableNodejsHttpModules),
    ("inspector", Flag::EnableNodejsInspectorModule),
    ("inspector/promises", Flag::EnableNodejsInspectorModule),
    ("os", Flag::EnableNodejsOsModule),
    ("perf_hooks", Flag::EnableNodejsPerfHooksModule),
    ("punycode", Flag::EnableNodejsPunycodeModule),
    ("readline", Flag::EnableNodejsReadlineModule),
    ("readline/promises", Flag::EnableNodejsReadlineModule),
    ("repl", Flag::EnableNodejsReplModule),
    ("sqlite", Flag::EnableNodejsSqliteModule),
    ("trace_events", Flag::EnableNodejsTraceEventsModule),
    ("tty", Flag::EnableNodejsTtyModule),
    ("v8", Flag::EnableNodejsV8Module),
    ("vm", Flag::EnableNodejsVmModule),
    ("wasi", Flag::EnableNodejsWasiModule),
    ("worker_threads", Flag::EnableNodejsWorkerThreadsModule),
    ("zlib", Flag::NodejsZlib),
];

/// Whether a worker's fetch handler may be a server of `node:http`.
pub(crate) fn has_servers(compatibility: &Compatibility) -> bool {
    compatibility.has(Flag::EnableNodejsHttpServerModules)
}

/// The module that a specifier means in a worker, among those there are.
pub(crate) fn module<'a>(
    compatibility: &Compatibility,
    specifier: &str,
    modules: &[&'a str],
) -> Option<&'a str> {
    let named = specifier.starts_with("node:");
    let name = specifier.strip_prefix("node:").unwrap_or(specifier);
    let allowed = match extent(compatibility) {
        Extent::None => false,
        Extent::AsyncHooks => specifier == "node:async_hooks",
        Extent::Modules => named,
        Extent::Full => true,
    };
    let found = modules
        .iter()
        .find(|module| allowed && module.strip_prefix("node:") == Some(name))?;
    let switch = SWITCHED.iter().find(|(module, _)| *module == name);
    switch
        .is_none_or(|(_, flag)| compatibility.has(*flag))
        .then_some(*found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_and_flags_decide() {
        let check = |date, flags: &[&str], expected| {
            let compatibility = Compatibility::new(date, flags).expect("they are known");
            assert_eq!(extent(&compatibility), expected, "{date} {flags:?}");
        };
        check("2026-01-01", &[], Extent::None);
        check("2026-01-01", &["nodejs_als"], Extent::AsyncHooks);
        check("2024-09-22", &["nodejs_compat"], Extent::Modules);
        check("2024-09-23", &["nodejs_compat"], Extent::Full);
        check("2023-01-01", &["nodejs_compat_v2"], Extent::Full);
        check("2026-08-04", &[], Extent::Full);
        check(
            "2026-01-01",
            &["nodejs_compat", "no_nodejs_compat_v2"],
            Extent::Modules,
        );
    }

    #[test]
    fn names_mean_what_is_allowed() {
        let modules = ["node:async_hooks", "node:fs", "node:path"];
        let check = |date, flags: &[&str], name, expected: Option<&str>| {
            let compatibility = Compatibility::new(date, flags).expect("they are known");
            assert_eq!(
                module(&compatibility, name, &modules),
                expected,
                "{date} {flags:?} {name}"
            );
        };
        let als = &["nodejs_als"][..];
        let node = &["nodejs_compat"][..];
        check("2026-01-01", &[], "node:path", None);
        check(
            "2026-01-01",
            als,
            "node:async_hooks",
            Some("node:async_hooks"),
        );
        check("2026-01-01", als, "node:path", None);
        check("2024-09-22", node, "node:path", Some("node:path"));
        check("2024-09-22", node, "path", None);
        check("2024-09-23", node, "path", Some("node:path"));
        check("2024-09-23", node, "node:fs", None);
        check("2025-09-15", node, "fs", Some("node:fs"));
        check("2025-09-15", node, "node:vm", None);
    }
}
