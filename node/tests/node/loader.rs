//! Workers that a worker loads.

use std::path::Path;
use std::sync::mpsc;
use std::thread;

use crate::objects::with_packages;
use crate::parity::program;
use crate::support::http::{Upload, get, send};
use crate::support::{Dev, Outboard, until};
use crate::workerd::{results, run, workerd};

const CONFIG: &str = r#"{
  "name": "parent",
  "main": "index.js",
  "compatibility_date": "2026-04-01",
  "vars": { "SECRET": "the parent's" },
  "worker_loaders": [{ "binding": "LOADER" }],
  "services": [{ "binding": "SELF", "service": "parent", "entrypoint": "Api", "props": { "who": "a binding" } }],
  "durable_objects": { "bindings": [{ "name": "COUNTER", "class_name": "Counter" }] },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Counter"] }]
}"#;

/// What the parents share: `code(main, rest)`, and something to call.
const PARENT: &str = r#"
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
export class Api extends WorkerEntrypoint {
  hello(name) { return `hello ${name} from ${this.ctx.props.who}`; }
  fetch(request) { return new Response(`${this.ctx.props.who} got ${request.url}`); }
}
export class Counter extends DurableObject {
  n = 0;
  add(n) { return this.n += n; }
  fetch() { return new Response(`count ${this.n}`); }
}
const code = (main, rest = {}) => ({
  compatibilityDate: "2026-04-01",
  mainModule: "main.js",
  modules: { "main.js": main },
  ...rest,
});
const tried = async (f) => {
  try { return await f(); } catch (error) { return `${error?.name}: ${error?.message}`; }
};
"#;

fn project(code: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    write(dir.path(), "wrangler.jsonc", CONFIG);
    write(dir.path(), "index.js", &format!("{PARENT}{code}"));
    dir
}

fn write(dir: &Path, name: &str, text: &str) {
    std::fs::write(dir.join(name), text).expect("a file");
}

