//! One configuration, three formats, one project.

use std::collections::BTreeMap;

use outboard_project::{
    Cron, Date, Dev, DevVars, JsxFactories, LoadOptions, ModuleRule, Protocol, RuleType, VarValue,
    Zone,
};
use serde_json::json;

use crate::folder::*;

const JSONC: &str = r#"{
  "$schema": "node_modules/wrangler/config-schema.json",
  "name": "my-worker", // the name
  "main": "./src/index.ts",
  "compatibility_date": "2025-06-01",
  "compatibility_flags": ["global_navigator"],
  "workers_dev": true,
  "observability": { "enabled": true },
  "vars": { "TEXT": "a", "NUMBER": 8080, "NESTED": { "list": [1, true], "f": 1.5 } },
  "rules": [{ "type": "Text", "globs": ["**/*.md"], "fallthrough": true }],
  "alias": { "a": "./src/b.ts" },
  "define": { "X": "1" },
  "find_additional_modules": true,
  "preserve_file_names": true,
  "base_dir": "src",
  "minify": true,
  "keep_names": false,
  "jsx_factory": "h",
  "jsx_fragment": "React.Fragment",
  "tsconfig": "tsconfig.json",
  "upload_source_maps": true,
  "dev": { "ip": "127.0.0.1", "port": 9000, "inspector_port": 0, "local_protocol": "http", "host": "example.com" },
  "routes": ["example.com/*", { "pattern": "api.example.com/v1/*", "zone_name": "example.com" },
             { "pattern": "app.example.com", "custom_domain": true }],
  "triggers": { "crons": ["*/5 * * * *"] },
  "limits": { "cpu_ms": 50, "subrequests": 10 },
  "kv_namespaces": [],
  "durable_objects": { "bindings": [{ "name": "ROOM", "class_name": "Room" }] },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Hall"] },
                 { "tag": "v2", "renamed_classes": [{ "from": "Hall", "to": "Room" }] }],
}"#;

const TOML: &str = r#"
name = "my-worker" # the name
main = "./src/index.ts"
compatibility_date = "2025-06-01"
compatibility_flags = ["global_navigator"]
workers_dev = true
find_additional_modules = true
preserve_file_names = true
base_dir = "src"
minify = true
keep_names = false
jsx_factory = "h"
jsx_fragment = "React.Fragment"
tsconfig = "tsconfig.json"
upload_source_maps = true
kv_namespaces = []
routes = ["example.com/*", { pattern = "api.example.com/v1/*", zone_name = "example.com" },
          { pattern = "app.example.com", custom_domain = true }]

[observability]
enabled = true

[vars]
TEXT = "a"
NUMBER = 8_080
NESTED = { list = [1, true], f = 1.5 }

[[rules]]
type = "Text"
globs = ["**/*.md"]
fallthrough = true

[alias]
a = "./src/b.ts"

[define]
X = "1"

[dev]
ip = "127.0.0.1"
port = 9000
inspector_port = 0
local_protocol = "http"
host = "example.com"

[triggers]
crons = ["*/5 * * * *"]

[limits]
cpu_ms = 50
subrequests = 10

[durable_objects]
bindings = [{ name = "ROOM", class_name = "Room" }]

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Hall"]

[[migrations]]
tag = "v2"
renamed_classes = [{ from = "Hall", to = "Room" }]
"#;

fn folder(name: &str, config: &str) -> Folder {
    Folder::new(&[
        (name, config),
        ("src/index.ts", "export default {};"),
        ("tsconfig.json", "{}"),
    ])
}

