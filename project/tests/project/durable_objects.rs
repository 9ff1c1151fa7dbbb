//! Classes, migrations, and the names that `env` has objects by.

use outboard_project::{DurableObjectBinding, LoadOptions, Migration, Project, Transfer};

use crate::faults::{check, check_warnings};
use crate::folder::*;

fn load(fields: &str, environment: Option<&str>) -> (Project, Vec<String>) {
    let config = config(fields);
    let folder = Folder::worker(&[("wrangler.jsonc", &config), ("src/index.ts", "")]);
    let options = LoadOptions {
        environment: environment.map(str::to_owned),
        ..LoadOptions::default()
    };
    let loaded = folder.load(&options).unwrap();
    let warnings = loaded.warnings.iter();
    let warnings = warnings.map(|warning| warning.field.clone().unwrap());
    (loaded.project, warnings.collect())
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn binding(name: &str, class_name: &str) -> DurableObjectBinding {
    DurableObjectBinding {
        name: name.to_owned(),
        class_name: class_name.to_owned(),
        script_name: None,
    }
}

#[test]
fn bindings_and_migrations_are_read() {
    let (project, warnings) = load(
        r#""durable_objects": { "bindings": [
             { "name": "ROOM", "class_name": "Room" },
             { "name": "SAME", "class_name": "Room", "script_name": "w" },
             { "name": "LOBBY", "class_name": "Lobby" }] },
           "migrations": [
             { "tag": "v1", "new_sqlite_classes": ["Hall", "Old"], "new_classes": ["Lobby"] },
             { "tag": "v2", "deleted_classes": ["Old"],
               "renamed_classes": [{ "from": "Hall", "to": "Room" }], "new_sqlite_classes": ["Hall"] },
             { "tag": "v3", "new_sqlite_classes": ["Old"], "transferred_classes": [] }]"#,
        None,
    );
    assert_eq!(warnings, ["migrations[0].new_classes"]);
    assert_eq!(
        project.durable_objects,
        [
            binding("ROOM", "Room"),
            binding("SAME", "Room"),
            binding("LOBBY", "Lobby")
        ]
    );
    let migration = |tag: &str, new: &[&str]| Migration {
        tag: tag.to_owned(),
        deleted_classes: Vec::new(),
        renamed_classes: Vec::new(),
        transferred_classes: Vec::new(),
        new_classes: strings(new),
    };
    assert_eq!(
        project.migrations,
        [
            migration("v1", &["Lobby", "Hall", "Old"]),
            Migration {
                deleted_classes: strings(&["Old"]),
                renamed_classes: vec![("Hall".to_owned(), "Room".to_owned())],
                ..migration("v2", &["Hall"])
            },
            migration("v3", &["Old"]),
        ]
    );
    let classes: Vec<_> = project.classes().into_iter().collect();
    assert_eq!(classes, ["Hall", "Lobby", "Old", "Room"]);
}

#[test]
fn classes_come_from_other_workers_and_objects_stay_there() {
    let (project, warnings) = load(
        r#""durable_objects": { "bindings": [
             { "name": "ROOM", "class_name": "Room" },
             { "name": "THEIRS", "class_name": "Room", "script_name": "other" }] },
           "migrations": [{ "tag": "v1",
             "transferred_classes": [{ "from": "Hall", "from_script": "other", "to": "Room" }] }]"#,
        None,
    );
    assert!(warnings.is_empty(), "{warnings:?}");
    let theirs = DurableObjectBinding {
        script_name: Some("other".to_owned()),
        ..binding("THEIRS", "Room")
    };
    assert_eq!(project.durable_objects, [binding("ROOM", "Room"), theirs]);
    let transfer = Transfer {
        from: "Hall".to_owned(),
        from_script: "other".to_owned(),
        to: "Room".to_owned(),
    };
    assert_eq!(project.migrations[0].transferred_classes, [transfer]);
    assert_eq!(project.classes().into_iter().collect::<Vec<_>>(), ["Room"]);
}

