//! EventSource fed a byte at a time, and with what is too much.

use crate::support::*;

fn check(body: &str, expected: &str) {
    let bench = Bench::new();
    let source = format!(
        "export default {{ async fetch() {{ return new Response(await run()); }} }};\n\
         async function run() {{ {body} }}"
    );
    let answer = bench.get(&worker(&source), "/");
    let log = bench.log.lock().clone();
    let (_, text) = answer.unwrap_or_else(|error| panic!("{error}; {log:?}"));
    assert_eq!(text, expected, "{log:?}");
}

#[test]
fn cuts_anywhere_change_nothing() {
    check(
        r#"
        const bytes = new TextEncoder().encode(
          "\ufeff: hi\r\n\r\nid: \u20ac\r\ndata: a\u{1f600}\rdata: b\n\nevent: x\r\ndata:c\r\n\r\nretry: x\nid: a\0b\ndata: d\r\r",
        );
        const read = (chunks) => new Promise((resolve) => {
          const seen = [];
          const source = EventSource.from(ReadableStream.from(chunks));
          const take = (event) => seen.push([event.type, event.data, event.lastEventId]);
          source.onmessage = take;
          source.addEventListener("x", take);
          source.onerror = () => resolve(JSON.stringify(seen));
        });
        const whole = await read([bytes]);
        for (let at = 1; at < bytes.length; at++) {
          const cut = await read([bytes.subarray(0, at), bytes.subarray(at)]);
          if (cut !== whole) return `${at}: ${cut}`;
        }
        const single = await read(Array.from(bytes, (byte) => new Uint8Array([byte])));
        return single === whole ? whole : single;
        "#,
        r#"[["message","a😀\nb","€"],["x","c","€"],["message","d","€"]]"#,
    );
}

#[test]
fn a_stream_that_gives_no_bytes_is_an_error() {
    check(
        r#"
        const source = EventSource.from(ReadableStream.from([5]));
        return new Promise((resolve) => {
          source.onerror = (event) => resolve(`${event.error.name} ${source.readyState}`);
        });
        "#,
        "TypeError 2",
    );
}

#[test]
fn a_close_cancels_the_stream() {
    check(
        r#"
        return new Promise((resolve) => {
          const stream = new ReadableStream({ cancel() { resolve("cancelled"); } });
          EventSource.from(stream).close();
        });
        "#,
        "cancelled",
    );
}