fn text(dev: &Dev, path: &str) -> String {
    let answer = send(dev.address, &get(&dev.address.to_string(), path));
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn check(code: &str, expected: &str) {
    let dir = project(code);
    let dev = Dev::start_with(dir.path(), &["--no-persist"]);
    assert_eq!(text(&dev, "/"), expected, "{}", dev.process.log());
}

#[test]
fn connections_go_where_requests_do() {
    check(
        r#"
        export class Raw extends WorkerEntrypoint {
          async connect(socket) {
            const { localAddress } = await socket.opened;
            const writer = socket.writable.getWriter();
            const text = `${localAddress} for ${this.ctx.props.who}`;
            await writer.write(new TextEncoder().encode(text));
            await writer.close();
          }
        }
        export default { async fetch(request, env, ctx) {
          const main = `
            import { connect } from "cloudflare:sockets";
            export default {
              fetch() { return new Response(connect("far.test:9").readable); },
              async connect(socket) {
                const { value } = await socket.readable.getReader().read();
                const writer = socket.writable.getWriter();
                await writer.write(value);
                await writer.close();
              },
            };`;
          const globalOutbound = ctx.exports.Raw({ props: { who: "the loaded" } });
          const entry = env.LOADER.load(code(main, { globalOutbound })).getEntrypoint();
          const socket = entry.connect("loaded.test:1");
          await socket.writable.getWriter().write(new TextEncoder().encode("echo"));
          const echo = await new Response(socket.readable).text();
          return new Response(`${echo}, ${await (await entry.fetch("http://x/")).text()}`);
        } };
        "#,
        "echo, far.test:9 for the loaded",
    );
}

#[test]
fn env_and_props_hold_values_services_and_objects_and_nothing_else_is_there() {
    check(
        r#"
        export default { async fetch(request, env, ctx) {
          const main = `
            import { WorkerEntrypoint } from "cloudflare:workers";
            export default class extends WorkerEntrypoint {
              async all() {
                const { api, bound, counter, ...rest } = this.env;
                const { peer, ...props } = this.ctx.props;
                return [
                  rest.when.getTime(), rest.map.get("a"), Object.keys(rest).sort(), props,
                  await api.hello("a"), await bound.hello("b"), await peer.hello("c"),
                  await (await api.fetch("http://api.test/x")).text(),
                  await counter.add(2), await (await counter.fetch("http://c/")).text(),
                  counter.id.name, typeof this.env.SECRET, typeof this.env.LOADER, typeof process,
                ];
              }
            }`;
          const counter = env.COUNTER.getByName("one");
          await counter.add(40);
          const worker = env.LOADER.load(code(main, { env: {
            when: new Date(7), map: new Map([["a", { b: 1 }]]), text: "t",
            api: ctx.exports.Api({ props: { who: "exports" } }), bound: env.SELF, counter,
          } }));
          const props = { n: [1], peer: ctx.exports.Api({ props: { who: "props" } }) };
          return Response.json(await worker.getEntrypoint(null, { props }).all());
        } };"#,
        r#"[7,{"b":1},["map","text","when"],{"n":[1]},"hello a from exports","hello b from a binding","hello c from props","exports got http://api.test/x",42,"count 42","one","undefined","undefined","undefined"]"#,
    );
}

#[test]
fn the_network_is_the_loaders_another_or_none() {
    check(
        r#"
        export default { async fetch(request, env, ctx) {
          const { host: there, pathname } = new URL(request.url);
          if (pathname === "/pong") return new Response("pong");
          const main = `
            import { connect } from "cloudflare:sockets";
            export default {
              async fetch(request) {
                const { searchParams } = new URL(request.url);
                if (!searchParams.has("connect")) return fetch(searchParams.get("to"));
                await connect(searchParams.get("connect")).opened;
                return new Response("connected");
              },
            };`;
          const ask = (globalOutbound, query) => tried(async () => {
            const worker = env.LOADER.load(code(main, { globalOutbound }));
            const answer = await worker.getEntrypoint().fetch("http://worker.test/?" + query);
            return answer.text();
          });
          const to = "to=" + encodeURIComponent("http://" + there + "/pong");
          const port = "connect=" + there;
          const given = ctx.exports.Api({ props: { who: "outbound" } });
          return Response.json([
            await ask(undefined, to), await ask(undefined, port),
            (await ask(given, to)).replace(there, "there"), (await ask(given, port)).slice(0, 27),
            (await ask(null, to)).slice(0, 40), (await ask(null, port)).slice(0, 40),
          ]);
        } };"#,
        r#"["pong","connected","outbound got http://there/pong","Error: proxy request failed","Error: This worker is not permitted to a","Error: This worker is not permitted to a"]"#,
    );
}

#[test]
fn a_name_is_loaded_once_until_its_code_fails() {
    check(
        r#"
        export default { async fetch(request, env) {
          let asked = 0;
          const main = "let n = 0; export default { count(by) { return n += by; } }";
          const one = (name) => env.LOADER.get(name, async () => {
            asked++;
            await scheduler.wait(5);
            return code(main);
          }).getEntrypoint();
          const counts = await Promise.all(["a", "a", "a", "b"].map((name) => one(name).count(1)));
          counts.sort();
          const failing = () => tried(() => env.LOADER.get("c", () => {
            if (asked++ < 3) throw new RangeError("not yet");
            return code(main);
          }).getEntrypoint().count(1));
          const lone = [env.LOADER.load(code(main)), env.LOADER.get(null, () => code(main))];
          const alone = await Promise.all(lone.map((it) => it.getEntrypoint().count(1)));
          return Response.json([counts, asked, await failing(), await failing(), asked, alone]);
        } };"#,
        r#"[[1,1,2,3],2,"RangeError: not yet",1,4,[1,1]]"#,
    );
}

#[test]
fn broken_code_is_an_error_of_whoever_calls() {
    check(
        r#"
        export default { async fetch(request, env) {
          const fine = "export default { greet() { return 1; } }";
          const cases = [
            code("export default {"),
            code("throw new TypeError('top');\nexport default {};"),
            code("import './no.js'; export default {};"),
            code(fine, { mainModule: "other.js" }),
            code(fine, { modules: {} }),
            code(fine, { modules: { "main.ts": fine } }),
            code(fine, { modules: { "main.js": { js: fine, cjs: "" } } }),
            code(fine, { compatibilityDate: "soon" }),
            code(fine, { compatibilityDate: "9999-01-01" }),
            code(fine, { modules: [fine] }),
            code(fine, { compatibilityFlags: ["nodejs_compact"] }),
            code(fine, { compatibilityFlags: ["experimental"] }),
            code(fine, { env: { f: () => 1 } }),
            code(fine, { env: { loader: env.LOADER } }),
            code(fine, { env: { big: "x".repeat(2 << 20) } }),
            code(fine, { limits: { cpuMs: -1 } }),
            code(fine, { mainModule: "main.py", modules: { "main.py": "pass" } }),
          ];
          const said = [];
          for (const it of cases) {
            said.push(await tried(() => env.LOADER.load(it).getEntrypoint().greet(0)));
          }
          const worker = env.LOADER.load(code(fine));
          said.push(await tried(() => worker.getEntrypoint("no").greet(0)));
          said.push(await tried(() => worker.getEntrypoint().no(0)));
          said.push(await tried(() => worker.getEntrypoint().fetch("http://x/")));
          said.push(await tried(() => env.LOADER.load(code(fine, {
            env: { self: worker.getEntrypoint() },
          }))));
          const many = { "main.js": fine };
          for (let i = 0; i < 10_000; i++) many[`${i}.js`] = "broken";
          said.push(await env.LOADER.load(code(fine, { modules: many })).getEntrypoint().greet(0));
          return new Response(said.map((it) => `${it}`.split("\n").slice(0, 2).join(" ").slice(0, 90)).join("\n"));
        } };"#,
        "Error: Failed to start Worker: Uncaught SyntaxError: Unexpected end of input\n\
         Error: Failed to start Worker: Uncaught TypeError: top\n\
         Error: Failed to start Worker: Uncaught Error: No such module \"./no.js\".\n\
         Error: Failed to start Worker: Uncaught Error: No such module: other.js\n\
         TypeError: Dynamic Worker code must contain at least one module.\n\
         TypeError: Module name must end with '.js' or '.py' (or the content must be an object indi\n\
         TypeError: Each module must contain exactly one of 'js', 'cjs', 'text', 'data', 'json', 'p\n\
         Error: Invalid compatibility date: soon\n\
         Error: Can't set compatibility date in the future: \"9999-01-01\". Today's date (UTC) is \"20\n\
         TypeError: Incorrect type for the 'modules' field on 'WorkerCode': the provided value is n\n\
         Error: No such compatibility flag: nodejs_compact\n\
         Error: The compatibility flag experimental is experimental and may break or be removed in \n\
         DataCloneError: () => 1 could not be cloned.\n\
         DataCloneError: Could not serialize object of type \"WorkerLoader\". This type does not supp\n\
         Error: Dynamic Worker env size (2097167 bytes) exceeds the maximum allowed size of 1048576\n\
         TypeError: The value cannot be converted because it is negative and this API expects a pos\n\
         Error: Outboard does not serve Python Workers.\n\
         Error: Worker has no such entrypoint: no\n\
         TypeError: The RPC receiver does not implement the method \"no\".\n\
         Error: Handler does not export a fetch() function.\n\
         DataCloneError: Entrypoints to dynamically-loaded workers cannot be transferred to other W\n\
         1",
    );
}

/// More than there are lanes, each called once before and all while one of them loops.
#[test]
fn a_loop_holds_up_neither_its_loader_nor_its_neighbours() {
    let dir = project(
        r#"
        const main = `
          import { WorkerEntrypoint } from "cloudflare:workers";
          export default class extends WorkerEntrypoint {
            greet() { return 1; }
            async loop() { await this.env.api.hello("loop"); for (;;); }
          }`;
        let looping = false;
        export class Begun extends WorkerEntrypoint {
          hello() { looping = true; }
        }
        export default { async fetch(request, env, ctx) {
          const { pathname } = new URL(request.url);
          const one = (name) => env.LOADER.get(name, () => code(main, {
            env: { api: ctx.exports.Begun({}) }, limits: { cpuMs: 2_000 },
          })).getEntrypoint();
          const names = Array.from({ length: 24 }, (_, n) => `worker ${n}`);
          switch (pathname) {
            case "/load": return Response.json(await Promise.all(names.map((it) => one(it).greet())));
            case "/loop": return new Response(await tried(() => one("worker 0").loop()));
            case "/looping": return new Response(`${looping}`);
          }
          let sum = 0;
          for (const name of names.slice(1)) sum += await one(name).greet();
          return new Response(`${sum}`);
        } };"#,
    );
    let dev = Dev::start_with(dir.path(), &["--no-persist"]);
    let ones = format!("[{}]", vec!["1"; 24].join(","));
    assert_eq!(text(&dev, "/load"), ones, "{}", dev.process.log());
    let (ended, end) = mpsc::channel();
    let address = dev.address;
    let looping = thread::spawn(move || {
        let answer = send(address, &get("parent.test", "/loop"));
        let _ = ended.send(String::from_utf8_lossy(&answer.body).into_owned());
    });
    until("the loop", || text(&dev, "/looping") == "true");
    assert_eq!(text(&dev, "/others"), "23");
    assert!(
        end.try_recv().is_err(),
        "the loop ended before they answered"
    );
    looping.join().expect("the loop's client");
    let said = end.recv().expect("an answer");
    assert_eq!(said, "Error: Worker exceeded its CPU time limit of 2s");
    assert_eq!(text(&dev, "/load"), ones, "{}", dev.process.log());
}

#[test]
fn as_many_are_loaded_as_may_be() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    write(dir.path(), "wrangler.jsonc", CONFIG);
    let main = format!(
        "{PARENT}{}",
        r#"
        export default { async fetch(request, env) {
          const fine = "export default { greet() { return 1; } }";
          let names = 0;
          for (let i = 0; i < 300; i++) {
            names += await env.LOADER.get(`${i}`, () => code(fine)).getEntrypoint().greet(0);
          }
          const held = [];
          const said = await tried(() => {
            for (let i = 0; i < 300; i++) held.push(env.LOADER.load(code(fine)));
          });
          return Response.json([names, held.length > 50, said]);
        } };"#
    );
    write(dir.path(), "index.js", &main);
    let node = Outboard::serve(&format!(
        "data = {data:?}\n[[worker]]\nname = \"parent\"\nroutes = [\"*\"]\ndir = {dir:?}\n\
         limits = {{ dynamic_workers = 100 }}\n",
        data = dir.path().join("data").display().to_string(),
        dir = dir.path().display().to_string(),
    ));
    let answer = send(node.address, &get("parent.test", "/"));
    let answer = String::from_utf8_lossy(&answer.body).into_owned();
    let expected = r#"[300,true,"Error: This Worker has 100 dynamic workers loaded, which is as many as it may. Let go of stubs that are no longer used."]"#;
    assert_eq!(answer, expected, "{}", node.process.log());
}

