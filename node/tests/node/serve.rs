//! `outboard serve`: routes, replacement without a dropped request, draining.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use crate::support::http::{Upload, get, send};
use crate::support::{Outboard, PATIENCE, signal, until};

fn text(server: &Outboard, host: &str, path: &str) -> (String, String) {
    let answer = send(server.address, &get(host, path));
    let status = answer.status.split(' ').next().unwrap_or("").to_string();
    (status, String::from_utf8_lossy(&answer.body).into_owned())
}

fn write(dir: &Path, name: &str, content: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, content).expect("a file is written");
    path.display().to_string()
}

#[test]
fn workers_are_found_by_host_and_path() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = write(
        dir.path(),
        "name.js",
        "export default { fetch: (request, env) => new Response(env.NAME) };",
    );
    let mut config = String::from("lanes = 2\n");
    for (name, routes) in [
        ("api", r#"["api.test/*"]"#),
        ("v2", r#"["api.test/v2/*", "v2.test"]"#),
        ("any", r#"["*.test/*"]"#),
    ] {
        config.push_str(&format!(
            "[[worker]]\nname = {name:?}\nmain = {script:?}\nroutes = {routes}\nvars = {{ NAME = {name:?} }}\n"
        ));
    }
    let server = Outboard::serve(&config);
    let check = |host: &str, path: &str, status: &str, body: &str| {
        assert_eq!(
            text(&server, host, path),
            (status.to_string(), body.to_string()),
            "{host}{path}"
        );
    };
    check("api.test", "/v1", "200", "api");
    check("api.test", "/v2/x", "200", "v2");
    check("v2.test", "/", "200", "v2");
    check("other.test", "/", "200", "any");
    check(
        "elsewhere.example",
        "/",
        "404",
        "no worker is routed at elsewhere.example/",
    );
    check("elsewhere.example", "/health", "200", "ok");
}

/// A worker's folder with this configuration and script.
fn worker_folder(dir: &Path, name: &str, fields: &str, script: &str) -> String {
    let folder = dir.join(name);
    std::fs::create_dir(&folder).expect("a folder");
    let config = format!(
        "{{ \"name\": {name:?}, \"main\": \"index.js\", \"compatibility_date\": \"2026-04-01\" {fields} }}"
    );
    write(&folder, "wrangler.jsonc", &config);
    write(&folder, "index.js", script);
    folder.display().to_string()
}

#[test]
fn workers_call_one_another() {
    let dir = tempfile::tempdir().expect("a folder");
    let front = worker_folder(
        dir.path(),
        "front",
        r#", "services": [
             { "binding": "BACK", "service": "back", "entrypoint": "Back", "props": { "from": "front" } },
             { "binding": "SELF", "service": "front", "entrypoint": "Own" }]"#,
        "import { WorkerEntrypoint } from 'cloudflare:workers';
         export class Own extends WorkerEntrypoint { twice(n) { return n * 2; } }
         export default { async fetch(request, env) {
           const greeting = await env.BACK.greet('me', (name) => `dear ${name}`);
           const fetched = await (await env.BACK.fetch('http://any/path')).text();
           return Response.json([greeting, fetched, await env.SELF.twice(4)]);
         } };",
    );
    worker_folder(
        dir.path(),
        "back",
        "",
        "import { WorkerEntrypoint } from 'cloudflare:workers';
         export class Back extends WorkerEntrypoint {
           async greet(name, style) { return `${await style(name)} of ${this.ctx.props.from}`; }
           fetch(request) { return new Response(new URL(request.url).pathname); }
         }
         export default { fetch: () => new Response('back') };",
    );
    let config = |front: &str, back: &str| {
        format!(
            "lanes = 2\n[[worker]]\nname = \"front\"\ndir = {front:?}\nroutes = [\"front.test\"]\n\
             [[worker]]\nname = \"{back}\"\ndir = {:?}\nroutes = [\"back.test\"]\n",
            dir.path().join("back").display().to_string()
        )
    };
    let server = Outboard::serve(&config(&front, "back"));
    // From both lanes.
    for _ in 0..8 {
        let expected = r#"["dear me of front","/path",8]"#;
        assert_eq!(text(&server, "front.test", "/").1, expected);
    }
    assert_eq!(text(&server, "back.test", "/").1, "back");

    let file = write(
        dir.path(),
        "outboard.toml",
        &format!("listen = \"127.0.0.1:0\"\n{}", config(&front, "other")),
    );
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_outboard"))
        .args(["serve", "--config", &file])
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    let fault = r#"worker "front": services: BACK -> "back": no worker is called so"#;
    assert!(said.contains(fault), "{said}");
}

#[test]
fn workers_hand_one_another_batches_and_scheduled_runs() {
    let dir = tempfile::tempdir().expect("a folder");
    let flag = r#", "compatibility_flags": ["service_binding_extra_handlers"]"#;
    let front = worker_folder(
        dir.path(),
        "front",
        &format!(r#"{flag}, "services": [{{ "binding": "BACK", "service": "back" }}]"#),
        "const message = (id) => ({ id, timestamp: new Date(1e12), body: [id], attempts: 1 });
         export default { async fetch(request, env) {
           const batch = await env.BACK.queue('jobs', [message('a'), message('b')]);
           const run = await env.BACK.scheduled({ cron: '* * * * *', scheduledTime: new Date(5000) });
           const failed = await env.BACK.scheduled({ cron: 'fails' });
           const heard = await (await env.BACK.fetch('http://any/')).json();
           return Response.json([batch.outcome, batch.explicitAcks, batch.retryMessages,
             run, failed.outcome, heard]);
         } };",
    );
    // An object, so that both lanes hear of one list.
    let back = worker_folder(
        dir.path(),
        "back",
        r#", "durable_objects": { "bindings": [{ "name": "LIST", "class_name": "List" }] },
             "migrations": [{ "tag": "v1", "new_sqlite_classes": ["List"] }]"#,
        "import { DurableObject } from 'cloudflare:workers';
         export class List extends DurableObject {
           heard = [];
           add(what) { this.heard.push(what); }
           take() { return this.heard.splice(0); }
         }
         const list = (env) => env.LIST.getByName('one');
         export default {
           async fetch(request, env) { return Response.json(await list(env).take()); },
           async queue(batch, env) {
             batch.messages[0].ack();
             batch.messages[1].retry({ delaySeconds: 3 });
             await list(env).add([batch.queue, batch.messages.map(({ body }) => body)]);
           },
           async scheduled(controller, env) {
             if (controller.cron === 'fails') throw new Error('on purpose');
             controller.noRetry();
             await list(env).add([controller.cron, controller.scheduledTime]);
           },
         };",
    );
    let config = format!(
        "lanes = 2\ndata = {:?}\n[[worker]]\nname = \"front\"\ndir = {front:?}\nroutes = [\"front.test\"]\n\
         [[worker]]\nname = \"back\"\ndir = {back:?}\nroutes = [\"back.test\"]\n",
        dir.path().join("data").display().to_string()
    );
    let server = Outboard::serve(&config);
    for _ in 0..4 {
        let expected = r#"["ok",["a"],[{"msgId":"b","delaySeconds":3}],{"outcome":"ok","noRetry":true},"exception",[["jobs",[["a"],["b"]]],["* * * * *",5000]]]"#;
        assert_eq!(text(&server, "front.test", "/").1, expected);
    }
}

#[test]
fn a_version_is_replaced_without_dropping_a_request() {
    let dir = tempfile::tempdir().expect("a folder");
    let version = |number: u32| {
        format!(
            "export default {{ async fetch(request) {{
               if (request.url.endsWith('/slow')) {{
                 console.log('slow began');
                 await request.text();
               }}
               return new Response('version {number}');
             }} }};"
        )
    };
    let script = write(dir.path(), "worker.js", &version(1));
    let server = Outboard::serve(&format!(
        "lanes = 2\n[[worker]]\nname = \"w\"\nmain = {script:?}\nroutes = [\"*\"]\n"
    ));
    assert_eq!(text(&server, "a.test", "/").1, "version 1");
    let address = server.address;
    // Its body is not all there before the version is replaced.
    let mut slow = TcpStream::connect(address).expect("a connection");
    slow.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    slow.write_all(
        b"POST /slow HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\ncontent-length: 1\r\n\r\n",
    )
    .expect("sent");
    until("slow began", || server.process.log().contains("slow began"));
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let load = std::thread::spawn(move || {
        let mut answers = Vec::new();
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            answers.push(send(address, &get("a.test", "/")));
        }
        answers
    });
    write(dir.path(), "worker.js", &version(2));
    signal(&server.process, libc::SIGHUP);
    until("it is replaced", || {
        text(&server, "a.test", "/").1 == "version 2"
    });
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    for answer in load.join().expect("the load ran") {
        assert!(answer.status.starts_with("200"), "{answer:?}");
    }
    slow.write_all(b"x").expect("sent");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).expect("an answer");
    assert!(
        answer.ends_with("\r\n\r\nversion 1"),
        "it ends where it began: {answer:?}"
    );

    // A version that does not start changes nothing.
    write(dir.path(), "worker.js", "export default {");
    signal(&server.process, libc::SIGHUP);
    until("it is refused", || {
        server.process.log().contains("config not reloaded")
    });
    assert!(
        server.process.log().contains("SyntaxError"),
        "{}",
        server.process.log()
    );
    assert_eq!(text(&server, "a.test", "/").1, "version 2");
}

