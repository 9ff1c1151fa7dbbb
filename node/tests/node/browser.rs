//! A page of a worker's in a real browser: its scripts, styles and streams come
//! through hyper as Chromium asks for them. Skipped where there is none.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::http::{get, send};
use crate::support::{Dev, PATIENCE, Process};

/// What distributions call it.
const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

const CONFIG: &str =
    r#"{ "name": "page", "main": "index.js", "compatibility_date": "2026-01-01" }"#;

/// Each chunk comes after a pause, so a browser that got them all at once would
/// have seen one read.
const SCRIPT: &str = r#"
const page = `<!doctype html><ul></ul><script type="module">
  const list = document.querySelector("ul");
  const show = (text) => list.append(Object.assign(document.createElement("li"), { textContent: text }));
  const stream = (await fetch("/stream")).body.pipeThrough(new TextDecoderStream());
  let reads = 0;
  for await (const text of stream) { reads++; show("read " + text.trim()); }
  show(reads + " reads");
  const form = new FormData();
  form.append("file", new File(["x".repeat(100_000)], "big.txt"));
  show(await (await fetch("/upload", { method: "POST", body: form })).text());
  await fetch("/seen", { method: "POST", body: list.innerText });
</script>`;
let seen = "";
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return new Response(page, { headers: { "content-type": "text/html" } });
    if (pathname === "/seen") {
      seen = await request.text() || seen;
      return new Response(seen);
    }
    if (pathname === "/upload") {
      const file = (await request.formData()).get("file");
      return new Response(`${file.name} has ${file.size} bytes`);
    }
    if (pathname !== "/stream") return new Response(null, { status: 404 });
    const { readable, writable } = new TransformStream();
    (async () => {
      const writer = writable.getWriter();
      for (const text of ["one", "two", "three"]) {
        await writer.write(new TextEncoder().encode(text + "\n"));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await writer.close();
    })();
    return new Response(readable);
  },
};
"#;

#[test]
fn a_page_streams_and_uploads_in_chromium() {
    let is_there = |name: &&&str| {
        let asked = Command::new(name).arg("--version").output();
        asked.is_ok_and(|output| output.status.success())
    };
    let Some(chromium) = NAMES.iter().find(is_there) else {
        eprintln!("SKIPPED: no Chromium here; `apt-get install chromium` brings it");
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    for (name, content) in [("wrangler.json", CONFIG), ("index.js", SCRIPT)] {
        std::fs::write(dir.path().join(name), content).expect("a file is written");
    }
    let dev = Dev::start(dir.path());
    let profile = tempfile::tempdir().expect("a folder");
    let mut browser = Command::new(chromium);
    browser
        // Its sandbox needs what a container seldom has; the page is ours.
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        // It stays until it is told to go.
        .arg("--remote-debugging-port=0")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("http://{}/", dev.address));
    let browser = Process::start(browser, |_line| {});
    let deadline = Instant::now() + PATIENCE;
    let seen = loop {
        let answer = send(dev.address, &get("page.test", "/seen"));
        if !answer.body.is_empty() {
            break String::from_utf8_lossy(&answer.body).into_owned();
        }
        let logs = || format!("{}\n{}", dev.process.log(), browser.log());
        assert!(Instant::now() < deadline, "no page was shown:\n{}", logs());
        std::thread::sleep(Duration::from_millis(20));
    };
    let lines: Vec<_> = seen.lines().collect();
    assert_eq!(
        lines,
        [
            "read one",
            "read two",
            "read three",
            "3 reads",
            "big.txt has 100000 bytes"
        ]
    );
}
