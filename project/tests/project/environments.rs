//! Environments inherit what wrangler lets them.

use outboard_project::{DevVars, LoadOptions, VarValue};

use crate::folder::*;

fn options(environment: &str) -> LoadOptions {
    LoadOptions {
        environment: Some(environment.to_owned()),
        ..LoadOptions::default()
    }
}

#[test]
fn inherited_and_not_inherited_fields() {
    let folder = Folder::worker(&[
        (
            "wrangler.jsonc",
            &config(
                r#""minify": true, "limits": { "cpu_ms": 10 }, "alias": { "a": "b" }, "routes": ["top.example.com/*"],
               "vars": { "A": "top", "B": "top" }, "define": { "D": "1" },
               "vectorize": [{ "binding": "V" }],
               "env": {
                 "staging": { "vars": { "A": "staging" }, "compatibility_date": "2025-02-02", "minify": false },
                 "live": { "name": "the-live-one", "limits": { "subrequests": 5 }, "routes": [] },
                 "broken": { "hyperdrive": [{}] }
               }"#,
            ),
        ),
        ("src/index.ts", ""),
    ]);

    let loaded = folder.load(&options("staging")).unwrap();
    let staging = loaded.project;
    assert_eq!(staging.environment.as_deref(), Some("staging"));
    assert_eq!(staging.name, "w-staging");
    assert_eq!(staging.compatibility_date.to_string(), "2025-02-02");
    assert!(!staging.minify);
    assert_eq!(staging.limits.cpu_ms, Some(10));
    assert_eq!(staging.alias["a"], "b");
    assert_eq!(staging.routes.len(), 1);
    assert_eq!(staging.vars.len(), 1);
    assert_eq!(staging.vars["A"], VarValue::Text("staging".to_owned()));
    assert!(staging.define.is_empty());
    let warnings: Vec<_> = loaded
        .warnings
        .iter()
        .map(|it| it.field.clone().unwrap())
        .collect();
    assert_eq!(warnings, ["vars.B", "define.D"]);

    let live = folder.load(&options("live")).unwrap().project;
    assert_eq!(live.name, "the-live-one");
    assert!(live.minify && live.vars.is_empty() && live.routes.is_empty());
    // A table is inherited as a whole or not at all.
    assert_eq!(
        (live.limits.cpu_ms, live.limits.subrequests),
        (None, Some(5))
    );

    // The top level itself uses what Outboard does not serve.
    let errors = folder.load(&LoadOptions::default()).unwrap_err();
    assert_contains(
        &errors.to_string(),
        &["vectorize: Outboard does not serve vectorize yet"],
    );
    let errors = folder.load(&options("broken")).unwrap_err();
    assert_contains(
        &errors.to_string(),
        &["env.broken.hyperdrive: Outboard does not serve"],
    );
}

#[test]
fn an_unknown_environment_is_named_with_those_there_are() {
    let folder = Folder::worker(&[
        ("wrangler.jsonc", &config(r#""env": { "a": {}, "b": {} }"#)),
        ("src/index.ts", ""),
    ]);
    let check = |environment, expected: &str| {
        assert_eq!(
            folder.load(&options(environment)).unwrap_err().to_string(),
            expected
        );
    };
    check(
        "c",
        "wrangler.jsonc: env: there is no environment \"c\"; there is \"a\", \"b\"",
    );
    folder.write("wrangler.jsonc", config("").as_bytes());
    check(
        "c",
        "wrangler.jsonc: env: there is no environment \"c\"; the file has none",
    );
}

#[test]
fn an_environment_may_have_its_own_secrets() {
    let folder = Folder::worker(&[
        ("wrangler.jsonc", &config(r#""env": { "a": {}, "b": {} }"#)),
        ("src/index.ts", ""),
        (".dev.vars", "FROM=all"),
        (".dev.vars.a", "FROM=a"),
    ]);
    let check = |environment, expected| {
        let options = LoadOptions {
            dev_vars: DevVars::Read,
            ..options(environment)
        };
        let project = folder.load(&options).unwrap().project;
        assert_eq!(project.secrets["FROM"].reveal(), expected);
    };
    check("a", "a");
    check("b", "all");
}

#[test]
fn dot_env_files_are_read_where_there_are_no_dev_vars() {
    let folder = Folder::worker(&[
        ("wrangler.jsonc", &config(r#""env": { "a": {}, "b": {} }"#)),
        ("src/index.ts", ""),
        (".env", "FROM=all\nBASE=1"),
        (".env.a", "FROM=a"),
        (".env.local", "HERE=local\nBASE=2"),
        (".env.b.local", "FROM=b, local"),
    ]);
    let secrets = |environment| {
        let options = LoadOptions {
            dev_vars: DevVars::Read,
            ..options(environment)
        };
        let loaded = folder.load(&options).unwrap();
        let names = ["FROM", "BASE", "HERE"];
        let values = names.map(|name| loaded.project.secrets[name].reveal().to_owned());
        (values.join(" "), loaded.files.len())
    };
    assert_eq!(secrets("a"), ("a 2 local".to_owned(), 4));
    assert_eq!(secrets("b"), ("b, local 2 local".to_owned(), 4));
    folder.write(".dev.vars", b"FROM=dev\nBASE=3\nHERE=no");
    assert_eq!(secrets("b"), ("dev 3 no".to_owned(), 2));
    folder.write(".dev.vars", b"");
    let options = LoadOptions {
        dev_vars: DevVars::Read,
        ..options("b")
    };
    let loaded = folder.load(&options).unwrap();
    assert!(loaded.project.secrets.is_empty(), "an empty one is one");
}