#[test]
fn a_response_that_goes_on_past_its_limit_is_cut() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = write(
        dir.path(),
        "worker.js",
        "export default { fetch(request) {
           if (!request.url.endsWith('/endless')) return new Response('fine');
           const bytes = new Uint8Array(50_000);
           return new Response(new ReadableStream({ pull(c) { c.enqueue(bytes); } }));
         } };",
    );
    let config = |name: &str, isolation: &str| {
        format!(
            "[[worker]]\nname = {name:?}\nmain = {script:?}\nroutes = [\"{name}.test\"]\n\
             isolation = {isolation:?}\nlimits = {{ response_mb = 1 }}\n"
        )
    };
    let (shared, private) = (config("a", "shared"), config("b", "private"));
    let server = Outboard::serve(&format!("lanes = 1\n{shared}{private}"));
    for (breaches, host) in [(1, "a.test"), (2, "b.test")] {
        let answer = send(server.address, &get(host, "/endless"));
        assert_eq!(answer.fault, Some("cut inside the body"), "{host}");
        let sent = answer.body.len();
        assert!((900_000..=1 << 20).contains(&sent), "{host}: {sent} bytes");
        assert_eq!(text(&server, host, "/").1, "fine");
        let line = "exceeded its response limit of 1048576 bytes";
        until("it is logged", || {
            server.process.log().matches(line).count() == breaches
        });
    }
}

