//! Every field wrangler knows, how environments take it over, and what
//! Outboard does with it. Wrangler 4.86 wrote the list.

/// A field of the configuration file.
#[derive(Debug)]
pub(crate) struct KnownField {
    pub(crate) name: &'static str,
    pub(crate) scope: Scope,
    pub(crate) support: Support,
}

/// How a named environment gets the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Allowed at the top level only, and applies to every environment.
    TopLevel,
    /// The environment's own, or else the top level's.
    Inherited,
    /// The environment's own, or nothing.
    PerEnvironment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Support {
    /// Checked and passed on.
    Served,
    /// About Cloudflare's account or dashboard: without effect here, and no
    /// one would expect one.
    Ignored,
    /// Without effect here, and one might expect it: a warning saying why.
    Warned(&'static str),
    /// A feature that is to come; running without it would break the worker.
    NotYet,
    /// Never served; the message says what to do.
    Refused(&'static str),
}

pub(crate) fn find(name: &str) -> Option<&'static KnownField> {
    FIELDS.iter().find(|field| field.name == name)
}

pub(crate) fn all() -> &'static [KnownField] {
    FIELDS
}

const fn field(name: &'static str, scope: Scope, support: Support) -> KnownField {
    KnownField {
        name,
        scope,
        support,
    }
}

use Scope::{Inherited, PerEnvironment, TopLevel};
use Support::{Ignored, NotYet, Refused, Served, Warned};

const SERVICE_WORKER: &str = "belongs to the old service-worker format; \
    import the file in the worker's code instead";

