//! Code becomes one module that does what the sources do.

use outboard_project::{BundleOptions, Mode, ModuleKind};
use sourcemap::SourceMap;

use crate::folder::*;

#[test]
fn typescript_becomes_one_module() {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "import { greet, type Name } from './greet';\n\
             enum Kind { A = 7 }\n\
             export class Other {}\n\
             export default { fetch(): Response { return new Response(greet('x' as Name) + Kind.A); } };\n",
        ),
        (
            "src/greet.ts",
            "export type Name = string;\n\
             export function greet(name: Name): string { return `hello ${name}`; }\n\
             export const unused = 'never called';\n",
        ),
    ]);
    let bundle = folder.bundle();
    assert_eq!(bundle.main, "index.js");
    assert_eq!(bundle.modules.len(), 1);
    assert_eq!(bundle.modules[0].specifier, "index.js");
    assert_eq!(bundle.modules[0].kind, ModuleKind::EsModule);
    assert_eq!(
        bundle.exports,
        Some(vec!["Other".to_owned(), "default".to_owned()])
    );
    assert_eq!(bundle.externals, [""; 0]);
    assert_eq!(bundle.warnings, []);
    assert_contains(
        code(&bundle),
        &["hello ${name}", "export { Other, src_default as default }"],
    );
    assert_lacks(code(&bundle), &["enum", ": string", "never called"]);
}

#[test]
fn nothing_is_written_to_the_folder() {
    let folder = Folder::worker(&[("src/index.ts", "export default {};")]);
    let before = folder.files();
    folder.bundle();
    assert_eq!(folder.files(), before);
}

#[test]
fn every_source_is_watched() {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "import './a'; import t from './t.txt'; import d from '../d.json'; export default { t, d };",
        ),
        ("src/a.ts", "console.log(1);"),
        ("src/t.txt", "t"),
        ("d.json", "{}"),
        ("tsconfig.json", "{}"),
    ]);
    let root = folder.path();
    let expected = [
        "d.json",
        "src/a.ts",
        "src/index.ts",
        "src/t.txt",
        "tsconfig.json",
    ]
    .map(|file| root.join(file));
    assert_eq!(folder.bundle().watch_files, expected);
}

#[test]
fn json_is_inlined() {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "import data, { port } from './d.json'; export default { all: data, port };",
        ),
        ("src/d.json", "{ \"port\": 8123, \"name\": \"json\" }"),
    ]);
    let bundle = folder.bundle();
    assert_eq!(bundle.modules.len(), 1);
    assert_contains(code(&bundle), &["8123", "\"json\""]);
}

#[test]
fn dynamic_imports_are_inlined() {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "export default { async fetch() { return (await import('./lazy')).value; } };",
        ),
        ("src/lazy.ts", "export const value = 'lazily';"),
    ]);
    let bundle = folder.bundle();
    assert_eq!(bundle.modules.len(), 1);
    assert_eq!(bundle.externals, [""; 0]);
    assert_contains(code(&bundle), &["lazily", "Promise.resolve()"]);
    assert_lacks(code(&bundle), &["import("]);
}

#[test]
fn modules_may_import_each_other() {
    let folder = Folder::worker(&[
        (
            "src/index.ts",
            "import { even } from './even'; export default { even };",
        ),
        (
            "src/even.ts",
            "import { odd } from './odd'; export const even = (n: number): boolean => n === 0 || odd(n - 1);",
        ),
        (
            "src/odd.ts",
            "import { even } from './even'; export const odd = (n: number): boolean => n !== 0 && even(n - 1);",
        ),
    ]);
    assert_contains(code(&folder.bundle()), &["odd(n - 1)", "even(n - 1)"]);
}

#[test]
fn modern_syntax_stays() {
    let syntax = [
        "using a = x();",
        "x ||= 1;",
        "x?.y ?? z",
        "static #p = 1;",
        "/[\\p{L}--[a-z]]/v",
        "await using b = x();",
    ];
    let folder = Folder::worker(&[(
        "src/index.ts",
        "let x: any, z: any; class C { static #p = 1; static p() { return this.#p; } }\n\
         export default { async fetch() { using a = x(); await using b = x(); x ||= 1; \
         return [x?.y ?? z, C.p(), /[\\p{L}--[a-z]]/v, a, b]; } };",
    )]);
    assert_contains(code(&folder.bundle()), &syntax);
}

#[test]
fn node_env_is_the_mode() {
    let source = "export default process.env.NODE_ENV === 'production' ? 'is prod' : 'is dev';";
    let folder = Folder::worker(&[("src/index.ts", source)]);
    let bundle = |mode| {
        let options = BundleOptions {
            mode,
            ..BundleOptions::default()
        };
        code(&folder.try_bundle(&options).unwrap()).to_owned()
    };
    assert_contains(&bundle(Mode::Production), &["is prod"]);
    assert_lacks(&bundle(Mode::Production), &["is dev", "process.env"]);
    assert_contains(&bundle(Mode::Development), &["is dev"]);
}

