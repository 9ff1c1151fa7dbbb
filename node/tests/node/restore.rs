//! Stubs of what `[restore]` methods make, kept by objects over the end of the process
//! and over new versions of the script.

use std::path::Path;

use crate::objects::body;
use crate::support::{Dev, until};

const CONFIG: &str = r#"{
  "name": "restored",
  "main": "index.js",
  "compatibility_date": "2026-04-01",
  "compatibility_flags": ["allow_irrevocable_stub_storage"],
  "worker_loaders": [{ "binding": "LOADER" }],
  "durable_objects": { "bindings": [{ "name": "BOX", "class_name": "Box" }] },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Box"] }]
}"#;

/// `/keep` has an object keep a stub of each kind, `/use` calls them all.
fn script(version: &str) -> String {
    let method = match version {
        "none" => String::new(),
        "vault" => "[restore]() { return this.ctx.exports.Vault; }".into(),
        version => format!(
            "[restore](params) {{
               if (params.word === undefined) return new Sum(params.from);
               return this.env.LOADER.get('greeter', () => ({{
                 compatibilityDate: '2026-04-01',
                 compatibilityFlags: ['allow_irrevocable_stub_storage'],
                 mainModule: 'main.js',
                 modules: {{ 'main.js': LOADED }},
               }})).getEntrypoint('Greeter', {{ props: {{ word: `{version} ${{params.word}}` }} }});
             }}"
        ),
    };
    format!(
        "import {{ DurableObject, RpcTarget, WorkerEntrypoint, restore }} from 'cloudflare:workers';
         const LOADED = `
           import {{ RpcTarget, WorkerEntrypoint, restore }} from 'cloudflare:workers';
           class Named extends RpcTarget {{
             constructor(name) {{ super(); this.said = name; }}
             say() {{ return this.said; }}
           }}
           export class Greeter extends WorkerEntrypoint {{
             greet(name) {{ return this.ctx.props.word + ' ' + name; }}
             make(name) {{ return this.ctx.restore({{ name }}); }}
             [restore]({{ name }}) {{ return new Named(this.greet(name)); }}
           }}
         `;
         class Sum extends RpcTarget {{
           constructor(from) {{ super(); this.sum = from; }}
           add(n) {{ return this.sum += n; }}
           say() {{ return 'opened'; }}
         }}
         export class Vault extends WorkerEntrypoint {{
           [restore]() {{ return new Sum(1000); }}
         }}
         export class Maker extends WorkerEntrypoint {{
           make(params) {{ return this.ctx.restore(params); }}
           async chained() {{
             const greeter = await this.ctx.restore({{ word: 'bye' }});
             return greeter.make('all');
           }}
           {method}
         }}
         export class Box extends DurableObject {{
           async keep() {{
             const {{ Maker }} = this.ctx.exports;
             const {{ storage }} = this.ctx;
             await storage.put('sum', await Maker.make({{ from: 40 }}));
             await storage.put('greeter', await Maker.make({{ word: 'hi' }}));
             await storage.put('named', await Maker.chained());
             return 'kept';
           }}
           async use() {{
             const {{ storage }} = this.ctx;
             using sum = await storage.get('sum');
             await sum.add(1);
             const greeter = await storage.get('greeter');
             using named = await storage.get('named');
             return [await sum.add(1), await greeter.greet('you'), await named.say()].join();
           }}
           async who() {{
             using named = await this.ctx.storage.get('named');
             return await named.say();
           }}
         }}
         export default {{
           async fetch(request, env) {{
             const box = env.BOX.getByName('box');
             try {{
               return new Response(await box[new URL(request.url).pathname.slice(1)]());
             }} catch (error) {{
               return new Response(String(error));
             }}
           }},
         }};"
    )
}

fn write(dir: &Path, version: &str) {
    std::fs::write(dir.join("index.js"), script(version)).expect("a file");
}

#[test]
fn what_is_made_anew_outlives_the_process_and_is_the_new_versions() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("wrangler.jsonc"), CONFIG).expect("a file");
    write(dir.path(), "one");
    let dev = Dev::start(dir.path());
    assert_eq!(body(&dev, "/keep"), "kept", "{}", dev.process.log());
    assert_eq!(body(&dev, "/use"), "42,one hi you,one bye all");
    // Killed: nothing was closed.
    drop(dev);
    let dev = Dev::start(dir.path());
    assert_eq!(body(&dev, "/use"), "42,one hi you,one bye all");
    write(dir.path(), "two");
    until("the new version", || {
        body(&dev, "/use") == "42,two hi you,two bye all"
    });
    // What a loaded worker asked for is nobody else's to make.
    write(dir.path(), "vault");
    until("the version that leads elsewhere", || {
        let told = body(&dev, "/who");
        assert_ne!(told, "opened");
        told.contains("something else than what made the stored stub")
    });
    write(dir.path(), "none");
    until("the version without the method", || {
        body(&dev, "/use").contains("does not implement a [restore]() method")
    });
}

#[test]
fn what_is_kept_ends_with_the_flag() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("wrangler.jsonc"), CONFIG).expect("a file");
    write(dir.path(), "one");
    let dev = Dev::start(dir.path());
    assert_eq!(body(&dev, "/keep"), "kept", "{}", dev.process.log());
    drop(dev);
    let without = CONFIG.replace(r#""allow_irrevocable_stub_storage""#, "");
    std::fs::write(dir.path().join("wrangler.jsonc"), without).expect("a file");
    let dev = Dev::start(dir.path());
    let told = body(&dev, "/use");
    assert!(
        told.contains("no longer has the allow_irrevocable"),
        "{told}"
    );
    assert!(body(&dev, "/keep").contains("restore is not a function"));
}