#[test]
fn sigterm_lets_open_requests_end_and_refuses_new_ones() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = write(
        dir.path(),
        "worker.js",
        "export default { async fetch(request) {
           const { readable, writable } = new TransformStream();
           const writer = writable.getWriter();
           (async () => {
             await writer.write(new TextEncoder().encode('first,'));
             await new Promise((r) => setTimeout(r, 400));
             await writer.write(new TextEncoder().encode('last'));
             await writer.close();
           })();
           return new Response(readable);
         } };",
    );
    let mut server = Outboard::serve(&format!(
        "lanes = 1\n[[worker]]\nname = \"w\"\nmain = {script:?}\nroutes = [\"*\"]\n"
    ));
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .expect("sent");
    let mut seen = Vec::new();
    let mut buffer = [0; 4_096];
    while !String::from_utf8_lossy(&seen).contains("first,") {
        let count = stream.read(&mut buffer).expect("the answer begins");
        assert_ne!(count, 0, "ended before it began");
        seen.extend_from_slice(&buffer[..count]);
    }
    signal(&server.process, libc::SIGTERM);
    stream.read_to_end(&mut seen).expect("the answer ends");
    let seen = String::from_utf8_lossy(&seen);
    assert!(
        seen.contains("last") && seen.ends_with("0\r\n\r\n"),
        "{seen}"
    );
    let status = server.process.wait(PATIENCE);
    assert!(status.success(), "{status:?}: {}", server.process.log());
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn a_broken_config_is_reported_whole_and_nothing_listens() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = write(
        dir.path(),
        "outboard.toml",
        "lanes = 0\n[[worker]]\nname = \"a\"\nmain = \"gone.js\"\nroutes = [\"*.*\"]\n",
    );
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_outboard"))
        .args(["serve", "--config", &file])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains(":1:9: lanes: 0: write 1 to 256"), "{text}");
    assert!(
        text.contains(":5:11: worker[0].routes[0]: \"*.*\""),
        "{text}"
    );
}

