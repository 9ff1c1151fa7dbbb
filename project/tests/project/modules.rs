//! Files that are no code become modules of their own.

use outboard_project::ModuleKind;

use crate::folder::*;

fn listed(bundle: &outboard_project::Bundle) -> Vec<(&str, ModuleKind)> {
    bundle
        .modules
        .iter()
        .map(|module| (module.specifier.as_str(), module.kind))
        .collect()
}

#[test]
fn default_rules_are_wranglers() {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "import wasm from './lib/add.wasm';\n\
             import again from './lib/add.wasm?module';\n\
             import text from '../README.txt';\n\
             import page from './page.html';\n\
             import sql from './schema.sql';\n\
             import bin from './data.bin';\n\
             export default { wasm, again, text, page, sql, bin };",
        ),
        ("README.txt", "read me"),
        ("src/page.html", "<p>"),
        ("src/schema.sql", "SELECT 1"),
    ]);
    folder.write("src/lib/add.wasm", b"\0asm\x01\0\0\0");
    folder.write("src/data.bin", &[0, 255, 128]);
    let bundle = folder.bundle();
    assert_eq!(
        listed(&bundle),
        [
            ("index.js", ModuleKind::EsModule),
            ("347b54b8-README.txt", ModuleKind::Text),
            ("42364a01-schema.sql", ModuleKind::Text),
            ("63ada55c-page.html", ModuleKind::Text),
            ("c6006650-add.wasm", ModuleKind::Wasm),
            ("e4bc8a01-data.bin", ModuleKind::Data),
        ]
    );
    assert_eq!(module(&bundle, "data.bin").content, [0, 255, 128]);
    assert_eq!(module(&bundle, "README.txt").content, b"read me");
    assert_contains(code(&bundle), &["from \"./c6006650-add.wasm\""]);
    assert_eq!(bundle.externals, [""; 0]);
}

#[test]
fn configured_rules_come_first() {
    let rules = r#""rules": [{ "type": "Text", "globs": ["**/*.md", "prompts/*.json"], "fallthrough": true },
                             { "type": "Data", "globs": ["*.onnx"] }]"#;
    let folder = Folder::new(&[
        ("wrangler.jsonc", &config(rules)),
        (
            "src/index.ts",
            "import md from './a.md'; import prompt from '../prompts/p.json'; import txt from './b.txt';\n\
             import model from './deep/m.onnx'; import data from './d.json';\n\
             export default { md, prompt, txt, model, data };",
        ),
        ("src/a.md", "# a"),
        ("src/b.txt", "b"),
        ("src/d.json", "{ \"inlined\": true }"),
        ("src/deep/m.onnx", "onnx"),
        ("prompts/p.json", "{}"),
    ]);
    let bundle = folder.bundle();
    let kinds: Vec<_> = listed(&bundle)
        .into_iter()
        .map(|(name, kind)| (name.split_once('-').map_or(name, |(_, name)| name), kind))
        .collect();
    for expected in [
        ("a.md", ModuleKind::Text),
        ("b.txt", ModuleKind::Text),
        ("m.onnx", ModuleKind::Data),
        ("p.json", ModuleKind::Text),
    ] {
        assert!(kinds.contains(&expected), "{expected:?} in {kinds:?}");
    }
    assert_eq!(kinds.len(), 5);
    assert_contains(code(&bundle), &["inlined"]);
}

#[test]
fn files_of_packages_and_of_the_same_name_are_told_apart() {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "import a from './a/x.txt'; import b from './b/x.txt'; import c from 'pkg/x.txt';\n\
             export default { a, b, c };",
        ),
        ("src/a/x.txt", "one"),
        ("src/b/x.txt", "two"),
        ("node_modules/pkg/package.json", r#"{ "name": "pkg" }"#),
        ("node_modules/pkg/x.txt", "one"),
    ]);
    let bundle = folder.bundle();
    assert_eq!(bundle.modules.len(), 3);
}

