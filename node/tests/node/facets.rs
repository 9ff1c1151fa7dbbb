//! Facets of objects through the binary: what they keep, over ends of every kind, and who
//! looks after it.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use crate::migrations::databases;
use crate::support::http::{get, send};
use crate::support::{Dev, PATIENCE, signal, until};

fn config(migrations: &str, binding: &str) -> String {
    format!(
        r#"{{
          "name": "parts",
          "main": "index.js",
          "compatibility_date": "2026-04-01",
          "worker_loaders": [{{ "binding": "LOADER" }}],
          "durable_objects": {{ "bindings": [{binding}] }},
          "migrations": [{{ "tag": "v1", "new_sqlite_classes": ["Root"] }}{migrations}]
        }}"#
    )
}

const ROOT: &str = r#"{ "name": "ROOT", "class_name": "Root" }"#;

/// `/FACET/VERB` calls a facet of one object; those whose names begin with `loaded` are of
/// a loaded worker's class. `/FACET/delete` and `/FACET/abort` are the object's own.
const SCRIPT: &str = r#"
import { DurableObject } from "cloudflare:workers";
const CHILD = `
  export class Child extends DurableObject {
    async add() {
      const n = ((await this.ctx.storage.get("n")) ?? 0) + 1;
      await this.ctx.storage.put("n", n);
      return n;
    }
    async get() {
      return (await this.ctx.storage.get("n")) ?? 0;
    }
    inner() {
      return this.ctx.facets.get("inner", () => ({ class: this.ctx.exports.Child })).add();
    }
    loop() {
      for (;;);
    }
  }
`;
CHILD_IS_HERE
export class Root extends DurableObject {
  facet(name) {
    return this.ctx.facets.get(name, () => {
      if (!name.startsWith("loaded")) return { class: this.ctx.exports.Child };
      const worker = this.env.LOADER.get("code", () => ({
        compatibilityDate: "2026-04-01",
        mainModule: "main.js",
        modules: { "main.js": `import { DurableObject } from "cloudflare:workers";${CHILD}` },
      }));
      const limits = { cpuMs: 200 };
      return { class: worker.getDurableObjectClass("Child", { limits }) };
    });
  }
  async fetch(request) {
    const [, name, verb] = new URL(request.url).pathname.split("/");
    if (verb === "delete") {
      this.ctx.facets.delete(name);
      return new Response("deleted");
    }
    if (verb === "clone") {
      try {
        this.ctx.facets.clone(name, "copy");
      } catch (error) {
        return new Response(error.message);
      }
    }
    if (verb === "abort") {
      this.ctx.facets.abort(name, new Error("aborted"));
      return new Response("aborted");
    }
    if (verb === "deleteAll") {
      await this.ctx.storage.deleteAll();
      return new Response("deleted");
    }
    try {
      return new Response(String(await this.facet(name)[verb]()));
    } catch (error) {
      return new Response(`${error.name}: ${error.message}`);
    }
  }
}
export default { fetch(request, env) {
  return env.ROOT ? env.ROOT.getByName("one").fetch(request) : new Response("no objects");
} };
"#;

fn write(dir: &Path, migrations: &str, binding: &str) {
    let (_, rest) = SCRIPT.split_once("CHILD = `").expect("the class");
    let (child, _) = rest.split_once('`').expect("the class's end");
    let script = SCRIPT.replace("CHILD_IS_HERE", child);
    std::fs::write(dir.join("index.js"), script).expect("a file");
    std::fs::write(dir.join("wrangler.jsonc"), config(migrations, binding)).expect("a file");
}

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "", ROOT);
    dir
}

