//! Migrations of durable objects: classes renamed, deleted and transferred while their
//! objects live, and bindings to objects of other workers.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;

use crate::objects::{connect, hear};
use crate::support::http::{get, send};
use crate::support::{Dev, Outboard, signal, until};

/// A worker whose objects count; the host's first label is the worker, the path names
/// the object, and `class` is what it is called.
fn script(class: &str, version: &str) -> String {
    format!(
        "import {{ DurableObject }} from 'cloudflare:workers';
         export class {class} extends DurableObject {{
           count() {{
             const count = (this.ctx.storage.kv.get('count') ?? 0) + 1;
             this.ctx.storage.kv.put('count', count);
             return `{version} ${{this.constructor.name}} ${{count}}`;
           }}
         }}
         export default {{ async fetch(request, env) {{
           const name = new URL(request.url).pathname;
           return new Response(await env.COUNTER.getByName(name).count());
         }} }};"
    )
}

/// A folder `name` with a project; `binding` is what `env.COUNTER` is.
fn write(dir: &Path, name: &str, binding: &str, migrations: &str, script: &str) -> PathBuf {
    let folder = dir.join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("index.js"), script).expect("the script");
    // Last: `dev` reloads by it.
    let config = format!(
        r#"{{ "name": "{name}", "main": "index.js", "compatibility_date": "2026-04-01",
             "durable_objects": {{ "bindings": [{{ "name": "COUNTER", {binding} }}] }},
             "migrations": [{migrations}] }}"#
    );
    std::fs::write(folder.join("wrangler.jsonc"), config).expect("the configuration");
    folder
}