#[test]
fn define_and_alias_replace() {
    let folder = Folder::new(&[
        (
            "wrangler.jsonc",
            &config(
                r#""define": { "VERSION": "\"1.2.3\"", "process.env.NODE_ENV": "\"mine\"" },
               "alias": { "pkg": "./src/shim.ts", "node:fs": "./src/shim.ts", "cf": "cloudflare:workers" }"#,
            ),
        ),
        (
            "src/index.ts",
            "import a from 'pkg'; import * as fs from 'node:fs'; import { env } from 'cf';\n\
             declare const VERSION: string;\n\
             export default { v: VERSION, e: process.env.NODE_ENV, a, fs: fs.default, env };",
        ),
        ("src/shim.ts", "export default 'the shim';"),
    ]);
    let bundle = folder.bundle();
    assert_contains(code(&bundle), &["\"1.2.3\"", "\"mine\"", "the shim"]);
    assert_eq!(bundle.externals, ["cloudflare:workers"]);
}

#[test]
fn tsconfig_paths_resolve() {
    let folder = Folder::worker(&[
        (
            "tsconfig.json",
            r#"{ "compilerOptions": { "paths": { "@/*": ["./src/lib/*"] } } }"#,
        ),
        (
            "src/index.ts",
            "import { x } from '@/x'; import t from '@/t.txt'; export default { x, t };",
        ),
        ("src/lib/x.ts", "export const x = 'by path';"),
        ("src/lib/t.txt", "text"),
    ]);
    let bundle = folder.bundle();
    assert_contains(code(&bundle), &["by path"]);
    assert_eq!(module(&bundle, "-t.txt").content, b"text");
}

#[test]
fn minify_makes_it_smaller_and_keeps_names() {
    let files = [(
        "src/index.ts",
        "function aVeryLongName(anArgument: number) { return [anArgument * 2, aVeryLongName.name]; }\n\
         export default { fetch() { return aVeryLongName(21); } };",
    )];
    let plain = Folder::worker(&files).bundle();
    let folder = Folder::worker(&files);
    folder.write("wrangler.jsonc", config("\"minify\": true").as_bytes());
    let small = folder.bundle();
    assert!(code(&small).len() < code(&plain).len(), "{}", code(&small));
    assert_lacks(code(&small), &["anArgument", "//#region"]);
    assert_contains(code(&small), &["aVeryLongName"]);
}

#[test]
fn the_source_map_leads_back_to_the_line() {
    let source = "// a comment\nimport { boom } from './lib/boom';\n\nexport default {\n  fetch() {\n    boom('here');\n  },\n};\n";
    let folder = Folder::worker(&[
        ("src/index.ts", source),
        (
            "src/lib/boom.ts",
            "type T = string;\n\nexport function boom(where: T) {\n  throw new Error(where);\n}\n",
        ),
    ]);
    let bundle = folder.bundle();
    let map = SourceMap::from_slice(bundle.modules[0].source_map.as_ref().unwrap()).unwrap();
    let check = |token: &str, file: &str, line: u32| {
        let (at, text) = code(&bundle)
            .lines()
            .enumerate()
            .find(|(_, text)| text.contains(token))
            .unwrap();
        let column = text.find(token).unwrap();
        let found = map.lookup_token(at as u32, column as u32).unwrap();
        assert_eq!(
            (found.get_source(), found.get_src_line()),
            (Some(file), line),
            "{token}"
        );
    };
    check("throw new Error", "src/lib/boom.ts", 3);
    check("boom(\"here\")", "src/index.ts", 5);
    let index = map
        .sources()
        .position(|file| file == "src/index.ts")
        .unwrap();
    assert_eq!(map.get_source_contents(index as u32), Some(source));
    assert_lacks(code(&bundle), &["sourceMappingURL"]);
}

#[test]
fn bundling_works_from_every_executor() {
    let folder = Folder::worker(&[("src/index.ts", "export default {};")]);
    let project = folder.project();
    let options = BundleOptions::default();
    let bundling = || outboard_project::bundle(&project, &options);
    let current = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let one = current.block_on(bundling()).unwrap();
    let local = tokio::task::LocalSet::new();
    let two = local.block_on(&current, bundling()).unwrap();
    let (three, four) = current.block_on(async { tokio::join!(bundling(), bundling()) });
    for other in [two, three.unwrap(), four.unwrap()] {
        assert_eq!(one, other);
    }
}

#[test]
fn a_folder_with_an_odd_name_works() {
    let folder = Folder::new(&[
        ("a b's \u{e9}#%/wrangler.jsonc", &config("")),
        (
            "a b's \u{e9}#%/src/index.ts",
            "import './x'; import t from './t.txt'; export default { t };",
        ),
        ("a b's \u{e9}#%/src/x.ts", "console.log('x');"),
        ("a b's \u{e9}#%/src/t.txt", "t"),
    ]);
    let loaded = outboard_project::load(
        &folder.path().join("a b's \u{e9}#%"),
        &outboard_project::LoadOptions::default(),
    );
    let bundle = bundle_blocking(&loaded.unwrap().project, &BundleOptions::default()).unwrap();
    assert_eq!(bundle.modules.len(), 2);
}
