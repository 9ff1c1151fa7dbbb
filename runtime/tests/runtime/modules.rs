//! Kinds of modules, and compatibility flags, as a script sees them.

use outboard_runtime::{Compatibility, EventError, Module, ModuleKind, StartError, WorkerSpec};

use crate::support::*;

fn module(specifier: &str, kind: ModuleKind, content: &str) -> Module {
    Module {
        specifier: specifier.into(),
        kind,
        content: content.into(),
        named_exports: Vec::new(),
        source_map: None,
    }
}

/// What a worker with these modules beside its main one answers to `/`.
fn answer(main: &str, change: impl FnOnce(&mut WorkerSpec)) -> String {
    let bench = Bench::new();
    let worker = worker_with(main, change);
    match bench.get(&worker, "/") {
        Ok((_, body)) => body,
        Err(error) => format!("{error}"),
    }
}

#[test]
fn common_js_requires_modules_of_every_kind() {
    let main = r#"
        import entry, { named, absent } from "lib/entry.cjs";
        import text from "note.txt";
        export default {
          fetch() {
            return Response.json({ ...entry, named, absent: `${absent}`, same: entry.text === text });
          },
        };
    "#;
    let body = answer(main, |spec| {
        let mut entry = module(
            "lib/entry.cjs",
            ModuleKind::CommonJs,
            r#"
            "use strict";
            const a = require("./a.cjs");
            const failed = (() => {
              try { require("./nothing.cjs"); } catch (error) { return `${error}`; }
            })();
            const left = (() => {
              try { require("../../x"); } catch (error) { return `${error}`; }
            })();
            module.exports = {
              named: "by name",
              cycle: a.seen,
              text: require("../note.txt"),
              json: require("../data.json").answer,
              es: require("../es.js"),
              builtin: typeof require("cloudflare:workers"),
              failed, left,
              file: [__filename, __dirname, typeof exports, this === undefined],
            };
            "#,
        );
        entry.named_exports = vec!["named".into(), "absent".into()];
        spec.modules.extend([
            entry,
            module(
                "lib/a.cjs",
                ModuleKind::CommonJs,
                "exports.early = 1; exports.seen = require('./b.cjs').early;",
            ),
            module(
                "lib/b.cjs",
                ModuleKind::CommonJs,
                "exports.early = require('./a.cjs').early;",
            ),
            module("note.txt", ModuleKind::Text, "a note"),
            module("data.json", ModuleKind::Json, r#"{ "answer": 42 }"#),
            module(
                "es.js",
                ModuleKind::EsModule,
                "export default 'default of es';",
            ),
        ]);
    });
    let expected = [
        r#""cycle":1"#,
        r#""text":"a note""#,
        r#""json":42"#,
        r#""es":"default of es""#,
        r#""failed":"Error: No such module \"./nothing.cjs\"."#,
        r#""left":"TypeError: Invalid module specifier \"../../x\"."#,
        r#""file":["/lib/entry.cjs","/lib","object",true]"#,
        r#"{"named":"by name","#,
        r#""absent":"undefined","same":true}"#,
    ];
    for part in expected {
        assert!(body.contains(part), "{part} in {body}");
    }
}

#[test]
fn a_module_that_waits_cannot_be_required() {
    let main = r#"
        import entry from "entry.cjs";
        export default { fetch: () => new Response(entry) };
    "#;
    let body = answer(main, |spec| {
        spec.modules.extend([
            module(
                "entry.cjs",
                ModuleKind::CommonJs,
                "try { require('./late.js') } catch (error) { module.exports = `${error}` }",
            ),
            module(
                "late.js",
                ModuleKind::EsModule,
                "await 1; export default 1;",
            ),
        ]);
    });
    assert_eq!(
        body,
        "Error: Top-level await in module is not permitted at this time."
    );
}

#[test]
fn a_module_of_the_bundle_takes_the_place_of_one_of_nodes() {
    let main = r#"
        import fs from "node:fs";
        const path = (await import("node:path")).default;
        const sockets = await import("cloudflare:sockets");
        export default {
          fetch: () => Response.json([
            fs,
            path,
            typeof process.getBuiltinModule("node:path").join,
            process.getBuiltinModule("cloudflare:sockets") === sockets,
          ]),
        };
    "#;
    let body = answer(main, |spec| {
        spec.compatibility = Compatibility::new("2026-04-01", &["nodejs_compat"]).expect("known");
        spec.modules.extend([
            module("node:fs", ModuleKind::EsModule, "export default 1;"),
            module("node:path", ModuleKind::EsModule, "export default 2;"),
        ]);
    });
    assert_eq!(body, r#"[1,2,"function",true]"#);
}

#[test]
fn modules_of_the_new_registry_are_files_of_a_bundle() {
    let main = r#"
        import { url, fail } from "lib/helper";
        import cjs from "cjs";
        const frame = (act) => { try { act(); } catch (error) { return error.stack.split("at ")[1].trim(); } };
        export default {
          fetch: () => Response.json([import.meta.url, url, cjs.value, frame(fail), frame(cjs.fail)]),
        };
    "#;
    let body = answer(main, |spec| {
        let flags = ["nodejs_compat", "new_module_registry"];
        spec.compatibility = Compatibility::new("2026-04-01", &flags).expect("known");
        spec.modules.extend([
            module(
                "lib/helper",
                ModuleKind::EsModule,
                "export const { url } = import.meta; export function fail() { throw new Error('one'); }",
            ),
            module(
                "cjs",
                ModuleKind::CommonJs,
                "exports.value = require('./other').value; exports.fail = function fail() { throw new Error('two'); };",
            ),
            module("other", ModuleKind::CommonJs, "exports.value = 42;"),
        ]);
    });
    assert_eq!(
        body,
        r#"["file:///bundle/index.js","file:///bundle/lib/helper",42,"fail (file:///bundle/lib/helper:1:68)","fail (file:///bundle/cjs:1:82)"]"#
    );
}

#[test]
fn a_service_worker_listens_and_has_its_bindings_as_globals() {
    let script = r#"
        var listening = true;
        undeclared = "sloppy";
        addEventListener("fetch", (event) => {
          const path = new URL(event.request.url).pathname;
          if (path === "/through") return;
          if (path === "/twice") {
            event.respondWith(new Response("once"));
            try { event.respondWith(new Response("twice")); }
            catch (error) { event.waitUntil(Promise.reject(error)); }
            return;
          }
          event.respondWith((async () => {
            await undefined;
            return Response.json([GREETING, undeclared, globalThis.listening, event.type,
              event.constructor.name, event instanceof ExtendableEvent]);
          })());
        });
    "#;
    let bench = Bench::new();
    let worker = worker_with(script, |spec| {
        spec.modules[0].kind = ModuleKind::ServiceWorker;
        spec.env.insert("GREETING".into(), "hello".into());
    });
    let get = |path| bench.get(&worker, path).expect("an answer").1;
    assert_eq!(
        get("/"),
        r#"["hello","sloppy",true,"fetch","FetchEvent",true]"#
    );
    assert_eq!(get("/through"), "GET http://worker.test/through");
    assert_eq!(get("/twice"), "once");
    let log = bench.log.lock();
    assert_eq!(log.len(), 1, "{log:?}");
    assert!(log[0].contains("has already been called"), "{log:?}");
}

#[test]
fn a_service_worker_that_throws_does_not_start() {
    let bench = Bench::new();
    let worker = worker_with("throw new RangeError('no');", |spec| {
        spec.modules[0].kind = ModuleKind::ServiceWorker;
    });
    let error = bench.get(&worker, "/").unwrap_err();
    let outboard_runtime::EventError::Start(StartError::Script(error)) = error else {
        panic!("{error}");
    };
    assert_eq!(error.message, "RangeError: no");
    assert_eq!(error.frames, ["    at index.js:1:7"]);
}

#[test]
fn scripts_see_their_flags() {
    let main = r#"
        const { compatibilityFlags: flags } = Cloudflare;
        export default {
          fetch: () => Response.json([flags.url_standard, flags.nodejs_compat,
            flags.url_original === undefined, Object.isFrozen(flags), Object.getPrototypeOf(flags)]),
        };
    "#;
    for (date, flags, expected) in [
        ("2022-10-30", &[][..], "[false,false,true,true,null]"),
        ("2022-10-31", &[], "[true,false,true,true,null]"),
        (
            "2022-10-30",
            &["url_standard"],
            "[true,false,true,true,null]",
        ),
        (
            "2024-01-01",
            &["url_original"],
            "[false,false,true,true,null]",
        ),
    ] {
        let body = answer(main, |spec| {
            spec.compatibility = Compatibility::new(date, flags).expect("flags");
        });
        assert_eq!(body, expected, "{date} {flags:?}");
    }
}

#[test]
fn flags_choose_what_is_there() {
    let main = r#"
        import { env as imported } from "cloudflare:workers";
        const early = imported.NAME;
        export default {
          fetch(request, env, ctx) {
            const [socket] = Object.values(new WebSocketPair());
            return Response.json([typeof navigator, globalThis.navigator?.language, typeof MessagePort,
              typeof WeakRef, socket.binaryType, typeof ctx.exports, early]);
          },
        };
    "#;
    for (date, flags, expected) in [
        (
            "2020-01-01",
            &[][..],
            r#"["undefined",null,"undefined","undefined","arraybuffer","undefined","x"]"#,
        ),
        (
            "2025-08-15",
            &[],
            r#"["object","en","function","function","arraybuffer","undefined","x"]"#,
        ),
        (
            "2026-03-17",
            &["disallow_importable_env", "disable_navigator_language"],
            r#"["object",null,"function","function","blob","object",null]"#,
        ),
    ] {
        let body = answer(main, |spec| {
            spec.env.insert("NAME".into(), "x".into());
            spec.compatibility = Compatibility::new(date, flags).expect("flags");
        });
        assert_eq!(body, expected, "{date} {flags:?}");
    }
}

/// Importing one once kept its lane busy for ever, a line of the log each turn.
#[test]
fn a_module_that_never_finishes_is_given_up() {
    let bench = Bench::new();
    let main = r#"
        export default {
          async fetch(request) {
            if (request.url.endsWith("/import")) await import("never.js");
            return new Response("ok");
          },
        };
    "#;
    let worker = worker_with(main, |spec| {
        let never = "await new Promise(() => {});\nexport default 1;";
        spec.modules
            .push(module("never.js", ModuleKind::EsModule, never));
    });
    for _ in 0..2 {
        let imported = bench.get(&worker, "/import");
        assert!(matches!(imported, Err(EventError::Hung)), "{imported:?}");
        let other = bench.get(&worker, "/other");
        assert!(
            matches!(&other, Ok((200, body)) if body == "ok"),
            "{other:?}"
        );
    }
    let told = bench.log.lock();
    let told = told.iter().filter(|line| line.contains("Top-level await"));
    assert_eq!(told.count(), 1);
}
