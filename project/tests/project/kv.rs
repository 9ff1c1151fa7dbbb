//! The names that `env` has namespaces of KV by.

use outboard_project::{KvBinding, LoadOptions};

use crate::faults::check;
use crate::folder::*;

#[test]
fn namespaces_are_read() {
    let config = config(
        r#""kv_namespaces": [
             { "binding": "A", "id": "one", "preview_id": "two" },
             { "binding": "B", "remote": false }]"#,
    );
    let folder = Folder::worker(&[("wrangler.jsonc", &config), ("src/index.ts", "")]);
    let loaded = folder.load(&LoadOptions::default()).unwrap();
    let binding = |name: &str, id: Option<&str>, preview_id: Option<&str>| KvBinding {
        name: name.into(),
        id: id.map(Into::into),
        preview_id: preview_id.map(Into::into),
    };
    let expected = [
        binding("A", Some("one"), Some("two")),
        binding("B", None, None),
    ];
    assert_eq!(loaded.project.kv_namespaces, expected);
}

#[test]
fn faults_are_named() {
    check(
        r#""vars": { "A": "1" }, "kv_namespaces": [{ "binding": "A", "id": "x" }]"#,
        &["2:54: kv_namespaces[0].binding: \"A\" is the name of vars.A too"],
    );
    check(
        r#""kv_namespaces": [{ "id": "x" }]"#,
        &["2:19: kv_namespaces[0]: a namespace needs a \"binding\""],
    );
    check(
        r#""kv_namespaces": [{ "binding": "A", "id": "" }]"#,
        &["2:43: kv_namespaces[0].id: expected a name, not an empty string"],
    );
    check(
        r#""kv_namespaces": [{ "binding": "A", "remote": true }]"#,
        &["2:37: kv_namespaces[0].remote: Outboard keeps namespaces itself"],
    );
}
