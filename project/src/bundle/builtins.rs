//! The names of modules that Node has built in.

/// Whether Node knows a name without its `node:`.
pub(super) fn is_node_builtin(specifier: &str) -> bool {
    let (name, below) = match specifier.split_once('/') {
        Some((name, below)) => (name, Some(below)),
        None => (specifier, None),
    };
    match below {
        None => NAMES.contains(&name),
        Some(below) => BELOW.contains(&(name, below)),
    }
}

#[rustfmt::skip]
const NAMES: &[&str] = &[
    "assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants",
    "crypto", "dgram", "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2",
    "https", "inspector", "module", "net", "os", "path", "perf_hooks", "process", "punycode",
    "querystring", "readline", "repl", "stream", "string_decoder", "sys", "timers", "tls",
    "trace_events", "tty", "url", "util", "v8", "vm", "wasi", "worker_threads", "zlib",
];

#[rustfmt::skip]
const BELOW: &[(&str, &str)] = &[
    ("assert", "strict"), ("dns", "promises"), ("fs", "promises"), ("inspector", "promises"),
    ("path", "posix"), ("path", "win32"), ("readline", "promises"), ("stream", "consumers"),
    ("stream", "promises"), ("stream", "web"), ("timers", "promises"), ("util", "types"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_count() {
        for name in ["fs", "fs/promises", "worker_threads", "util/types"] {
            assert!(is_node_builtin(name), "{name}");
        }
        for name in [
            "", "fs/", "fs/no", "fs-extra", "./fs", "node:fs", "promises",
        ] {
            assert!(!is_node_builtin(name), "{name}");
        }
    }
}
