//! `node:` modules: who may import them, and that they touch nothing outside.

use outboard_runtime::Compatibility;

use crate::support::*;

/// Before Node's modules were there without a flag.
const DATE: &str = "2026-08-01";
const FULL: &[&str] = &["nodejs_compat"];

fn compatibility(flags: &[&str]) -> Compatibility {
    Compatibility::new(DATE, flags).expect("the flags are known")
}

fn answer(flags: &[&str], source: &str) -> Result<(u16, String), String> {
    let bench = Bench::new();
    let worker = worker_with(source, |spec| {
        spec.compatibility = compatibility(flags);
        spec.env.insert("NAME".into(), "value".into());
    });
    bench
        .get(&worker, "/")
        .map_err(|error| format!("{error:?}"))
}

fn handler(body: &str) -> String {
    format!("export default {{ async fetch(request) {{ {body} }} }};")
}

#[test]
fn modules_are_there_for_the_flag_alone() {
    let source = |name: &str| {
        format!(
            "import {{ AsyncLocalStorage }} from {name:?};\n{}",
            handler("return new Response(typeof AsyncLocalStorage);")
        )
    };
    let check = |flags: &[&str], name, there: bool| {
        let answer = answer(flags, &source(name));
        let is_there = answer.is_ok_and(|it| it == (200, "function".into()));
        assert_eq!(is_there, there, "{flags:?} {name}");
    };
    check(&[], "node:async_hooks", false);
    check(&["nodejs_als"], "node:async_hooks", true);
    check(
        &["nodejs_compat", "no_nodejs_compat_v2"],
        "node:async_hooks",
        true,
    );
    check(
        &["nodejs_compat", "no_nodejs_compat_v2"],
        "async_hooks",
        false,
    );
    check(FULL, "async_hooks", true);
}

#[test]
fn globals_come_with_the_whole_of_it() {
    let source = handler(
        "return new Response([typeof Buffer, typeof process, typeof global, typeof setImmediate].join());",
    );
    let check = |flags: &[&str], expected: &str| {
        assert_eq!(answer(flags, &source).unwrap().1, expected, "{flags:?}");
    };
    check(&[], "undefined,undefined,undefined,undefined");
    check(
        &["nodejs_compat", "no_nodejs_compat_v2"],
        "undefined,undefined,undefined,undefined",
    );
    check(FULL, "function,object,object,function");
}

/// Invariant 5: nothing of the host is there to be read.
#[test]
fn nothing_of_the_host_shows() {
    let source = format!(
        "import fs from 'node:fs'; import os from 'node:os';\n{}",
        handler(
            "const seen = {};
             for (const path of ['/etc/passwd', '/proc/self/environ', '/bundle/../etc/hosts']) {
               try { fs.readFileSync(path); seen[path] = 'read'; } catch (error) { seen[path] = error.code; }
             }
             return Response.json([
               Object.values(seen), fs.readdirSync('/'), os.hostname(), Object.keys(process.env),
               process.pid, process.cwd(),
             ]);"
        )
    );
    let (_, body) = answer(FULL, &source).unwrap();
    assert_eq!(
        body,
        r#"[["ENOENT","ENOENT","ENOENT"],["bundle","tmp","dev"],"localhost",["NAME"],1,"/bundle"]"#
    );
}

#[test]
fn an_event_has_tmp_for_itself() {
    let source = format!(
        "import fs from 'node:fs';\n{}",
        handler(
            "const before = fs.readdirSync('/tmp');
             fs.writeFileSync('/tmp/x', 'one');
             fs.appendFileSync('/tmp/x', ' two');
             await new Promise((resolve) => setTimeout(resolve, 1));
             return Response.json([before, fs.readFileSync('/tmp/x', 'utf8')]);"
        )
    );
    let bench = Bench::new();
    let worker = worker_with(&source, |spec| spec.compatibility = compatibility(FULL));
    for _ in 0..2 {
        let (status, body) = bench.get(&worker, "/").unwrap();
        assert_eq!((status, body.as_str()), (200, r#"[[],"one two"]"#));
    }
}

#[test]
fn what_would_take_long_is_refused() {
    let source = format!(
        "import crypto from 'node:crypto';\n{}",
        handler(
            "const tries = [
               () => crypto.pbkdf2Sync('x', 'y', 1e9, 32, 'sha256'),
               () => crypto.scryptSync('x', 'y', 32, { N: 1 << 24, maxmem: 1e12 }),
               () => crypto.generatePrimeSync(100000),
               () => crypto.generateKeyPairSync('rsa', { modulusLength: 65536 }),
               () => crypto.createDiffieHellman(65536),
               () => new (crypto.createDiffieHellman(64).constructor)(65536),
             ];
             return Response.json(tries.map((run) => {
               try { run(); return 'done'; } catch (error) { return error.name; }
             }));"
        )
    );
    let (_, body) = answer(FULL, &source).unwrap();
    assert_eq!(body, format!("[{}]", [r#""RangeError""#; 6].join(",")));
}

#[test]
fn streams_zlib_and_crypto_work_together() {
    let source = format!(
        "import {{ pipeline }} from 'node:stream/promises'; import {{ Readable }} from 'node:stream';
         import zlib from 'node:zlib'; import {{ createHash }} from 'node:crypto';\n{}",
        handler(
            "const text = 'the same words, '.repeat(4000);
             const parts = [];
             await pipeline(Readable.from([text]), zlib.createGzip(), zlib.createGunzip(), async (source) => {
               for await (const part of source) parts.push(part);
             });
             const same = Buffer.concat(parts).toString() === text;
             const brotli = zlib.brotliDecompressSync(zlib.brotliCompressSync(text)).toString() === text;
             return Response.json([same, brotli, createHash('sha256').update('abc').digest('hex').slice(0, 8)]);"
        )
    );
    let (_, body) = answer(FULL, &source).unwrap();
    assert_eq!(body, r#"[true,true,"ba7816bf"]"#);
}