#[test]
fn a_websocket_echoes_over_the_network() {
    use tokio_tungstenite::tungstenite::Message;
    let dir = tempfile::tempdir().expect("a folder");
    let script = write(
        dir.path(),
        "worker.js",
        "export default { fetch(request) {
           const [client, server] = Object.values(new WebSocketPair());
           server.accept();
           server.addEventListener('message', ({ data }) => {
             if (data === 'bye') server.close(4001, 'as you wish');
             else server.send(typeof data === 'string' ? `echo ${data}` : data);
           });
           return new Response(null, { status: 101, webSocket: client });
         } };",
    );
    let server = Outboard::serve(&format!(
        "lanes = 1\n[[worker]]\nname = \"w\"\nmain = {script:?}\nroutes = [\"*\"]\n"
    ));
    let stream = TcpStream::connect(server.address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let url = format!("ws://{}/", server.address);
    let (mut socket, _) =
        tokio_tungstenite::tungstenite::client(url, stream).expect("the handshake");
    socket.send(Message::text("hello")).expect("sent");
    assert_eq!(
        socket.read().expect("a message"),
        Message::text("echo hello")
    );
    socket.send(Message::text("bye")).expect("sent");
    let Message::Close(Some(frame)) = socket.read().expect("a close") else {
        panic!("not a close");
    };
    assert_eq!(
        (u16::from(frame.code), frame.reason.as_str()),
        (4001, "as you wish")
    );
    // Without the handshake's header there is nothing to switch to.
    assert_eq!(text(&server, "a.test", "/").0, "500");
}

#[test]
fn a_hog_on_a_lane_of_its_own_delays_nobody() {
    let dir = tempfile::tempdir().expect("a folder");
    let hog = write(
        dir.path(),
        "hog.js",
        "export default { async fetch(request) {
           const { pathname } = new URL(request.url);
           if (pathname === '/spin') { console.log('it spins'); for (;;); }
           if (pathname === '/stream') return new Response(request.body.pipeThrough(new IdentityTransformStream()));
           return new Response('hog');
         } };",
    );
    let good = write(
        dir.path(),
        "good.js",
        "export default { fetch: () => new Response('good') };",
    );
    let server = Outboard::serve(&format!(
        "lanes = 1\n\
         [[worker]]\nname = \"hog\"\nmain = {hog:?}\nroutes = [\"hog.test\"]\n\
         isolation = \"private\"\nlimits = {{ cpu_ms = 1500 }}\n\
         [[worker]]\nname = \"good\"\nmain = {good:?}\nroutes = [\"good.test\"]\n"
    ));
    assert_eq!(text(&server, "hog.test", "/").1, "hog");
    assert_eq!(text(&server, "good.test", "/").1, "good");
    let mut upload = get("hog.test", "/stream");
    upload.method = "POST".into();
    upload.upload = Upload::Chunked(vec![b"one,".to_vec(), b"two".to_vec()]);
    assert_eq!(send(server.address, &upload).body, b"one,two");

    let address = server.address;
    let spinning = std::thread::spawn(move || send(address, &get("hog.test", "/spin")));
    until("it spins", || server.process.log().contains("it spins"));
    let mut served = 0;
    while !spinning.is_finished() {
        assert_eq!(text(&server, "good.test", "/").1, "good");
        served += 1;
    }
    // On the hog's own lane the first would have waited for its end.
    assert!(served > 10, "{served} served");
    let answer = spinning.join().expect("it was answered");
    assert!(answer.status.starts_with("503"), "{answer:?}");
    // Its isolate is replaced.
    assert_eq!(text(&server, "hog.test", "/").1, "hog");
}

