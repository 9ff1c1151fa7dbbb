//! Every fault is one line that names its place and field.

use outboard_project::{Date, DevVars, LoadOptions};

use crate::folder::*;

fn options() -> LoadOptions {
    LoadOptions {
        today: Date::new(2026, 1, 31).unwrap(),
        ..LoadOptions::default()
    }
}

fn folder(name: &str, text: &str) -> Folder {
    Folder::new(&[(name, text), ("src/index.ts", ""), ("src/worker.py", "")])
}

/// Faults of a file, with the temporary folder's path left out.
fn faults(name: &str, text: &str) -> String {
    let folder = folder(name, text);
    match folder.load(&options()) {
        Ok(_) => String::new(),
        Err(errors) => errors
            .to_string()
            .replace(&*folder.path().to_string_lossy(), "ROOT"),
    }
}

/// The faults of one more field in a sound file; its value starts at 1:1 for
/// the eye, since it has a line of its own.
#[track_caller]
pub(crate) fn check(field: &str, expected: &[&str]) {
    let text = format!(
        "{{ \"name\": \"w\", \"main\": \"src/index.ts\", \"compatibility_date\": \"2025-01-01\",\n{field} }}"
    );
    let expected: Vec<_> = expected
        .iter()
        .map(|line| format!("wrangler.jsonc:{line}"))
        .collect();
    assert_eq!(
        faults("wrangler.jsonc", &text),
        expected.join("\n"),
        "{field}"
    );
}

#[track_caller]
pub(crate) fn check_warnings(field: &str, expected: &[&str]) {
    let text = format!(
        "{{ \"name\": \"w\", \"main\": \"src/index.ts\", \"compatibility_date\": \"2025-01-01\",\n{field} }}"
    );
    let loaded = folder("wrangler.jsonc", &text).load(&options()).unwrap();
    let expected: Vec<_> = expected
        .iter()
        .map(|line| format!("wrangler.jsonc:{line}"))
        .collect();
    let found: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected, "{field}");
}

