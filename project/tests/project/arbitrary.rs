//! No bytes make the loader panic, and no project makes the bundler panic.

use outboard_project::{BundleOptions, Date, DevVars, LoadOptions};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::folder::*;

fn options() -> LoadOptions {
    LoadOptions {
        today: Date::new(2026, 1, 31).unwrap(),
        dev_vars: DevVars::Read,
        environment: Some("a".to_owned()),
        ..LoadOptions::default()
    }
}

/// Loads whatever it is; each fault must have something to say.
fn load(name: &str, content: &[u8]) {
    let folder = Folder::new(&[("src/index.ts", "")]);
    folder.write(name, content);
    if name == ".dev.vars" {
        folder.write(
            "wrangler.jsonc",
            config("\"env\": { \"a\": {} }").as_bytes(),
        );
    }
    match folder.load(&options()) {
        Ok(loaded) => drop(format!("{loaded:?}")),
        Err(errors) => {
            assert!(!errors.faults.is_empty());
            assert!(errors.faults.iter().all(|fault| !fault.message.is_empty()));
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "[a-z./*:\\-\"\\\\\u{0}\u{e9}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(field(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Names the checks look at, so that they meet odd values.
fn field() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "name",
        "main",
        "compatibility_date",
        "compatibility_flags",
        "vars",
        "secrets",
        "required",
        "env",
        "a",
        "rules",
        "type",
        "globs",
        "fallthrough",
        "alias",
        "define",
        "no_bundle",
        "minify",
        "jsx_factory",
        "tsconfig",
        "base_dir",
        "dev",
        "port",
        "ip",
        "route",
        "routes",
        "pattern",
        "custom_domain",
        "zone_id",
        "triggers",
        "crons",
        "limits",
        "cpu_ms",
        "durable_objects",
        "bindings",
        "name",
        "class_name",
        "script_name",
        "migrations",
        "tag",
        "new_sqlite_classes",
        "renamed_classes",
        "from",
        "to",
        "deleted_classes",
        "build",
        "command",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,8}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_load_or_are_refused(bytes in vec(any::<u8>(), 0..200)) {
        for name in ["wrangler.jsonc", "wrangler.toml", ".dev.vars"] {
            load(name, &bytes);
        }
    }

    #[test]
    fn any_text_loads_or_is_refused(text in "[\\[\\]{}\"':,=#/*\\\\ \na.0-9ntfxe\u{e9}-]{0,80}") {
        for name in ["wrangler.jsonc", "wrangler.toml", ".dev.vars"] {
            load(name, text.as_bytes());
        }
    }

    #[test]
    fn any_json_loads_or_is_refused(value in btree_map(field(), any_json(), 0..12)) {
        load("wrangler.jsonc", &serde_json::to_vec(&value).unwrap());
    }

    #[test]
    fn any_toml_loads_or_is_refused(value in btree_map(field(), any_json(), 0..12)) {
        // TOML has no null: such values are left out by its own writer's error.
        if let Ok(text) = toml::to_string(&value) {
            load("wrangler.toml", text.as_bytes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_code_bundles_or_is_refused(
        code in vec(prop::sample::select(vec![
            "import ", "export ", "default ", "from ", "'./a'", "'./t.txt'", "* ", "as ", "x", "{", "}", "(", ")",
            ";", "=", "class ", "const ", "=>", "async ", "await ", "`", "${", "<p>", "</p>", "\n", "require",
            "module.exports", "//", "/*", "\u{e9}", "enum ", ":", "@", "using ", "import(", "new URL(",
        ]), 0..30),
    ) {
        let code = code.concat();
        let folder = Folder::worker(&[("src/index.ts", &code), ("src/a.ts", &code), ("src/t.txt", "t")]);
        if let Err(errors) = folder.try_bundle(&BundleOptions::default()) {
            let printed = errors.to_string();
            prop_assert!(!printed.contains("the bundler failed"), "{}\n{}", code, printed);
            prop_assert!(!printed.contains("without an answer"), "{}\n{}", code, printed);
        }
    }
}