#[rustfmt::skip]
const FIELDS: &[KnownField] = &[
    field("name", Inherited, Served),
    field("main", Inherited, Served),
    field("compatibility_date", Inherited, Served),
    field("compatibility_flags", Inherited, Served),
    field("vars", PerEnvironment, Served),
    field("secrets", PerEnvironment, Served),
    field("env", TopLevel, Served),
    field("rules", Inherited, Served),
    field("alias", TopLevel, Served),
    field("define", PerEnvironment, Served),
    field("no_bundle", Inherited, Served),
    field("find_additional_modules", Inherited, Served),
    field("preserve_file_names", Inherited, Served),
    field("base_dir", Inherited, Served),
    field("minify", Inherited, Served),
    field("keep_names", Inherited, Served),
    field("jsx_factory", Inherited, Served),
    field("jsx_fragment", Inherited, Served),
    field("tsconfig", Inherited, Served),
    field("upload_source_maps", Inherited, Served),
    field("dev", TopLevel, Served),
    field("route", Inherited, Served),
    field("routes", Inherited, Served),
    field("triggers", Inherited, Served),
    field("limits", Inherited, Served),
    field("durable_objects", PerEnvironment, Served),
    field("services", PerEnvironment, Served),
    field("d1_databases", PerEnvironment, Served),
    field("kv_namespaces", PerEnvironment, Served),
    field("worker_loaders", PerEnvironment, Served),
    field("r2_buckets", PerEnvironment, Served),
    field("queues", PerEnvironment, Served),
    field("migrations", Inherited, Served),
    field("tail_consumers", PerEnvironment, Served),
    field("streaming_tail_consumers", PerEnvironment, Served),

    field("$schema", TopLevel, Ignored),
    field("account_id", Inherited, Ignored),
    field("workers_dev", Inherited, Ignored),
    field("preview_urls", Inherited, Ignored),
    field("previews", Inherited, Ignored),
    field("send_metrics", TopLevel, Ignored),
    field("keep_vars", TopLevel, Ignored),
    field("logpush", Inherited, Ignored),
    field("observability", Inherited, Ignored),
    field("compliance_region", Inherited, Ignored),
    field("first_party_worker", Inherited, Ignored),
    field("placement", Inherited, Ignored),
    field("cache", Inherited, Warned("has no effect: Outboard does not cache in front of a worker")),
    field("legacy_env", TopLevel, Warned("has no effect: an environment is always a worker of its own")),
    field("usage_model", Inherited, Warned("has no effect; wrangler no longer knows it either")),

    field("workflows", PerEnvironment, NotYet),
    field("assets", Inherited, NotYet),
    field("site", TopLevel, NotYet),
    field("ai", PerEnvironment, NotYet),
    field("ai_search", PerEnvironment, NotYet),
    field("ai_search_namespaces", PerEnvironment, NotYet),
    field("analytics_engine_datasets", PerEnvironment, NotYet),
    field("artifacts", PerEnvironment, NotYet),
    field("browser", PerEnvironment, NotYet),
    field("cloudchamber", PerEnvironment, NotYet),
    field("containers", PerEnvironment, NotYet),
    field("dispatch_namespaces", PerEnvironment, NotYet),
    field("flagship", PerEnvironment, NotYet),
    field("hyperdrive", PerEnvironment, NotYet),
    field("images", PerEnvironment, NotYet),
    field("logfwdr", Inherited, NotYet),
    field("media", PerEnvironment, NotYet),
    field("mtls_certificates", PerEnvironment, NotYet),
    field("pipelines", PerEnvironment, NotYet),
    field("python_modules", Inherited, NotYet),
    field("ratelimits", PerEnvironment, NotYet),
    field("secrets_store_secrets", PerEnvironment, NotYet),
    field("send_email", PerEnvironment, NotYet),
    field("stream", PerEnvironment, NotYet),
    field("unsafe", PerEnvironment, NotYet),
    field("unsafe_hello_world", PerEnvironment, NotYet),
    field("vectorize", PerEnvironment, NotYet),
    field("version_metadata", PerEnvironment, NotYet),
    field("vpc_networks", PerEnvironment, NotYet),
    field("vpc_services", PerEnvironment, NotYet),

    field("build", Inherited, Refused("Outboard does not run custom build commands; \
        run it before Outboard, and let `main` name what it writes")),
    field("pages_build_output_dir", TopLevel, Refused("Outboard serves Workers, not Pages projects; \
        let `main` name the worker's entry file")),
    field("wasm_modules", TopLevel, Refused(SERVICE_WORKER)),
    field("text_blobs", TopLevel, Refused(SERVICE_WORKER)),
    field("data_blobs", TopLevel, Refused(SERVICE_WORKER)),
    field("node_compat", Inherited, Refused("wrangler 4 removed it; \
        add \"nodejs_compat\" to `compatibility_flags` instead")),
];

/// The known name a mistyped one most likely means.
pub(crate) fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters wrong is a typing error; more is another word.
    let allowed = (name.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|candidate| (distance(&name.to_lowercase(), candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits between two names: insert, remove, replace, swap. `-` equals `_`.
fn distance(a: &str, b: &str) -> usize {
    // Names are short; a longer one is close to none and not worth the square.
    const LONGEST: usize = 64;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() > LONGEST {
        return a.len();
    }
    let same = |x: char, y: char| x == y || (x == '-' && y == '_');
    let mut before = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replace = above[j] + usize::from(!same(a[i], b[j]));
            let mut least = replace.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                let swap: usize = before[j - 1] + 1;
                least = least.min(swap);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_finds_its_field() {
        let check = |name, expected| {
            assert_eq!(
                closest(name, FIELDS.iter().map(|field| field.name)),
                expected,
                "{name}"
            );
        };
        check("compatability_date", Some("compatibility_date"));
        check("kv-namespaces", Some("kv_namespaces"));
        check("Main", Some("main"));
        check("mian", Some("main"));
        check("var", Some("vars"));
        check("colour", None);
        check("", None);
        check(&"x".repeat(100_000), None);
    }

    #[test]
    fn every_field_is_listed_once() {
        for (index, field) in FIELDS.iter().enumerate() {
            assert!(
                FIELDS[index + 1..]
                    .iter()
                    .all(|other| other.name != field.name),
                "{field:?}"
            );
        }
    }
}
