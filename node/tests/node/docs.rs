//! What the README and docs/ show does what they say: their configurations
//! serve, their commands run, the globals they list are there.

use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;

use crate::support::http::{Request, get, send};
use crate::support::{Outboard, PATIENCE, Process};

fn root() -> PathBuf {
    let node = Path::new(env!("CARGO_MANIFEST_DIR"));
    node.parent().expect("node/ lies in the workspace").into()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A fenced block of a page.
struct Block {
    language: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut parts = page.split("```");
    let mut blocks = Vec::new();
    parts.next();
    while let (Some(block), Some(_prose)) = (parts.next(), parts.next()) {
        let (language, text) = block.split_once('\n').expect("a block has lines");
        blocks.push(Block {
            language: language.trim().into(),
            text: text.into(),
        });
    }
    blocks
}

/// A folder to run examples in: the repository's, as far as pages name it.
fn workplace() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    symlink(root().join("examples"), dir.path().join("examples")).expect("a link");
    let status = "export default { fetch: () => new Response(\"fine\\n\") };\n";
    std::fs::write(dir.path().join("status.js"), status).expect("a script");
    dir
}

/// Some pages use the examples' packages, which `scripts/setup` installs.
fn lacks_packages(text: &str) -> bool {
    let lacking =
        text.contains("examples/hono") && !root().join("examples/hono/node_modules/hono").is_dir();
    if lacking {
        eprintln!("SKIPPED: packages of examples/hono are not here; run scripts/setup");
    }
    lacking
}

fn outboard(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command.args(arguments).current_dir(dir);
    command
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = outboard(dir, arguments);
    command.stdin(Stdio::null());
    command.output().expect("outboard runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server of a page's example, on a port of its own.
struct Server {
    _process: Process,
    address: SocketAddr,
}

impl Server {
    fn start(command: Command, example: &str) -> Self {
        let (sender, ready) = mpsc::channel();
        let process = Process::start(command, move |line| {
            if let Some((_, address)) = line.split_once("ready on http://") {
                // The test may have given up.
                let _ = sender.send(address.to_string());
            }
        });
        let address = ready
            .recv_timeout(PATIENCE)
            .ok()
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("not ready:\n{example}\n{}", process.log()));
        Self {
            _process: process,
            address,
        }
    }

    fn get(&self, host: &str, path: &str) -> String {
        let answer = send(self.address, &get(host, path));
        assert_eq!(answer.status, "200 OK", "{host}{path}: {answer:?}");
        text(&answer.body)
    }
}

/// A page's config, but on a free port.
fn on_a_free_port(config: &str) -> String {
    let listens = |line: &&str| line.starts_with("listen = ");
    let others: Vec<_> = config.lines().filter(|line| !listens(line)).collect();
    format!("listen = \"127.0.0.1:0\"\n{}\n", others.join("\n"))
}

#[test]
fn every_config_that_is_shown_serves() {
    let configs: Vec<_> = ["docs/serve.md", "README.md"]
        .iter()
        .flat_map(|name| blocks(&page(name)))
        .filter(|block| block.language == "toml")
        .collect();
    assert!(configs.len() >= 4, "the pages show configs as toml");
    for config in configs {
        if lacks_packages(&config.text) {
            continue;
        }
        let dir = workplace();
        let file = dir.path().join("outboard.toml");
        std::fs::write(file, on_a_free_port(&config.text)).expect("the config");
        let keys = "aws_access_key_id = KEY\naws_secret_access_key = SECRET\n";
        std::fs::write(dir.path().join("s3.keys"), keys).expect("keys");
        let server = Server::start(outboard(dir.path(), &["serve"]), &config.text);
        assert_eq!(server.get("any.test", "/health"), "ok");
    }
}

/// The worker that a page shows.
fn shown(name: &str) -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for block in blocks(&page(name)) {
        let file = match block.language.as_str() {
            "js" => "index.js",
            _ => "wrangler.jsonc",
        };
        std::fs::write(dir.path().join(file), &block.text).expect("a file");
    }
    let dev = outboard(dir.path(), &["dev", "--port", "0"]);
    let server = Server::start(dev, name);
    (dir, server)
}

#[test]
fn the_page_of_loaders_runs() {
    let (_dir, server) = shown("docs/loader.md");
    assert_eq!(server.get("any.test", "/"), "ada: ");
}