#[test]
fn a_project_without_them_has_no_classes() {
    let (project, warnings) = load(r#""durable_objects": {}, "migrations": []"#, None);
    assert!(project.classes().is_empty() && warnings.is_empty());
}

#[test]
fn environments_inherit_migrations_and_no_bindings() {
    let fields = r#"
        "durable_objects": { "bindings": [{ "name": "A", "class_name": "A" }] },
        "migrations": [{ "tag": "v1", "new_sqlite_classes": ["A", "B"] }],
        "env": {
          "staging": { "durable_objects": { "bindings": [
            { "name": "B", "class_name": "B", "script_name": "w-staging" }] } },
          "live": { "migrations": [{ "tag": "v1", "new_sqlite_classes": ["C"] }] }
        }"#;
    let (staging, warnings) = load(fields, Some("staging"));
    assert_eq!(staging.durable_objects, [binding("B", "B")]);
    assert_eq!(staging.migrations[0].new_classes, ["A", "B"]);
    assert!(warnings.is_empty());

    let (live, warnings) = load(fields, Some("live"));
    assert!(live.durable_objects.is_empty());
    assert_eq!(live.classes().into_iter().collect::<Vec<_>>(), ["C"]);
    assert_eq!(warnings, ["durable_objects.bindings"]);
}

#[test]
fn a_class_without_a_migration_is_taken_as_new() {
    let bindings = r#""durable_objects": { "bindings": [{ "name": "A", "class_name": "Room" },
                        { "name": "B", "class_name": "Room" }] }"#;
    check_warnings(
        bindings,
        &[
            "2:50: durable_objects.bindings[0].class_name: no migration creates \"Room\"; \
             it is taken as new, but add it to the \"new_sqlite_classes\" of a migration",
        ],
    );
    let (project, _) = load(bindings, None);
    assert_eq!(project.classes().into_iter().collect::<Vec<_>>(), ["Room"]);
}

#[test]
fn what_has_another_effect_here_is_a_warning() {
    check_warnings(
        r#""migrations": [{ "tag": "v1", "new_classes": ["A"] }, { "tag": "v2", "new_classes": [] }]"#,
        &[
            "2:31: migrations[0].new_classes: stored in SQLite here too, as \"new_sqlite_classes\" are",
        ],
    );
    check_warnings(
        r#""migrations": [{ "tag": "v1", "new_sqlite_class": [] }],
"durable_objects": { "binding": 1, "bindings": [] }"#,
        &[
            "2:31: migrations[0].new_sqlite_class: unknown field; did you mean \"new_sqlite_classes\"?",
            "3:22: durable_objects.binding: unknown field; did you mean \"bindings\"?",
        ],
    );
}

/// The faults of bindings to a class that there is.
#[track_caller]
fn check_bindings(bindings: &str, expected: &[&str]) {
    let fields = format!(
        "\"durable_objects\": {{ \"bindings\":\n{bindings}\n}}, \"vars\": {{ \"VAR\": 1 }}, \
         \"migrations\": [{{ \"tag\": \"v1\", \"new_sqlite_classes\": [\"A\"] }}]"
    );
    check(&fields, expected);
}

#[test]
fn faults_of_bindings() {
    check(
        r#""durable_objects": []"#,
        &["2:20: durable_objects: expected a table, not a list"],
    );
    check_bindings(
        "{}",
        &["3:1: durable_objects.bindings: expected a list, not a table"],
    );
    check_bindings(
        r#"[{}, 1, { "name": 1, "class_name": "" }]"#,
        &[
            "3:2: durable_objects.bindings[0]: a binding needs a \"name\"",
            "3:2: durable_objects.bindings[0]: a binding needs a \"class_name\"",
            "3:6: durable_objects.bindings[1]: expected a table, not a number",
            "3:19: durable_objects.bindings[2].name: expected a string, not a number",
            "3:36: durable_objects.bindings[2].class_name: expected a name, not an empty string",
        ],
    );
    check_bindings(
        r#"[{ "name": "X", "class_name": "A" }, { "name": "X", "class_name": "A" },
            { "name": "VAR", "class_name": "A" }]"#,
        &[
            "3:48: durable_objects.bindings[1].name: \"X\" is the name of durable_objects.bindings[0] too",
            "4:23: durable_objects.bindings[2].name: \"VAR\" is the name of vars.VAR too",
        ],
    );
    check_bindings(
        r#"[{ "name": "X", "class_name": "B",
  "script_name": "other", "environment": "live" }]"#,
        &["4:27: durable_objects.bindings[0].environment: \
             Outboard does not offer to bind to an environment of another script"],
    );
}