#[test]
fn a_worker_opens_websockets_itself() {
    let dir = tempfile::tempdir().expect("a folder");
    let echo = write(
        dir.path(),
        "echo.js",
        "export default { fetch(request) {
           if (request.headers.get('upgrade') !== 'websocket') return new Response('no', { status: 426 });
           const [client, server] = Object.values(new WebSocketPair());
           server.accept();
           server.addEventListener('message', ({ data }) => server.send(`echo ${data}`));
           return new Response(null, { status: 101, webSocket: client, headers: { 'sec-websocket-protocol': 'chat' } });
         } };",
    );
    let caller = write(
        dir.path(),
        "caller.js",
        "export default { async fetch(request) {
           const port = request.headers.get('x-port');
           const { pathname } = new URL(request.url);
           if (pathname === '/class') {
             const socket = new WebSocket(`ws://127.0.0.1:${port}/`, 'chat');
             const log = [socket.readyState];
             await new Promise((resolve, reject) => {
               socket.onerror = (event) => reject(event.error);
               socket.onopen = () => { log.push('open', socket.protocol); socket.send('a'); };
               socket.onmessage = ({ data }) => { log.push(data); socket.close(1000, 'done'); };
               socket.onclose = ({ code }) => { log.push(code, socket.readyState); resolve(); };
             });
             return Response.json(log);
           }
           if (pathname === '/refused') {
             const socket = new WebSocket(`ws://127.0.0.1:${port}/refused`);
             const error = await new Promise((resolve) => { socket.onerror = resolve; });
             return new Response(error.message);
           }
           const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { upgrade: 'websocket' } });
           const socket = response.webSocket;
           socket.accept();
           const answer = new Promise((resolve) => socket.addEventListener('message', ({ data }) => resolve(data)));
           socket.send('b');
           const text = `${response.status} ${await answer}`;
           socket.close();
           return new Response(text);
         } };",
    );
    let server = Outboard::serve(&format!(
        "lanes = 1\negress = {{ allow_private = true }}\n\
         [[worker]]\nname = \"caller\"\nmain = {caller:?}\nroutes = [\"caller.test\"]\n\
         [[worker]]\nname = \"refuse\"\nmain = {caller:?}\nroutes = [\"*/refused\"]\n\
         [[worker]]\nname = \"echo\"\nmain = {echo:?}\nroutes = [\"*\"]\n"
    ));
    let check = |path: &str, expected: &str| {
        let mut request = get("caller.test", path);
        let port = server.address.port().to_string();
        request.headers.push(("x-port".into(), port));
        let answer = send(server.address, &request);
        let body = String::from_utf8_lossy(&answer.body);
        assert!(
            body.contains(expected),
            "{path}: {body}; {}",
            server.process.log()
        );
    };
    check("/class", r#"[0,"open","chat","echo a",1000,3]"#);
    check("/fetch", "101 echo b");
    check(
        "/refused",
        "WebSocket connection failed: the server answered 500",
    );
}