#[test]
fn the_page_of_calls_runs() {
    let (_dir, server) = shown("docs/rpc.md");
    assert_eq!(server.get("any.test", "/"), r#"{"items":1,"visits":1}"#);
    assert_eq!(server.get("any.test", "/"), r#"{"items":1,"visits":2}"#);
}

#[test]
fn the_page_of_stubs_that_last_runs() {
    let (_dir, server) = shown("docs/restore.md");
    assert_eq!(server.get("any.test", "/"), "Hello, Ada!");
}

#[test]
fn the_readmes_tour_runs() {
    let readme = page("README.md");
    let (_, tour) = readme.split_once("\n## Tour\n").expect("a tour");
    let tour = tour.split("\n## ").next().unwrap_or_default();
    let dir = workplace();
    let mut server = None;
    let mut ran = 0;
    for block in blocks(tour) {
        if block.language == "toml" {
            let config = on_a_free_port(&block.text);
            std::fs::write(dir.path().join("outboard.toml"), config).expect("the config");
        }
        if block.language != "sh" || lacks_packages(&block.text) {
            continue;
        }
        for line in block.text.lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            ran += 1;
            match words.as_slice() {
                ["outboard", "dev", rest @ ..] => {
                    let arguments =
                        [&["dev"], rest, &["--port", "0", "--inspector-port", "0"]].concat();
                    server = Some(Server::start(outboard(dir.path(), &arguments), line));
                }
                ["outboard", "serve", rest @ ..] => {
                    if lacks_packages(tour) {
                        return;
                    }
                    let arguments = [&["serve"], rest].concat();
                    server = Some(Server::start(outboard(dir.path(), &arguments), line));
                }
                ["outboard", arguments @ ..] => {
                    let output = run(dir.path(), arguments);
                    let error = text(&output.stderr);
                    assert!(output.status.success(), "{line}\n{error}");
                }
                ["curl", url] => {
                    let url = url.trim_matches('\'');
                    let (host, path) = url.split_once('/').expect("a path");
                    let server = server.as_ref().expect("a server was started before");
                    let body = server.get(host, &format!("/{path}"));
                    assert!(!body.is_empty(), "{line}");
                }
                _ => panic!("README.md: this test cannot run {line:?}"),
            }
        }
    }
    assert!(ran >= 7, "the tour is in sh blocks");
    assert!(
        dir.path().join("dist/index.js").is_file(),
        "`bundle --out dist` wrote the entry"
    );
}

#[test]
fn the_two_commands_are_there() {
    use std::os::unix::fs::PermissionsExt;
    let readme = page("README.md");
    let (_, section) = readme
        .split_once("\n## Two commands\n")
        .expect("two commands");
    let commands = &blocks(section)[0];
    let programs: Vec<_> = commands
        .text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(programs, ["scripts/agent", "scripts/test"]);
    for program in programs.iter().chain(&["scripts/setup", ".ci/run"]) {
        let file = std::fs::metadata(root().join(program));
        let mode = file
            .unwrap_or_else(|error| panic!("{program}: {error}"))
            .permissions();
        assert!(mode.mode() & 0o111 != 0, "{program} can be run");
    }
}

#[test]
fn help_teaches() {
    let dir = workplace();
    let top = text(&run(dir.path(), &["--help"]).stdout);
    for command in [
        "dev",
        "serve",
        "bundle",
        "check",
        "data",
        "d1",
        "r2",
        "completions",
    ] {
        let listed = top.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(command) && words.count() >= 3
        });
        assert!(listed, "`outboard --help` says what {command} does:\n{top}");
        let output = run(dir.path(), &["help", command]);
        let help = text(&output.stdout);
        assert!(output.status.success(), "{command}");
        assert!(help.contains("Usage: outboard"), "{command}:\n{help}");
        // More than the usage line and its options' names.
        assert!(help.split_whitespace().count() > 40, "{command}:\n{help}");
    }
    for (command, example) in [
        ("dev", "outboard dev"),
        ("serve", "[[worker]]"),
        ("bundle", "outboard bundle"),
        ("check", "outboard check"),
        ("data", "outboard data export"),
        ("d1", "outboard d1 migrations apply"),
        ("r2", "outboard r2 put"),
    ] {
        let help = text(&run(dir.path(), &["help", command]).stdout);
        assert!(help.contains(example), "{command} has an example:\n{help}");
    }
}

#[test]
fn completions_know_every_command() {
    let dir = workplace();
    for shell in ["bash", "zsh", "fish"] {
        let output = run(dir.path(), &["completions", shell]);
        let script = text(&output.stdout);
        assert!(output.status.success(), "{shell}");
        for command in ["dev", "serve", "bundle", "check"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

/// `` `names` `` of the table below a heading.
fn names_below(page: &str, heading: &str) -> Vec<String> {
    let (_, rest) = page
        .split_once(heading)
        .unwrap_or_else(|| panic!("{heading}"));
    rest.split("\n## ")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| line.starts_with('|'))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .map(str::to_string)
        .collect()
}

#[test]
fn the_globals_that_are_listed_are_there() {
    let page = page("docs/workers-api.md");
    let there = names_below(&page, "\n## Globals\n");
    assert!(there.len() > 60, "the page lists the globals in a table");
    // The first column only: the second says what to use instead.
    let (_, not_there) = page.split_once("\n## Not there yet\n").expect("a table");
    let first = not_there.lines().filter_map(|row| row.split('|').nth(1));
    let missing: Vec<_> = first
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_string)
        .collect();
    let is_global = |name: &&String| name.chars().all(|c| c.is_ascii_alphanumeric());
    let missing: Vec<_> = missing.iter().filter(is_global).collect();
    let script = r#"
        const find = (path) => path.split(".").reduce((at, name) => at?.[name], globalThis);
        export default {
          async fetch(request) {
            const { there, missing } = await request.json();
            return Response.json({
              gone: there.filter((name) => find(name) === undefined),
              come: missing.filter((name) => find(name) !== undefined),
            });
          },
        };
    "#;
    let dir = workplace();
    let file = dir.path().join("names.js");
    std::fs::write(&file, script).expect("a script");
    let node = Outboard::serve(&format!(
        "[[worker]]\nname = \"names\"\nmain = {file:?}\nroutes = [\"*\"]\n"
    ));
    let names = serde_json::json!({ "there": there, "missing": missing });
    let answer = send(
        node.address,
        &Request {
            method: "POST".into(),
            path: "/".into(),
            headers: vec![
                ("host".into(), "names.test".into()),
                ("connection".into(), "close".into()),
            ],
            upload: crate::support::http::Upload::Sized(names.to_string().into()),
        },
    );
    assert_eq!(
        text(&answer.body),
        r#"{"gone":[],"come":[]}"#,
        "docs/workers-api.md: `gone` are listed as globals, `come` as missing\n{}",
        node.process.log()
    );
}