#[test]
fn names_are_kept_when_asked() {
    let folder = Folder::new(&[
        ("wrangler.jsonc", &config(r#""preserve_file_names": true"#)),
        (
            "src/index.ts",
            "import t from './deep/t.txt'; export default { t };",
        ),
        ("src/deep/t.txt", "t"),
    ]);
    let bundle = folder.bundle();
    assert_eq!(listed(&bundle)[1], ("deep/t.txt", ModuleKind::Text));
    assert_contains(code(&bundle), &["from \"./deep/t.txt\""]);
}

#[test]
fn kept_names_start_at_the_base_folder() {
    let folder = Folder::new(&[
        (
            "wrangler.jsonc",
            &config(r#""preserve_file_names": true, "base_dir": ".""#),
        ),
        (
            "src/index.ts",
            "import t from './t.txt'; import up from '../up.txt'; export default { t, up };",
        ),
        ("src/t.txt", "t"),
        ("up.txt", "up"),
    ]);
    let bundle = folder.bundle();
    assert_eq!(bundle.main, "src/index.js");
    assert_eq!(
        listed(&bundle)[1..],
        [
            ("src/t.txt", ModuleKind::Text),
            ("up.txt", ModuleKind::Text),
        ]
    );
    assert_contains(code(&bundle), &["from \"./t.txt\"", "from \"../up.txt\""]);
}

#[test]
fn require_gives_what_the_module_is() {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "import c from './c.cjs'; export default { c };",
        ),
        ("src/c.cjs", "module.exports = require('./t.txt').length;"),
        ("src/t.txt", "t"),
    ]);
    let bundle = folder.bundle();
    assert_eq!(bundle.modules.len(), 2);
    assert_contains(code(&bundle), &["import value from \"./8efd86fb-t.txt\""]);
    assert_lacks(code(&bundle), &["__require"]);
}

#[test]
fn a_dynamic_import_of_a_module_stays_one() {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "export default { load: () => import('./m.wasm') };",
        ),
        ("src/m.wasm", "\0asm"),
    ]);
    let bundle = folder.bundle();
    assert_eq!(bundle.modules.len(), 2);
    assert_contains(code(&bundle), &["import(\"./1340712d-m.wasm\")"]);
}

#[test]
fn additional_modules_keep_their_places() {
    let fields = r#""find_additional_modules": true, "base_dir": ".",
                    "rules": [{ "type": "ESModule", "globs": ["src/lang/*.js"] }]"#;
    let folder = Folder::new(&[
        ("wrangler.jsonc", &config(fields)),
        (
            "src/index.ts",
            "import { hi } from './lib/hi'; import t from './t.txt';\n\
             export default { hi, t, load: (name: string) => import(`./lang/${name}.js`) };",
        ),
        (
            "src/lib/hi.ts",
            "import en from '../lang/en.js'; export const hi = en;",
        ),
        ("src/lang/en.js", "export default 'hello';"),
        ("src/lang/de.js", "export default 'hallo';"),
        ("src/t.txt", "t"),
        ("node_modules/pkg/x.txt", "not mine"),
        (".secret/x.txt", "not mine either"),
    ]);
    let bundle = folder.bundle();
    assert_eq!(bundle.main, "src/index.js");
    assert_eq!(
        listed(&bundle),
        [
            ("src/index.js", ModuleKind::EsModule),
            ("src/lang/de.js", ModuleKind::EsModule),
            ("src/lang/en.js", ModuleKind::EsModule),
            ("src/t.txt", ModuleKind::Text),
        ]
    );
    assert_contains(
        code(&bundle),
        &[
            "from \"./lang/en.js\"",
            "from \"./t.txt\"",
            "import(`./lang/${name}.js`)",
        ],
    );
    assert_lacks(code(&bundle), &["hello"]);
}

#[test]
fn without_bundling_files_are_taken_as_they_are() {
    let fields = r#""no_bundle": true, "rules": [{ "type": "ESModule", "globs": ["**/*.js"] }]"#;
    let source = "import a from './lib/a.js';\nexport default { a };\n";
    let folder = Folder::new(&[
        (
            "wrangler.jsonc",
            &config(fields).replace("index.ts", "index.js"),
        ),
        ("src/index.js", source),
        ("src/lib/a.js", "export default 1;"),
        ("src/lib/ignored.md", "#"),
    ]);
    let bundle = folder.bundle();
    assert_eq!(
        listed(&bundle),
        [
            ("index.js", ModuleKind::EsModule),
            ("lib/a.js", ModuleKind::EsModule),
        ]
    );
    assert_eq!(code(&bundle), source);
    assert_eq!(bundle.exports, None);
}