fn text(dev: &Dev, path: &str) -> String {
    let answer = send(dev.address, &get("localhost", path));
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn check(dev: &Dev, path: &str, expected: &str) {
    assert_eq!(text(dev, path), expected, "{path}: {}", dev.process.log());
}

/// What `outboard data` prints, where it succeeds.
fn data(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command
        .arg("data")
        .args(arguments)
        .arg("--data")
        .arg(folder);
    let output = command.output().expect("outboard runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{error}");
    told
}

/// Invariant 1, for facets: what was acknowledged is there, and what was deleted is not.
#[test]
fn what_facets_acknowledged_survives_kill_9() {
    const FACETS: [&str; 2] = ["own", "loaded"];
    let dir = project();
    // Of each facet what was acknowledged, and what was asked for.
    let known: Vec<_> = FACETS
        .iter()
        .map(|_| (AtomicU64::new(0), AtomicU64::new(0)))
        .collect();
    for cycle in 0..8 {
        let dev = Dev::start_with(dir.path(), &[]);
        for (name, (acknowledged, asked)) in FACETS.iter().zip(&known) {
            let found: u64 = text(&dev, &format!("/{name}/get"))
                .parse()
                .expect("a number");
            let (least, most) = (
                acknowledged.load(Ordering::Relaxed),
                asked.load(Ordering::Relaxed),
            );
            assert!(
                (least..=most).contains(&found),
                "cycle {cycle}: {name} has {found} of {least} to {most}"
            );
            acknowledged.store(found, Ordering::Relaxed);
            asked.store(found, Ordering::Relaxed);
            if cycle % 3 == 2 {
                check(&dev, &format!("/{name}/delete"), "deleted");
                acknowledged.store(0, Ordering::Relaxed);
                asked.store(0, Ordering::Relaxed);
            }
        }
        if cycle % 3 == 2 {
            signal(&dev.process, libc::SIGKILL);
            continue;
        }
        std::thread::scope(|scope| {
            let (sender, answers) = mpsc::channel();
            for (name, (acknowledged, asked)) in FACETS.iter().zip(&known) {
                let (dev, sender) = (&dev, sender.clone());
                scope.spawn(move || {
                    loop {
                        let next = asked.fetch_add(1, Ordering::Relaxed) + 1;
                        let answer = send(dev.address, &get("localhost", &format!("/{name}/add")));
                        if answer.fault.is_some() || answer.status != "200 OK" {
                            return;
                        }
                        let told = String::from_utf8_lossy(&answer.body).into_owned();
                        assert_eq!(told, next.to_string(), "{name}: {}", dev.process.log());
                        acknowledged.store(next, Ordering::Relaxed);
                        // Nobody counts after the kill.
                        let _ = sender.send(());
                    }
                });
            }
            drop(sender);
            for _ in 0..10 + cycle * 7 {
                let answered = answers.recv_timeout(PATIENCE);
                answered.unwrap_or_else(|_| panic!("no answers: {}", dev.process.log()));
            }
            signal(&dev.process, libc::SIGKILL);
        });
    }
    data(&dir.path().join(".outboard"), &["check"]);
}

#[test]
fn facets_are_listed_exported_and_removed() {
    let dir = project();
    let folder = dir.path().join(".outboard");
    let dev = Dev::start_with(dir.path(), &[]);
    check(&dev, "/own/add", "1");
    check(&dev, "/own/inner", "1");
    check(&dev, "/loaded/add", "1");
    check(&dev, "/loaded/inner", "1");
    check(&dev, "/other/add", "1");
    check(&dev, "/own/delete", "deleted");
    check(&dev, "/own/get", "0");
    // The object has no database of its own: it wrote nothing.
    until("the files of what was deleted are gone", || {
        databases(&folder) == 4
    });
    check(&dev, "/own/add", "1");
    check(&dev, "/loaded/inner", "2");
    drop(dev);
    let listed = data(&folder, &["ls"]);
    for name in ["own", "loaded", "inner", "other"] {
        let note = format!("(facet \"{name}\" of ");
        let line = listed.lines().find(|line| line.contains(&note));
        let line = line.unwrap_or_else(|| panic!("{name}: {listed}"));
        let object = line.split_whitespace().nth(1).expect("CLASS/ID");
        assert!(object.starts_with("parts:Root/"), "{line}");
        let file = dir.path().join(format!("{name}.sqlite"));
        data(&folder, &["export", object, file.to_str().expect("a path")]);
        let database = rusqlite::Connection::open(&file).expect("a database");
        let count = database.query_one("SELECT count(*) FROM _cf_KV", (), |row| row.get(0));
        assert_eq!(count, Ok(1), "{name}");
    }
    assert_eq!(listed.matches("facet").count(), 4, "{listed}");
    let told = data(&folder, &["check"]);
    assert!(told.contains("sound"), "{told}");
    // What belongs to all of them goes with all of them.
    let dev = Dev::start_with(dir.path(), &[]);
    check(&dev, "/loaded/get", "1");
    check(&dev, "/x/deleteAll", "deleted");
    check(&dev, "/loaded/get", "0");
    check(&dev, "/own/get", "0");
    drop(dev);
    let dev = Dev::start_with(dir.path(), &[]);
    check(&dev, "/other/add", "1");
    drop(dev);
    let deleted = r#", { "tag": "v2", "deleted_classes": ["Root"] }"#;
    write(dir.path(), deleted, "");
    let dev = Dev::start_with(dir.path(), &[]);
    check(&dev, "/", "no objects");
    until("nothing is left of a deleted class", || {
        databases(&folder) == 0
    });
    drop(dev);
    assert!(!data(&folder, &["ls"]).contains("facet"));
    data(&folder, &["check"]);
}

#[test]
fn a_facet_is_not_copied() {
    let dir = project();
    let dev = Dev::start_with(dir.path(), &[]);
    check(
        &dev,
        "/own/clone",
        "The facet \"own\" is not copied: Outboard does not offer ctx.facets.clone(). Have one \
         facet give the other what it stores.",
    );
}

#[test]
fn facets_of_an_object_with_an_isolate_to_itself() {
    let dir = project();
    let options = &["--isolation", "object"];
    let dev = Dev::start_with(dir.path(), options);
    for name in ["own", "loaded"] {
        check(&dev, &format!("/{name}/add"), "1");
        check(&dev, &format!("/{name}/inner"), "1");
        check(&dev, &format!("/{name}/abort"), "aborted");
        check(&dev, &format!("/{name}/add"), "2");
        check(&dev, &format!("/{name}/inner"), "2");
    }
    drop(dev);
    let dev = Dev::start_with(dir.path(), options);
    check(&dev, "/loaded/add", "3");
    check(&dev, "/own/inner", "3");
}

/// A loop in a loaded class is stopped by its limits, and holds up nobody else.
#[test]
fn a_loop_in_a_loaded_facet_ends_that_alone() {
    let dir = project();
    let dev = Dev::start_with(dir.path(), &["--no-persist"]);
    check(&dev, "/loaded/add", "1");
    check(&dev, "/own/add", "1");
    std::thread::scope(|scope| {
        let dev = &dev;
        let looping = scope.spawn(move || text(dev, "/loaded/loop"));
        check(dev, "/own/add", "2");
        let told = looping.join().expect("no panic");
        assert!(told.contains("CPU time limit"), "{told}");
    });
    check(&dev, "/loaded/add", "2");
    check(&dev, "/own/add", "3");
}

#[test]
fn a_reload_of_the_code_keeps_what_facets_have() {
    let dir = project();
    let dev = Dev::start_with(dir.path(), &[]);
    check(&dev, "/own/add", "1");
    check(&dev, "/loaded/add", "1");
    let script = std::fs::read_to_string(dir.path().join("index.js")).expect("the script");
    let script = script.replace("?? 0) + 1;", "?? 0) + 10;");
    std::fs::write(dir.path().join("index.js"), script).expect("the script");
    until("the new code serves", || {
        text(&dev, "/new/delete");
        text(&dev, "/new/add") == "10"
    });
    check(&dev, "/own/add", "11");
    check(&dev, "/loaded/add", "11");
}