#[test]
fn wrong_types() {
    check(
        r#""minify": "yes""#,
        &["2:11: minify: expected true or false, not a string"],
    );
    check(
        r#""minify": null"#,
        &["2:11: minify: expected true or false, not null"],
    );
    check(
        r#""compatibility_flags": "a""#,
        &["2:24: compatibility_flags: expected a list, not a string"],
    );
    check(
        r#""compatibility_flags": ["a", 1]"#,
        &["2:30: compatibility_flags[1]: expected a string, not a number"],
    );
    check(
        r#""vars": []"#,
        &["2:9: vars: expected a table, not a list"],
    );
    check(
        r#""define": { "A": 1 }"#,
        &["2:18: define.A: expected a string, not a number"],
    );
    check(
        r#""alias": { "A": {} }"#,
        &["2:17: alias.A: expected a string, not a table"],
    );
    check(r#""dev": 1"#, &["2:8: dev: expected a table, not a number"]);
    check(
        r#""dev": { "port": "80" }"#,
        &["2:18: dev.port: expected a number, not a string"],
    );
    check(
        r#""dev": { "port": 65536 }"#,
        &["2:18: dev.port: expected a whole number from 0 to 65535, not 65536"],
    );
    check(
        r#""dev": { "port": 1.5 }"#,
        &["2:18: dev.port: expected a whole number from 0 to 65535, not 1.5"],
    );
    check(
        r#""dev": { "port": -1 }"#,
        &["2:18: dev.port: expected a whole number from 0 to 65535, not -1"],
    );
    check(r#""dev": { "port": 80.0 }"#, &[]);
    check(
        r#""dev": { "local_protocol": "ftp" }"#,
        &["2:28: dev.local_protocol: expected \"http\" or \"https\", not \"ftp\""],
    );
    check(
        r#""limits": { "cpu_ms": 0 }"#,
        &["2:23: limits.cpu_ms: expected a whole number from 1 to 4294967295, not 0"],
    );
    check(r#""env": []"#, &["2:8: env: expected a table, not a list"]);
    check(
        r#""secrets": { "required": 1 }"#,
        &["2:26: secrets.required: expected a list, not a number"],
    );
    check(
        r#""jsx_factory": "a b""#,
        &[
            "2:16: jsx_factory: expected a name such as \"h\" or \"React.createElement\", not \"a b\"",
        ],
    );
    check(
        r#""tsconfig": "no.json""#,
        &["2:13: tsconfig: there is no \"no.json\" in ROOT"],
    );
    check(
        r#""base_dir": "src/index.ts""#,
        &["2:13: base_dir: \"src/index.ts\" is not a folder"],
    );
}

#[test]
fn tables_and_lists() {
    check(
        r#""define": { "a b": "1" }"#,
        &["2:13: define.a b: expected a name such as VERSION or process.env.MODE on the left"],
    );
    check(
        r#""define": { "A": "two words" }"#,
        &[r#"2:18: define.A: expected JSON or a name; to define a string write "\"two words\"""#],
    );
    check(
        r#""define": { "A": "\"text\"", "B.C": "other.name", "D": "{\"x\": [1]}", "E": "-1.5" }"#,
        &[],
    );
    check(
        r#""alias": { "A": "" }"#,
        &["2:17: alias.A: expected a module or a file, not an empty string"],
    );
    check(
        r#""rules": [{}]"#,
        &[
            "2:11: rules[0]: a rule needs a \"type\"",
            "2:11: rules[0]: a rule needs \"globs\"",
        ],
    );
    check(
        r#""rules": [{ "type": "Txt", "globs": [] }]"#,
        &[
            "2:21: rules[0].type: expected \"ESModule\", \"CommonJS\", \"CompiledWasm\", \"Text\", \"Data\", \
         \"PythonModule\" or \"PythonRequirement\", not \"Txt\"",
        ],
    );
    check(
        r#""rules": [{ "type": "PythonModule", "globs": [] }]"#,
        &["2:21: rules[0].type: Outboard does not serve Python yet"],
    );
    check(
        r#""routes": [1]"#,
        &["2:12: routes[0]: expected a string or a table, not a number"],
    );
    check(
        r#""routes": [""]"#,
        &["2:12: routes[0]: a pattern cannot be empty"],
    );
    check(
        r#""routes": [{}]"#,
        &["2:12: routes[0]: a route needs a \"pattern\""],
    );
    check(
        r#""routes": [{ "pattern": "*.a.com", "custom_domain": true }]"#,
        &["2:25: routes[0].pattern: a custom domain is one host; it cannot hold \"*\""],
    );
    check(
        r#""routes": [{ "pattern": "a.com/x", "custom_domain": true }]"#,
        &["2:25: routes[0].pattern: a custom domain is one host; it cannot hold a path"],
    );
    check(
        r#""routes": [{ "pattern": "a.com/x", "zone_id": "1", "zone_name": "a.com" }]"#,
        &["2:12: routes[0]: give either \"zone_id\" or \"zone_name\", not both"],
    );
    check(
        r#""route": "a.com/*", "routes": []"#,
        &["2:1: route: give either \"route\" or \"routes\", not both"],
    );
    check(
        r#""triggers": { "crons": ["* * *"] }"#,
        &[
            "2:25: triggers.crons[0]: a cron expression has five parts (minute hour day month weekday), not 3",
        ],
    );
}

#[test]
fn the_workers_identity() {
    let check =
        |text: &str, expected: &str| assert_eq!(faults("wrangler.jsonc", text), expected, "{text}");
    check(
        "{}",
        "wrangler.jsonc: main: required: the worker's entry file, e.g. \"src/index.ts\"",
    );
    check(
        r#"{ "main": "src/none.ts" }"#,
        "wrangler.jsonc:1:11: main: there is no \"src/none.ts\" in ROOT",
    );
    check(
        r#"{ "main": "src" }"#,
        "wrangler.jsonc:1:11: main: \"src\" is not a file",
    );
    check(
        r#"{ "main": "" }"#,
        "wrangler.jsonc:1:11: main: the path is empty",
    );
    check(
        r#"{ "main": "src/worker.py" }"#,
        "wrangler.jsonc:1:11: main: Outboard does not serve Python yet",
    );
    for name in ["My-Worker", "a b", "-a", "", "w\u{f6}rker"] {
        check(
            &format!(r#"{{ "main": "src/index.ts", "name": "{name}" }}"#),
            &format!(
                "wrangler.jsonc:1:35: name: expected lower-case letters, digits, \"-\" and \"_\", \
                 not starting with \"-\"; not \"{name}\""
            ),
        );
    }
    let date =
        |date: &str| format!(r#"{{ "main": "src/index.ts", "compatibility_date": {date} }}"#);
    check(
        &date("\"2025-13-01\""),
        "wrangler.jsonc:1:49: compatibility_date: expected a date such as \"2026-01-31\", not \"2025-13-01\"",
    );
    check(
        &date("\"2026-02-02\""),
        "wrangler.jsonc:1:49: compatibility_date: 2026-02-02 is in the future; today is 2026-01-31",
    );
    check(&date("\"2026-02-01\""), "");
    check(
        &date("20250101"),
        "wrangler.jsonc:1:49: compatibility_date: expected a string, not a number",
    );
}

#[test]
fn toml_has_the_same_faults_and_its_own() {
    let check = |text: &str, expected: &str| {
        let text = format!("name = 'w'\nmain = 'src/index.ts'\n{text}");
        assert_eq!(faults("wrangler.toml", &text), expected, "{text}");
    };
    let sound = "compatibility_date = '2025-01-01'\n";
    check(
        "compatibility_date = 2025-01-01",
        "wrangler.toml:3:22: compatibility_date: expected a string, not a date; write \"2025-01-01\" in quotes",
    );
    check(
        &format!("{sound}[vars]\nWHEN = 2025-01-01\nPORT = 1"),
        "wrangler.toml:5:8: vars.WHEN: a var cannot hold a TOML date; put it in quotes",
    );
    check(
        &format!("{sound}[dev]\nport = 'x'"),
        "wrangler.toml:5:8: dev.port: expected a number, not a string",
    );
    check(
        &format!("{sound}[[vectorize]]\nbinding = 'V'"),
        "wrangler.toml:4:3: vectorize: Outboard does not serve vectorize yet",
    );
    check("name = 'x'", "wrangler.toml:3:1: duplicate key");
}

#[test]
fn what_is_not_served_is_refused_by_name() {
    for name in [
        "ai",
        "browser",
        "vectorize",
        "hyperdrive",
        "workflows",
        "containers",
        "assets",
        "site",
        "pipelines",
        "mtls_certificates",
        "dispatch_namespaces",
        "analytics_engine_datasets",
        "send_email",
        "unsafe",
        "secrets_store_secrets",
        "ratelimits",
        "version_metadata",
        "images",
        "vpc_services",
        "logfwdr",
    ] {
        let expected = format!("2:1: {name}: Outboard does not serve {name} yet");
        check(&format!(r#""{name}": {{ "binding": "X" }}"#), &[&expected]);
        check(&format!(r#""{name}": []"#), &[]);
    }
    check(
        r#""build": { "command": "npm run build" }"#,
        &[
            "2:1: build: Outboard does not run custom build commands; run it before Outboard, \
         and let `main` name what it writes",
        ],
    );
    check(r#""build": { "watch_dir": "src" }"#, &[]);
    check(
        r#""pages_build_output_dir": "dist""#,
        &[
            "2:1: pages_build_output_dir: Outboard serves Workers, not Pages projects; \
         let `main` name the worker's entry file",
        ],
    );
    check(
        r#""wasm_modules": { "A": "a.wasm" }"#,
        &[
            "2:1: wasm_modules: belongs to the old service-worker format; \
         import the file in the worker's code instead",
        ],
    );
    check(
        r#""node_compat": true"#,
        &[
            "2:1: node_compat: wrangler 4 removed it; add \"nodejs_compat\" to `compatibility_flags` instead",
        ],
    );
}

#[test]
fn warnings() {
    check_warnings(
        r#""compatability_flags": []"#,
        &["2:1: compatability_flags: unknown field; did you mean \"compatibility_flags\"?"],
    );
    check_warnings(
        r#""banana": 1"#,
        &["2:1: banana: unknown field; it has no effect"],
    );
    check_warnings(
        r#""dev": { "prot": 1 }"#,
        &["2:10: dev.prot: unknown field; did you mean \"port\"?"],
    );
    check_warnings(r#""env": { "a": { "banana": 1 } }"#, &[]);
    check_warnings(
        r#""legacy_env": true"#,
        &["2:1: legacy_env: has no effect: an environment is always a worker of its own"],
    );
    check_warnings(r#""compatibility_flags": ["nodejs_compat"]"#, &[]);
    check_warnings(
        r#""compatibility_flags": ["minimal_subrequests"]"#,
        &[
            "2:25: compatibility_flags[0]: \"minimal_subrequests\" has no effect: Outboard does not offer the network in front of a worker",
        ],
    );
    check_warnings(
        r#""$schema": "x", "account_id": "x", "logpush": true, "observability": {}, "placement": { "mode": "smart" },
           "send_metrics": false, "keep_vars": true, "preview_urls": false, "workers_dev": false"#,
        &[],
    );
}

#[test]
fn what_is_missing_is_guessed_and_said() {
    let folder = folder("wrangler.jsonc", r#"{ "main": "src/index.ts" }"#);
    let loaded = folder.load(&options()).unwrap();
    assert_eq!(loaded.project.compatibility_date.to_string(), "2026-01-31");
    let name = loaded.project.name;
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings, [
        format!("wrangler.jsonc: name: not given; using the folder's, \"{name}\""),
        "wrangler.jsonc: compatibility_date: not given; using today's, \"2026-01-31\", which will change".to_owned(),
    ]);
}

#[test]
fn all_faults_are_listed_in_the_order_of_the_file() {
    let text = "{\n  \"minify\": 1,\n  \"dev\": { \"port\": 70000, \"ip\": 2 },\n  \"vectorize\": [1],\n  \"name\": \"A\"\n}";
    assert_eq!(
        faults("wrangler.jsonc", text),
        "wrangler.jsonc: main: required: the worker's entry file, e.g. \"src/index.ts\"\n\
         wrangler.jsonc:2:13: minify: expected true or false, not a number\n\
         wrangler.jsonc:3:20: dev.port: expected a whole number from 0 to 65535, not 70000\n\
         wrangler.jsonc:3:33: dev.ip: expected a string, not a number\n\
         wrangler.jsonc:4:3: vectorize: Outboard does not serve vectorize yet\n\
         wrangler.jsonc:5:11: name: expected lower-case letters, digits, \"-\" and \"_\", \
         not starting with \"-\"; not \"A\""
    );
}

#[test]
fn files_that_cannot_be_read() {
    let folder = Folder::new(&[]);
    let check = |expected: &str| {
        let printed = folder.load(&options()).unwrap_err().to_string();
        assert_eq!(
            printed.replace(&*folder.path().to_string_lossy(), "ROOT"),
            expected
        );
    };
    check("there is no wrangler.jsonc, wrangler.json or wrangler.toml in ROOT");
    folder.write("wrangler.jsonc", b"{\n \"a\": \"\xff\" }");
    check("wrangler.jsonc:2:8: the file cannot be read: it is not UTF-8 text");
    folder.write("wrangler.jsonc", &vec![b' '; (1 << 20) + 1]);
    check("wrangler.jsonc: the file cannot be read: it is larger than 1 MiB");
    folder.write("wrangler.jsonc", b"{ \"a\" }");
    check("wrangler.jsonc:1:7: expected colon after the string or word in object property");
    folder.write("wrangler.jsonc", "\u{feff}{}".as_bytes());
    check("wrangler.jsonc: main: required: the worker's entry file, e.g. \"src/index.ts\"");
}

#[test]
fn faults_of_dev_vars_come_with_the_others() {
    let folder = Folder::worker(&[
        ("wrangler.jsonc", &config("\"minify\": 1")),
        ("src/index.ts", ""),
        (".dev.vars", "A=1\nhunter2"),
    ]);
    let options = LoadOptions {
        dev_vars: DevVars::Read,
        ..options()
    };
    let printed = folder.load(&options).unwrap_err().to_string();
    assert_contains(
        &printed,
        &[".dev.vars:2:8: expected `=` after the name\nwrangler.jsonc:1:"],
    );
    assert_lacks(&printed, &["hunter2"]);
}