#[test]
fn code_mode_calls_its_tools() {
    let Some(dir) = with_packages("codemode.ts") else {
        return;
    };
    if !dir
        .path()
        .join("node_modules/@cloudflare/codemode")
        .is_dir()
    {
        eprintln!("SKIPPED: @cloudflare/codemode is not here; run scripts/setup");
        return;
    }
    let config = CONFIG.replace("index.js", "codemode.ts");
    let config = config.replace(
        "\"vars\"",
        "\"compatibility_flags\": [\"nodejs_compat\"], \"vars\"",
    );
    // A project of its own, and no objects.
    let (config, _) = config.split_once("  \"services\"").expect("the services");
    write(dir.path(), "wrangler.jsonc", &format!("{config}}}"));
    let dev = Dev::start(dir.path());
    let expected = r#"[[{"sum":6},["sum 3"]],"Code execution failed: This worker is not permitted to acces","Code execution failed: as it does"]"#;
    assert_eq!(text(&dev, "/"), expected, "{}", dev.process.log());
}

#[test]
fn a_workspace_is_files_in_sql_and_r2() {
    let Some(dir) = with_packages("shell.ts") else {
        return;
    };
    if !dir.path().join("node_modules/@cloudflare/shell").is_dir() {
        eprintln!("SKIPPED: @cloudflare/shell is not here; run scripts/setup");
        return;
    }
    let config = r#"{
      "name": "shell",
      "main": "shell.ts",
      "compatibility_date": "2026-04-01",
      "compatibility_flags": ["nodejs_compat"],
      "worker_loaders": [{ "binding": "LOADER" }],
      "r2_buckets": [{ "binding": "FILES", "bucket_name": "files" }],
      "durable_objects": { "bindings": [{ "name": "SHOP", "class_name": "Shop" }] },
      "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Shop"] }]
    }"#;
    write(dir.path(), "wrangler.jsonc", config);
    let dev = Dev::start(dir.path());
    let files = r##"["const a = 1;\n// more\n",["/src/a.ts","/src/c.ts"],100,[["shop/default/src/large.bin",100]],{"fileCount":3,"directoryCount":3,"totalBytes":142,"r2FileCount":1},"--- /src/a.ts\n+++ /src/a.ts\n@@ -1,3 +1,2 @@\n-const a = 1;\n-// more\n+const a = 2;\n ",9]"##;
    let run = r#"["const a = 2;\n// more\n",2,{"debug":true},["src","src/a.ts","src/c.ts","src/deep","src/large.bin"],true]"#;
    let expected = format!("[{files},{run}]");
    assert_eq!(text(&dev, "/"), expected, "{}", dev.process.log());
}