#[test]
fn the_three_formats_say_the_same() {
    let jsonc = folder("wrangler.jsonc", JSONC);
    // Comments and trailing commas are read in wrangler.json as well.
    let json = folder("wrangler.json", JSONC);
    let toml = folder("wrangler.toml", TOML);
    let load = |folder: &Folder| {
        let loaded = folder.load(&LoadOptions::default()).unwrap();
        assert_eq!(loaded.warnings, []);
        let mut project = loaded.project;
        assert_eq!(project.main, folder.path().join("src/index.ts"));
        assert_eq!(project.base_dir, folder.path().join("src"));
        assert_eq!(project.tsconfig, Some(folder.path().join("tsconfig.json")));
        for path in [&mut project.root, &mut project.main, &mut project.base_dir] {
            path.clear();
        }
        project.tsconfig = None;
        project
    };
    let project = load(&jsonc);
    assert_eq!(project, load(&json));
    assert_eq!(project, load(&toml));

    assert_eq!(project.name, "my-worker");
    assert_eq!(project.environment, None);
    assert_eq!(project.compatibility_date, Date::new(2025, 6, 1).unwrap());
    assert_eq!(project.compatibility_flags, ["global_navigator"]);
    assert_eq!(
        project.vars,
        BTreeMap::from([
            ("TEXT".to_owned(), VarValue::Text("a".to_owned())),
            ("NUMBER".to_owned(), VarValue::Json(json!(8080))),
            (
                "NESTED".to_owned(),
                VarValue::Json(json!({ "list": [1, true], "f": 1.5 }))
            ),
        ])
    );
    assert_eq!(
        project.rules,
        [ModuleRule {
            kind: RuleType::Text,
            globs: vec!["**/*.md".to_owned()],
            fallthrough: true,
        }]
    );
    assert_eq!(project.alias["a"], "./src/b.ts");
    assert_eq!(project.define["X"], "1");
    assert!(project.find_additional_modules && project.preserve_file_names);
    assert!(
        project.minify && !project.keep_names && !project.no_bundle && project.upload_source_maps
    );
    assert_eq!(
        project.jsx,
        JsxFactories {
            factory: Some("h".to_owned()),
            fragment: Some("React.Fragment".to_owned()),
        }
    );
    let dev = Dev {
        ip: Some("127.0.0.1".to_owned()),
        port: Some(9000),
        inspector_port: Some(0),
        local_protocol: Some(Protocol::Http),
        host: Some("example.com".to_owned()),
        ..Dev::default()
    };
    assert_eq!(project.dev, dev);
    assert_eq!(project.routes.len(), 3);
    assert_eq!(project.routes[0].pattern, "example.com/*");
    assert_eq!(
        project.routes[1].zone,
        Some(Zone::Name("example.com".to_owned()))
    );
    assert!(project.routes[2].custom_domain);
    let crons: Vec<_> = project.crons.iter().map(Cron::as_str).collect();
    assert_eq!(crons, ["*/5 * * * *"]);
    assert_eq!(
        (project.limits.cpu_ms, project.limits.subrequests),
        (Some(50), Some(10))
    );
}

#[test]
fn the_least_project_has_the_defaults() {
    let project = Folder::worker(&[("src/index.ts", "")]).project();
    assert_eq!(project.base_dir, project.root.join("src"));
    assert!(project.keep_names && !project.minify && !project.no_bundle);
    assert_eq!(project.dev, Dev::default());
    assert!(project.vars.is_empty() && project.routes.is_empty() && project.crons.is_empty());
}

#[test]
fn jsonc_is_preferred_and_says_so() {
    let folder = Folder::new(&[
        (
            "wrangler.jsonc",
            &config("\"vars\": { \"FROM\": \"jsonc\" }"),
        ),
        ("wrangler.json", "not read"),
        ("wrangler.toml", "not read"),
        ("src/index.ts", ""),
    ]);
    let loaded = folder.load(&LoadOptions::default()).unwrap();
    assert_eq!(
        loaded.project.vars["FROM"],
        VarValue::Text("jsonc".to_owned())
    );
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "wrangler.json: ignored, because wrangler.jsonc is there",
            "wrangler.toml: ignored, because wrangler.jsonc is there",
        ]
    );
}

#[test]
fn a_given_file_and_entry_are_used() {
    let folder = Folder::new(&[
        (
            "config/special.toml",
            "name = 'x'\ncompatibility_date = '2025-01-01'\n",
        ),
        ("config/other.mjs", ""),
    ]);
    let options = LoadOptions {
        config: Some("config/special.toml".into()),
        main: Some("other.mjs".into()),
        ..LoadOptions::default()
    };
    let loaded = folder.load(&options).unwrap();
    assert_eq!(loaded.project.root, folder.path().join("config"));
    assert_eq!(loaded.project.main, folder.path().join("config/other.mjs"));
    assert_eq!(loaded.files, [folder.path().join("config/special.toml")]);
}

#[test]
fn dev_vars_are_secrets_and_never_print() {
    let folder = Folder::worker(&[
        (
            "wrangler.jsonc",
            &config(r#""vars": { "KEY": "plain" }, "secrets": { "required": ["KEY", "OTHER"] }"#),
        ),
        ("src/index.ts", ""),
        (
            ".dev.vars",
            "KEY=hunter2\n# nothing\nexport TOKEN=\"line\\nline\"",
        ),
    ]);
    let without = folder.load(&LoadOptions::default()).unwrap();
    assert!(without.project.secrets.is_empty() && without.warnings.is_empty());

    let options = LoadOptions {
        dev_vars: DevVars::Read,
        ..LoadOptions::default()
    };
    let loaded = folder.load(&options).unwrap();
    assert_eq!(loaded.project.secrets["KEY"].reveal(), "hunter2");
    assert_eq!(loaded.project.secrets["TOKEN"].reveal(), "line\nline");
    assert_eq!(
        loaded.project.vars["KEY"],
        VarValue::Text("plain".to_owned())
    );
    assert_lacks(&format!("{loaded:?}"), &["hunter2"]);
    assert!(loaded.files.contains(&folder.path().join(".dev.vars")));
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        ["wrangler.jsonc: secrets.required: \"OTHER\" is required; add it to .dev.vars"]
    );
}