#[test]
fn faults_of_migrations() {
    check(
        r#""migrations": {}"#,
        &["2:15: migrations: expected a list, not a table"],
    );
    check(
        r#""migrations": [1, { "tag": "" }, { "new_classes": "A", "new_sqlite_classes": [1, ""] }]"#,
        &[
            "2:16: migrations[0]: expected a table, not a number",
            "2:28: migrations[1].tag: expected a name, not an empty string",
            "2:34: migrations[2]: a migration needs a \"tag\"",
            "2:51: migrations[2].new_classes: expected a list, not a string",
            "2:79: migrations[2].new_sqlite_classes[0]: expected a string, not a number",
            "2:82: migrations[2].new_sqlite_classes[1]: expected a name, not an empty string",
        ],
    );
    check(
        r#""migrations": [{ "tag": "a" }, { "tag": "b" }, { "tag": "a" }]"#,
        &["2:57: migrations[2].tag: \"a\" is the tag of migrations[0] too"],
    );
    check(
        r#""migrations": [{ "tag": "a", "renamed_classes": [1, {}, { "from": "A" }] }]"#,
        &[
            "2:50: migrations[0].renamed_classes[0]: expected a table, not a number",
            "2:53: migrations[0].renamed_classes[1]: a renamed class needs a \"from\"",
            "2:53: migrations[0].renamed_classes[1]: a renamed class needs a \"to\"",
            "2:57: migrations[0].renamed_classes[2]: a renamed class needs a \"to\"",
        ],
    );
    check(
        r#""migrations": [{ "tag": "a", "new_sqlite_classes": ["C"] }, { "tag": "b", "transferred_classes": [1,
{ "from": "A", "from_script": "b" }, { "from": "A", "from_script": "w", "to": "B" },
{ "from": "A", "from_script": "b", "to": "C" }] }]"#,
        &[
            "2:99: migrations[1].transferred_classes[0]: expected a table, not a number",
            "3:1: migrations[1].transferred_classes[1]: a transferred class needs a \"to\"",
            "3:68: migrations[1].transferred_classes[2].from_script: this is the worker itself; \
             \"renamed_classes\" renames its classes",
            "4:42: migrations[1].transferred_classes[3].to: there is a class \"C\" already",
        ],
    );
}

#[test]
fn a_migration_that_the_ones_before_do_not_allow() {
    check(
        r#""migrations": [
{ "tag": "1", "new_sqlite_classes": ["A", "A"], "new_classes": ["B"] },
{ "tag": "2", "new_sqlite_classes": ["B"] }]"#,
        &[
            "3:43: migrations[0].new_sqlite_classes[1]: there is a class \"A\" already",
            "4:38: migrations[1].new_sqlite_classes[0]: there is a class \"B\" already",
        ],
    );
    check(
        r#""migrations": [{ "tag": "1", "new_sqlite_classes": ["A", "B"] },
{ "tag": "2", "deleted_classes": ["C", "A", "A"] },
{ "tag": "3", "renamed_classes": [{ "from": "A", "to": "D" }, { "from": "B", "to": "E" }] },
{ "tag": "4", "renamed_classes": [{ "from": "B", "to": "F" }, { "from": "E", "to": "D" }] }]"#,
        &[
            "3:35: migrations[1].deleted_classes[0]: there is no class \"C\"",
            "3:45: migrations[1].deleted_classes[2]: there is no class \"A\": migrations[1] deletes it",
            "4:45: migrations[2].renamed_classes[0].from: there is no class \"A\": migrations[1] deletes it",
            "5:45: migrations[3].renamed_classes[0].from: there is no class \"B\": migrations[2] renames it to \"E\"",
            "5:84: migrations[3].renamed_classes[1].to: there is a class \"D\" already",
        ],
    );
    check(
        r#""durable_objects": { "bindings": [{ "name": "X", "class_name": "A" }] },
"migrations": [{ "tag": "1", "new_sqlite_classes": ["A"] }, { "tag": "2", "deleted_classes": ["A"] }]"#,
        &[
            "2:64: durable_objects.bindings[0].class_name: there is no class \"A\": migrations[1] deletes it",
        ],
    );
}
