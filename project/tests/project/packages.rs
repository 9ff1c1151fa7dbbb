//! npm packages resolve as they do for wrangler.

use crate::folder::*;

/// A worker that imports `package`, which has the given package.json.
fn worker(package_json: &str, files: &[(&str, &str)]) -> Folder {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "import value from 'pkg'; export default { value };",
        ),
        ("node_modules/pkg/package.json", package_json),
    ]);
    for (path, content) in files {
        folder.write(&format!("node_modules/pkg/{path}"), content.as_bytes());
    }
    folder
}

#[test]
fn conditions_of_exports() {
    let check = |exports: &str, expected: &str| {
        let folder = worker(
            &format!(r#"{{ "name": "pkg", "exports": {{ ".": {exports} }} }}"#),
            &[
                ("a.js", "export default 'chose a';"),
                ("b.js", "export default 'chose b';"),
            ],
        );
        assert_contains(code(&folder.bundle()), &[expected]);
    };
    for condition in [
        "workerd", "worker", "browser", "import", "module", "default",
    ] {
        check(
            &format!(r#"{{ "node": "./b.js", "{condition}": "./a.js", "require": "./b.js" }}"#),
            "chose a",
        );
    }
    check(r#"{ "import": "./a.js", "workerd": "./b.js" }"#, "chose a");
    check(
        r#"{ "deno": "./b.js", "bun": "./b.js", "worker": { "import": "./a.js" } }"#,
        "chose a",
    );
    check(r#""./a.js""#, "chose a");
}

#[test]
fn require_takes_the_require_condition() {
    let folder = worker(
        r#"{ "name": "pkg", "exports": { "import": "./a.mjs", "require": "./b.cjs" } }"#,
        &[
            ("a.mjs", "export default 'esm';"),
            ("b.cjs", "module.exports = 'common';"),
        ],
    );
    folder.write(
        "src/index.ts",
        b"import value from './c.cjs'; export default { value };",
    );
    folder.write("src/c.cjs", b"module.exports = require('pkg');");
    assert_contains(code(&folder.bundle()), &["common"]);
}

#[test]
fn main_fields() {
    let check = |fields: &str, expected: &str| {
        let folder = worker(
            &format!(r#"{{ "name": "pkg", {fields} }}"#),
            &[
                ("browser.js", "export default 'chose browser';"),
                ("module.js", "export default 'chose module';"),
                ("main.js", "module.exports = 'chose main';"),
            ],
        );
        assert_contains(code(&folder.bundle()), &[expected]);
    };
    check(r#""main": "main.js""#, "chose main");
    check(
        r#""main": "main.js", "module": "module.js""#,
        "chose module",
    );
    check(
        r#""main": "main.js", "module": "module.js", "browser": "browser.js""#,
        "chose browser",
    );
    check(
        r#""main": "main.js", "browser": { "./main.js": "./browser.js" }"#,
        "chose browser",
    );
}

#[test]
fn a_branch_on_node_env_loads_one_side_only() {
    let folder = worker(
        r#"{ "name": "pkg", "main": "index.js" }"#,
        &[
            (
                "index.js",
                "if (process.env.NODE_ENV === 'production') { module.exports = require('./prod.js'); }\n\
             else { module.exports = require('./missing-dev-build.js'); }",
            ),
            ("prod.js", "module.exports = 'the production build';"),
        ],
    );
    let bundle = folder.bundle();
    assert_contains(code(&bundle), &["the production build"]);
    assert_lacks(code(&bundle), &["missing-dev-build"]);
}

#[test]
fn packages_may_use_node_builtins_and_shadow_them() {
    let folder = worker(
        r#"{ "name": "pkg", "main": "index.js" }"#,
        &[(
            "index.js",
            "const events = require('events'); const { join } = require('node:path');\n\
         const punycode = require('punycode');\n\
         module.exports = class extends events { join = join; toASCII = punycode.toASCII; };",
        )],
    );
    folder.write(
        "node_modules/punycode/package.json",
        br#"{ "name": "punycode", "main": "p.js" }"#,
    );
    folder.write(
        "node_modules/punycode/p.js",
        b"exports.toASCII = () => 'from the package';",
    );
    let bundle = folder.bundle();
    assert_eq!(bundle.externals, ["node:events", "node:path"]);
    assert_contains(code(&bundle), &["from \"node:events\"", "from the package"]);
    assert_lacks(code(&bundle), &["__require"]);
    let warnings: Vec<_> = bundle.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "\"node:events\" is imported; add \"nodejs_compat\" to `compatibility_flags` for it",
            "\"node:path\" is imported; add \"nodejs_compat\" to `compatibility_flags` for it",
        ]
    );
}

#[test]
fn the_runtimes_modules_stay_imports() {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "import { DurableObject } from 'cloudflare:workers';\n\
             import c from './c.cjs';\n\
             export default { async fetch() { return (await import('cloudflare:sockets')).connect; }, c };\n\
             export class D extends DurableObject {}",
        ),
        (
            "src/c.cjs",
            "module.exports = require('cloudflare:email').EmailMessage;",
        ),
    ]);
    let bundle = folder.bundle();
    assert_eq!(
        bundle.externals,
        [
            "cloudflare:email",
            "cloudflare:sockets",
            "cloudflare:workers"
        ]
    );
    assert_contains(
        code(&bundle),
        &[
            "import { DurableObject } from \"cloudflare:workers\"",
            "import(\"cloudflare:sockets\")",
            "import * as value from \"cloudflare:email\"",
        ],
    );
    assert_eq!(bundle.warnings, []);
}

#[test]
fn a_linked_package_is_found() {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "import value from 'linked'; export default { value };",
        ),
        (
            "packages/linked/package.json",
            r#"{ "name": "linked", "main": "index.ts" }"#,
        ),
        (
            "packages/linked/index.ts",
            "export default 'linked in' as string;",
        ),
        ("node_modules/.keep", ""),
    ]);
    let link = folder.path().join("node_modules/linked");
    std::os::unix::fs::symlink(folder.path().join("packages/linked"), link).unwrap();
    let bundle = folder.bundle();
    assert_contains(code(&bundle), &["linked in"]);
    assert!(
        bundle
            .watch_files
            .contains(&folder.path().join("packages/linked/index.ts"))
    );
}
