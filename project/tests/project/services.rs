//! The names that `env` has other workers by.

use outboard_project::{LoadOptions, ServiceBinding};

use crate::faults::check;
use crate::folder::*;

#[test]
fn bindings_are_read() {
    let config = config(
        r#""services": [
             { "binding": "A", "service": "other" },
             { "binding": "B", "service": "w", "entrypoint": "Own", "props": { "a": [1] } },
             { "binding": "C", "service": "other", "entrypoint": "default" }]"#,
    );
    let folder = Folder::worker(&[("wrangler.jsonc", &config), ("src/index.ts", "")]);
    let loaded = folder.load(&LoadOptions::default()).unwrap();
    let binding = |name: &str, service: Option<&str>| ServiceBinding {
        name: name.into(),
        service: service.map(Into::into),
        entrypoint: None,
        props: None,
    };
    let own = ServiceBinding {
        entrypoint: Some("Own".into()),
        props: Some(serde_json::json!({ "a": [1] })),
        ..binding("B", None)
    };
    let expected = [
        binding("A", Some("other")),
        own,
        binding("C", Some("other")),
    ];
    assert_eq!(loaded.project.services, expected);
}

#[test]
fn loaders_are_read() {
    let config = config(r#""worker_loaders": [{ "binding": "LOADER" }, { "binding": "OTHER" }]"#);
    let folder = Folder::worker(&[("wrangler.jsonc", &config), ("src/index.ts", "")]);
    let loaded = folder.load(&LoadOptions::default()).unwrap();
    assert_eq!(loaded.project.worker_loaders, ["LOADER", "OTHER"]);
    check(
        r#""worker_loaders": [{ "binding": "A" }, { "binding": "A" }, { "name": "B" }]"#,
        &[
            "2:53: worker_loaders[1].binding: \"A\" is the name of worker_loaders[0] too",
            "2:60: worker_loaders[2]: a worker loader needs a \"binding\"",
        ],
    );
}

#[test]
fn faults_are_named() {
    check(
        r#""vars": { "A": "1" }, "services": [{ "binding": "A", "service": "x" }]"#,
        &["2:49: services[0].binding: \"A\" is the name of vars.A too"],
    );
    check(
        r#""services": [{ "binding": "A" }]"#,
        &["2:14: services[0]: a service needs a \"service\""],
    );
    check(
        r#""services": [{ "binding": "A", "service": "x", "environment": "e" }]"#,
        &["2:48: services[0].environment: Outboard binds to workers of the same node alone"],
    );
    check(
        r#""services": [{ "binding": "A", "service": "x", "props": 5 }]"#,
        &["2:57: services[0].props: expected a table, not a number"],
    );
}