/// examples/loader, as its README has it.
#[test]
fn the_example_runs_what_it_is_sent() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/loader");
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(dir.path().join("src")).expect("a folder");
    for file in ["wrangler.jsonc", "src/index.ts"] {
        std::fs::copy(example.join(file), dir.path().join(file)).expect("a copy");
    }
    let dev = Dev::start(dir.path());
    let run = |code: &str| {
        let mut request = get("example.test", "/");
        request.method = "POST".into();
        request.upload = Upload::Sized(code.into());
        let answer = send(dev.address, &request);
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    assert!(
        text(&dev, "/").contains("<textarea"),
        "{}",
        dev.process.log()
    );
    let notes = "export default { fetch: (request, env) => \
                 env.NOTES.add('hello').then((n) => Response.json(n)) }";
    assert_eq!(run(notes), "1", "{}", dev.process.log());
    assert_eq!(
        run("export default { fetch() { for (;;); } }"),
        "Error: Worker exceeded its CPU time limit of 50ms\n"
    );
    let out = run("export default { fetch: () => fetch('http://a.test/') }");
    assert!(
        out.starts_with("Error: This worker is not permitted"),
        "{out}"
    );
}

/// A folder with a configuration of one worker and its script.
fn configuration(main: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = r#"
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  modules = [(name = "main.js", esModule = embed "main.js")],
  compatibilityDate = "2026-04-01",
  compatibilityFlags = ["experimental"],
  bindings = [
    (name = "ONE", workerLoader = (id = "shared")),
    (name = "TWO", workerLoader = (id = "shared")),
    (name = "OWN", workerLoader = ()),
    (name = "SELF", service = (name = "main", entrypoint = "Api")),
  ],
  durableObjectNamespaces = [(className = "Counter", uniqueKey = "counter")],
  durableObjectStorage = (inMemory = void),
))]);
"#;
    write(folder.path(), "config.capnp", config);
    write(folder.path(), "main.js", &format!("{PARENT}{main}"));
    folder
}

