//! The names that `env` has SQL databases by.

use outboard_project::{D1Database, LoadOptions};

use crate::faults::{check, check_warnings};
use crate::folder::*;

#[test]
fn databases_are_read() {
    let config = config(
        r#""d1_databases": [
             { "binding": "A", "database_name": "named", "database_id": "1-2",
               "preview_database_id": "3", "migrations_table": "done",
               "migrations_dir": "./db/sql/", "migrations_pattern": "db/sql/*/migration.sql" },
             { "binding": "B_C", "database_name": "named" },
             { "binding": "B_D", "remote": false }]"#,
    );
    let folder = Folder::worker(&[("wrangler.jsonc", &config), ("src/index.ts", "")]);
    let project = folder.load(&LoadOptions::default()).unwrap().project;
    let database = |binding: &str, id: &str, name: Option<&str>| D1Database {
        binding: binding.into(),
        id: id.into(),
        name: name.map(Into::into),
        migrations_dir: project.root.join("migrations"),
        migrations_pattern: "*.sql".into(),
        migrations_table: "d1_migrations".into(),
    };
    let first = D1Database {
        migrations_dir: project.root.join("db/sql"),
        migrations_pattern: "*/migration.sql".into(),
        migrations_table: "done".into(),
        ..database("A", "1-2", Some("named"))
    };
    let expected = [
        first,
        database("B_C", "named", Some("named")),
        database("B_D", "w-b-d", None),
    ];
    assert_eq!(project.d1_databases, expected);
}

#[test]
fn faults_are_named() {
    check(
        r#""vars": { "A": "1" }, "d1_databases": [{ "binding": "A" }]"#,
        &["2:53: d1_databases[0].binding: \"A\" is the name of vars.A too"],
    );
    check(
        r#""d1_databases": [{ "database_id": "A" }]"#,
        &["2:18: d1_databases[0]: a database needs a \"binding\""],
    );
    check(
        r#""d1_databases": [{ "binding": "A", "database_id": "" }]"#,
        &["2:51: d1_databases[0].database_id: expected a name, not an empty string"],
    );
    check(
        r#""d1_databases": [{ "binding": "A", "remote": true }]"#,
        &["2:46: d1_databases[0].remote: Outboard keeps databases itself alone"],
    );
    check(
        r#""d1_databases": [{ "binding": "A", "migrations_pattern": "sql/*.sql" }]"#,
        &[
            "2:58: d1_databases[0].migrations_pattern: needs a \"migrations_dir\" that it begins with",
        ],
    );
    check(
        r#""d1_databases": [{ "binding": "A", "migrations_dir": "db", "migrations_pattern": "sql/*.sql" }]"#,
        &[
            "2:82: d1_databases[0].migrations_pattern: must begin with the folder of \"migrations_dir\": \"db/\"",
        ],
    );
    check_warnings(
        r#""d1_databases": [{ "binding": "A", "database_naem": "x" }]"#,
        &["2:36: d1_databases[0].database_naem: unknown field; did you mean \"database_name\"?"],
    );
}