fn own(class: &str) -> String {
    format!(r#""class_name": "{class}""#)
}

fn config(dir: &Path, workers: &[&str]) -> String {
    let mut config = format!("lanes = 2\ndata = {:?}\n", dir.join("data"));
    for name in workers {
        config.push_str(&format!(
            "[[worker]]\nname = {name:?}\ndir = {:?}\nroutes = [\"{name}.test\"]\n",
            dir.join(name)
        ));
    }
    config
}

fn text(server: &Outboard, worker: &str, path: &str) -> String {
    let answer = send(server.address, &get(&format!("{worker}.test"), path));
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// Has the node read its configuration again, and waits for the line that says so.
fn reload(server: &Outboard, line: &str) {
    let before = server.process.log().len();
    signal(&server.process, libc::SIGHUP);
    until(line, || {
        let log = server.process.log().split_off(before);
        assert!(!log.contains("ERROR") || line.contains("not"), "{log}");
        log.contains(line)
    });
}

/// How many objects have files.
pub(crate) fn databases(data: &Path) -> usize {
    let list = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten();
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    };
    let namespaces = list(&data.join("objects"));
    // The node's own databases have the namespace 0.
    let of_classes = namespaces
        .iter()
        .filter(|path| !path.ends_with("0000000000000000"));
    let shards = of_classes.flat_map(|path| list(path));
    shards.map(|path| list(&path).len()).sum()
}

#[test]
fn dev_renames_a_class_with_its_objects_and_deletes_them_with_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let v1 = r#"{ "tag": "v1", "new_sqlite_classes": ["A"] }"#;
    let folder = write(dir.path(), "w", &own("A"), v1, &script("A", "1"));
    let dev = Dev::start(&folder);
    let text = |path: &str| {
        let answer = send(dev.address, &get("localhost", path));
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    assert_eq!(text("/x"), "1 A 1");

    let v2 =
        format!(r#"{v1}, {{ "tag": "v2", "renamed_classes": [{{ "from": "A", "to": "B" }}] }}"#);
    write(dir.path(), "w", &own("B"), &v2, &script("B", "2"));
    let mut count = 0;
    until("the renamed class", || {
        let answer = text("/x");
        let counted = answer.strip_prefix("2 B ");
        count = counted.map_or(0, |count| count.parse().expect("a count"));
        count > 0
    });
    assert!(count > 1, "what it stored is there");
    assert_eq!(text("/x"), format!("2 B {}", count + 1));

    // Refused: what is there goes on.
    let bad = format!(r#"{v2}, {{ "tag": "v3", "new_sqlite_classes": ["Missing"] }}"#);
    write(dir.path(), "w", &own("B"), &bad, &script("B", "2"));
    let fault = "migrations[2]: the script exports no class \"Missing\"";
    until(fault, || dev.process.log().contains(fault));
    assert_eq!(text("/x"), format!("2 B {}", count + 2));

    let v3 = format!(
        r#"{v2}, {{ "tag": "v3", "deleted_classes": ["B"] }}, {{ "tag": "v4", "new_sqlite_classes": ["B"] }}"#
    );
    write(dir.path(), "w", &own("B"), &v3, &script("B", "4"));
    until("the new class", || text("/x") == "4 B 1");
    // Its own object's is the only one; those of the old class are removed.
    until("the old objects are gone", || {
        databases(&folder.join(".outboard")) == 1
    });
    drop(dev);
    let dev = Dev::start(&folder);
    let answer = send(dev.address, &get("localhost", "/x"));
    assert_eq!(String::from_utf8_lossy(&answer.body), "4 B 2");
}

#[test]
fn a_class_goes_to_another_worker_while_its_objects_live() {
    let dir = tempfile::tempdir().expect("a folder");
    let made = r#"{ "tag": "v1", "new_sqlite_classes": ["A"] }"#;
    let old_script = script("A", "old");
    write(dir.path(), "old", &own("A"), made, &old_script);
    // First it uses the objects where they are.
    let theirs = r#""class_name": "A", "script_name": "old""#;
    write(dir.path(), "new", theirs, "", &script("Unused", "new"));
    let config = config(dir.path(), &["new", "old"]);
    let server = Outboard::serve(&config);
    assert_eq!(text(&server, "old", "/x"), "old A 1");
    assert_eq!(text(&server, "new", "/x"), "old A 2");

    // Then they become its own; the old worker is not even deployed again.
    let taken = r#"{ "tag": "v1", "transferred_classes":
                     [{ "from": "A", "from_script": "old", "to": "B" }] }"#;
    write(dir.path(), "new", &own("B"), taken, &script("B", "new"));
    reload(&server, "config reloaded");
    assert_eq!(text(&server, "new", "/x"), "new B 3");
    assert_eq!(text(&server, "old", "/x"), "new B 4");
    // The same again changes nothing, nor does a new process.
    reload(&server, "config reloaded");
    assert_eq!(text(&server, "old", "/x"), "new B 5");
    drop(server);
    let server = Outboard::serve(&config);
    assert_eq!(text(&server, "old", "/x"), "new B 6");
    assert_eq!(text(&server, "new", "/x"), "new B 7");

    // A class of its own again.
    let again = format!(
        r#"{made}, {{ "tag": "v2", "deleted_classes": ["A"] }},
           {{ "tag": "v3", "new_sqlite_classes": ["A"] }}"#
    );
    write(dir.path(), "old", &own("A"), &again, &old_script);
    reload(&server, "config reloaded");
    assert_eq!(text(&server, "old", "/x"), "old A 1");
    assert_eq!(text(&server, "new", "/x"), "new B 8");
}

#[test]
fn a_migration_that_is_refused_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let v1 = r#"{ "tag": "v1", "new_sqlite_classes": ["A", "Z"] }"#;
    let both = |version| format!("{} export class Z extends A {{}}", script("A", version));
    write(dir.path(), "w", &own("A"), v1, &both("1"));
    let server = Outboard::serve(&config(dir.path(), &["w"]));
    assert_eq!(text(&server, "w", "/x"), "1 A 1");
    for (binding, migrations, fault) in [
        (
            own("A"),
            format!(r#"{{ "tag": "v0", "new_sqlite_classes": [] }}, {v1}"#),
            "worker \"w\": migrations[0].tag: \"v0\" was not applied, and stands before \"v1\"",
        ),
        (
            own("A"),
            r#"{ "tag": "other", "new_sqlite_classes": ["A"] }"#.into(),
            "worker \"w\": migrations: those up to \"v1\" were applied here",
        ),
        (
            own("A"),
            format!(
                r#"{v1}, {{ "tag": "v2", "deleted_classes": ["Z"] }}, {{ "tag": "v3",
                   "transferred_classes": [{{ "from": "A", "from_script": "none", "to": "C" }}] }}"#
            ),
            "migrations[2].transferred_classes[0].from: worker \"none\" has no class \"A\" here",
        ),
        (
            r#""class_name": "A", "script_name": "none""#.into(),
            v1.into(),
            "worker \"w\": durable_objects: COUNTER -> \"none\": no worker is called so",
        ),
    ] {
        write(dir.path(), "w", &binding, &migrations, &both("2"));
        reload(&server, "config not reloaded");
        assert!(
            server.process.log().contains(fault),
            "{}",
            server.process.log()
        );
        assert!(text(&server, "w", "/x").starts_with("1 A "));
    }
    // A script that does not start deletes nothing.
    let v2 = format!(r#"{v1}, {{ "tag": "v2", "deleted_classes": ["Z"] }}"#);
    write(
        dir.path(),
        "w",
        &own("A"),
        &v2,
        &format!("throw 1; {}", both("2")),
    );
    reload(&server, "config not reloaded");
    write(dir.path(), "w", &own("A"), v1, &both("3"));
    reload(&server, "config reloaded");
    assert_eq!(text(&server, "w", "/x"), "3 A 6");
}

/// What objects have set going goes on under the new name, and ends with the class.
#[test]
fn alarms_and_sockets_follow_a_class_and_end_with_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = |class: &str| {
        format!(
            "import {{ DurableObject }} from 'cloudflare:workers';
             export class Kept extends DurableObject {{}}
             export class {class} extends DurableObject {{
               async fetch() {{
                 const {{ 0: client, 1: server }} = new WebSocketPair();
                 this.ctx.acceptWebSocket(server);
                 return new Response(null, {{ status: 101, webSocket: client }});
               }}
               async webSocketMessage(socket, message) {{
                 if (message === 'alarm') await this.ctx.storage.setAlarm(Date.now() + 200);
                 socket.send('{class} ' + message);
               }}
               alarm() {{
                 for (const socket of this.ctx.getWebSockets()) socket.send('{class} rang');
               }}
             }}
             export default {{ fetch: (request, env) => env.COUNTER.getByName('x').fetch(request) }};"
        )
    };
    let v1 = r#"{ "tag": "v1", "new_sqlite_classes": ["A", "Kept"] }"#;
    write(dir.path(), "w", &own("A"), v1, &script("A"));
    let server = Outboard::serve(&config(dir.path(), &["w"]).replace("w.test", "*"));
    let mut socket = connect(server.address, "/");
    socket.send(Message::text("hello")).expect("sent");
    assert_eq!(hear(&mut socket), "A hello");

    let v2 =
        format!(r#"{v1}, {{ "tag": "v2", "renamed_classes": [{{ "from": "A", "to": "B" }}] }}"#);
    write(dir.path(), "w", &own("B"), &v2, &script("B"));
    reload(&server, "config reloaded");
    socket.send(Message::text("alarm")).expect("sent");
    assert_eq!(hear(&mut socket), "B alarm");
    assert_eq!(hear(&mut socket), "B rang");

    let v3 = format!(r#"{v2}, {{ "tag": "v3", "deleted_classes": ["B"] }}"#);
    write(dir.path(), "w", &own("Kept"), &v3, &script("B"));
    reload(&server, "config reloaded");
    let Message::Close(Some(close)) = socket.read().expect("the close") else {
        panic!("something else than a close");
    };
    assert_eq!(
        (u16::from(close.code), &*close.reason),
        (1001, "the Durable Object's class was deleted")
    );
    until("its object is gone", || {
        databases(&dir.path().join("data")) == 0
    });
}

/// Kills a node in the middle of starts that rename a class. `OUTBOARD_KILLS` says how
/// many.
#[test]
fn a_killed_migration_has_happened_or_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut migrations = r#"{ "tag": "v0", "new_sqlite_classes": ["C0"] }"#.to_string();
    let serve = |number: u32, migrations: &str| {
        let class = format!("C{number}");
        write(
            dir.path(),
            "w",
            &own(&class),
            migrations,
            &script(&class, "1"),
        );
        config(dir.path(), &["w"])
    };
    let server = Outboard::serve(&serve(0, &migrations));
    assert_eq!(text(&server, "w", "/x"), "1 C0 1");
    drop(server);
    let kills = std::env::var("OUTBOARD_KILLS").ok();
    let kills = kills.map_or(5, |kills| kills.parse().expect("a number"));
    for number in 1..=kills {
        migrations.push_str(&format!(
            r#", {{ "tag": "v{number}", "renamed_classes": [{{ "from": "C{}", "to": "C{number}" }}] }}"#,
            number - 1
        ));
        let config = serve(number, &migrations);
        let file = dir.path().join("outboard.toml");
        std::fs::write(&file, format!("listen = \"127.0.0.1:0\"\n{config}")).expect("a file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_outboard"))
            .args(["serve", "--config"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        // Anywhere in the start, which is some hundred milliseconds.
        let moment = 60 + u64::from(number) * 97 % 400;
        std::thread::sleep(Duration::from_millis(moment));
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        let server = Outboard::serve(&config);
        let expected = format!("1 C{number} {}", number + 1);
        assert_eq!(text(&server, "w", "/x"), expected);
    }
}