/// Runs the tests of a configuration here and in npm workerd, where it is installed.
fn check_both(main: &str, expected: &[&str]) {
    let folder = configuration(main);
    let arguments = ["test", "config.capnp", "--experimental"];
    for program in [Some(workerd(folder.path())), program()]
        .into_iter()
        .flatten()
    {
        let output = run(&program, &arguments, folder.path());
        let shown = String::from_utf8_lossy(&output.stderr);
        assert_eq!(results(&output), expected, "{}: {shown}", program.display());
    }
}

#[test]
fn loaders_of_one_id_share_their_names_as_in_workerd() {
    let main = r#"
const counting = "let n = 0; export default { count() { return ++n; } }";
export default { async test(controller, env) {
  const counts = [];
  for (const loader of [env.ONE, env.TWO, env.OWN, env.ONE, env.OWN]) {
    counts.push(await loader.get("a", () => code(counting)).getEntrypoint().count(0));
  }
  if (`${counts}` !== "1,2,1,3,2") throw new Error(`${counts}`);
} };
"#;
    check_both(main, &["PASS main"]);
}

/// What is in `env` and props, and what is thrown, by the words.
#[test]
fn what_is_given_and_what_is_refused_is_as_in_workerd() {
    let main = r#"
import { RpcStub, RpcTarget } from "cloudflare:workers";
const same = (a, b) => {
  if (JSON.stringify(a) !== JSON.stringify(b)) {
    throw new Error(`${JSON.stringify(a)} is not ${JSON.stringify(b)}`);
  }
};
const fine = `
  import { WorkerEntrypoint } from "cloudflare:workers";
  export default { greet(name, env, ctx) { return [name, Object.keys(env), ctx.props]; } };
  export class Caller extends WorkerEntrypoint {
    async call() {
      const { api, counter } = this.env;
      const own = await this.ctx.exports.default.greet("own");
      return [await api.hello("a"), await counter.add(1), own];
    }
    async fetch() { return fetch("http://away.test/"); }
  }`;
export const given = { async test(controller, env, ctx) {
  const counter = ctx.exports.Counter.getByName("one");
  const worker = env.OWN.load(code(fine, {
    env: { api: ctx.exports.Api({ props: { who: "exports" } }), counter, n: 1 },
    globalOutbound: ctx.exports.Api({ props: { who: "outbound" } }),
    compatibilityFlags: ["enable_ctx_exports"],
  }));
  const props = { when: new Date(7), list: [1] };
  same(await worker.getEntrypoint(null, { props }).greet("a"), ["a", ["api", "counter", "n"], props]);
  const called = await worker.getEntrypoint("Caller").call();
  same(called, ["hello a from exports", 1, ["own", ["api", "counter", "n"], {}]]);
  const answer = await worker.getEntrypoint("Caller").fetch("http://worker.test/");
  same(await answer.text(), "outbound got http://away.test/");
} };
const notDynamic = "DataCloneError: Entrypoints to dynamically-loaded workers cannot be " +
  "transferred to other Workers, because the system does not know how to reload this Worker from " +
  "scratch. Instead, have the parent Worker expose an entrypoint which constructs the dynamic " +
  "worker and forwards to it.";
const type = (name, rest) => `DataCloneError: Could not serialize object of type "${name}". ` +
  "This type does not support serialization.";
export const refused = { async test(controller, env, ctx) {
  const worker = env.OWN.load(code(fine));
  const load = (rest, main = fine) => () => env.OWN.load(code(main, rest));
  const call = (rest, main) => () => load(rest, main)().getEntrypoint().greet(0);
  const fetched = (name) => () =>
    load({}, `export default { fetch() { throw new ${name}("e"); } };`)().getEntrypoint().fetch("http://x/");
  const start = (said) => "Error: Failed to start Worker:\nUncaught " + said;
  const cases = [
    [() => env.OWN.load(), "TypeError: Failed to execute 'load' on 'WorkerLoader': parameter 1 is not of type 'WorkerCode'."],
    [() => env.OWN.get(), "TypeError: Failed to execute 'get' on 'WorkerLoader': parameter 1 is not of type 'string'."],
    [() => env.OWN.get("a"), "TypeError: Failed to execute 'get' on 'WorkerLoader': parameter 2 is not of type 'function'."],
    [() => env.OWN.load({}), "TypeError: Incorrect type for the 'modules' field on 'WorkerCode': the provided value is not of type 'object'."],
    [load({ modules: {} }), "TypeError: Dynamic Worker code must contain at least one module."],
    [load({ modules: { "a.txt": "x" } }), "TypeError: Module name must end with '.js' or '.py' (or the content must be an object indicating the type explicitly). Got: a.txt"],
    [load({ modules: { "a.js": {} } }), "TypeError: Each module must contain exactly one of 'js', 'cjs', 'text', 'data', 'json', 'py', or 'wasm'. Module 'a.js' contained 0 properties."],
    [load({ modules: { "a.js": { data: "x" } } }), "TypeError: Incorrect type for the 'data' field on 'Module': the provided value is not of type 'Array'."],
    [load({ modules: { "main.js": fine, "a.py": "" } }), "TypeError: Module \"a.py\" is a Python module, but the main module isn't a Python module."],
    [load({ compatibilityDate: "soon" }), "Error: Invalid compatibility date: soon"],
    [load({ compatibilityFlags: ["no_such_flag"] }), "Error: No such compatibility flag: no_such_flag"],
    [load({ compatibilityFlags: ["nodejs_als", "nodejs_als"] }), "Error: Compatibility flag specified multiple times: nodejs_als"],
    [load({ compatibilityFlags: ["nodejs_als", "no_nodejs_als"] }), "Error: Compatibility flags are mutually contradictory: nodejs_als vs no_nodejs_als"],
    [load({ compatibilityFlags: "x" }), "TypeError: Incorrect type for the 'compatibilityFlags' field on 'WorkerCode': the provided value is not of type 'Array'."],
    [load({ limits: 5 }), "TypeError: Incorrect type for the 'limits' field on 'WorkerCode': the provided value is not of type 'ResourceLimits'."],
    [load({ limits: { cpuMs: -1 } }), "TypeError: The value cannot be converted because it is negative and this API expects a positive number."],
    [load({ env: 5 }), "TypeError: Incorrect type for the 'env' field on 'WorkerCode': the provided value is not of type 'Object'."],
    [load({ env: { f() {} } }), "DataCloneError: f() {} could not be cloned."],
    [load({ env: { it: new (class extends RpcTarget {})() } }), "DataCloneError: Remote RPC references can only be serialized for RPC."],
    [load({ env: { it: new RpcStub(() => 1) } }), "DataCloneError: RpcStub cannot be serialized in this context because it is not a persistent stub."],
    [load({ env: { it: new ReadableStream() } }), "DataCloneError: ReadableStream can only be serialized for RPC."],
    [load({ env: { it: env.OWN } }), type("WorkerLoader")],
    [load({ env: { it: worker } }), type("WorkerStub")],
    [load({ env: { it: ctx.exports.Api } }), type("LoopbackServiceStub")],
    [load({ env: { it: worker.getEntrypoint() } }), notDynamic],
    [load({ globalOutbound: worker.getEntrypoint() }), notDynamic],
    [load({ globalOutbound: 5 }), "TypeError: Incorrect type for the 'globalOutbound' field on 'WorkerCode': the provided value is not of type 'Fetcher'."],
    [() => worker.getEntrypoint(null, 5), "TypeError: Failed to execute 'getEntrypoint' on 'WorkerStub': parameter 2 is not of type 'EntrypointOptions'."],
    [() => worker.getEntrypoint(null, { props: 5 }), "TypeError: Incorrect type for the 'props' field on 'EntrypointOptions': the provided value is not of type 'Object'."],
    [() => worker.getEntrypoint("no").greet(0), "Error: Worker has no such entrypoint: no"],
    [() => worker.getEntrypoint().no(0), "TypeError: The RPC receiver does not implement the method \"no\"."],
    [() => worker.getEntrypoint().fetch("http://x/"), "Error: Handler does not export a fetch() function."],
    [fetched("EvalError"), "EvalError: e"],
    [fetched("URIError"), "URIError: e"],
    [call({ mainModule: "other.js" }), start("Error: No such module: other.js")],
    [call({ modules: { "main.js": { text: "x" } } }), start("TypeError: Main module must be an ES module.")],
    [call({}, "throw new TypeError('top'); export default {};"), start("TypeError: top\n  at main.js:1:7")],
    [call({ globalOutbound: null }, "export default { greet() { return fetch('http://a.test/'); } };"), "Error: This worker is not permitted to access the internet via global functions like fetch(). It must use capabilities (such as bindings in 'env') to talk to the outside world."],
    [() => env.OWN.get("x", () => 5).getEntrypoint().greet(0), "TypeError: Callback returned incorrect type; expected 'Promise'"],
    [() => env.OWN.get("y", () => { throw new RangeError("no code"); }).getEntrypoint().greet(0), "RangeError: no code"],
    [() => env.OWN.get("z", () => { throw new EvalError("no code"); }).getEntrypoint().greet(0), "EvalError: no code"],
  ];
  for (const [f, expected] of cases) same(await tried(f), expected);
} };
export default { test() {} };
"#;
    check_both(main, &["PASS main", "PASS main:given", "PASS main:refused"]);
}
