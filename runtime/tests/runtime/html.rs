//! HTMLRewriter where no other engine is to compare with: faults of the input,
//! and what becomes of documents that nobody reads to their end.

use crate::support::*;

fn check(body: &str, expected: &str) {
    let bench = Bench::new();
    let source = format!(
        "export default {{ async fetch() {{ return new Response(await run()); }} }};\n\
         const rewrite = (body, handlers) => new HTMLRewriter().on('p', handlers).transform(new Response(body));\n\
         async function run() {{ {body} }}"
    );
    let answer = bench.get(&worker(&source), "/");
    let log = bench.log.lock().clone();
    let (_, text) = answer.unwrap_or_else(|error| panic!("{error}; {log:?}"));
    assert_eq!(text, expected, "{log:?}");
}

#[test]
fn a_fault_of_the_input_is_the_readers() {
    check(
        r#"
        let pulls = 0;
        const input = new ReadableStream({
          pull(controller) {
            if (pulls++ === 0) controller.enqueue(new TextEncoder().encode("<p>a"));
            else controller.error(new RangeError("input"));
          },
        });
        const reader = rewrite(input, {}).body.getReader();
        const { value } = await reader.read();
        const error = await reader.read().catch((error) => error);
        return `${new TextDecoder().decode(value)} ${error.name} ${error.message}`;
        "#,
        "<p>a RangeError input",
    );
}

#[test]
fn a_token_past_the_memory_limit_is_an_error() {
    check(
        r#"
        const html = `<p a="${"x".repeat(4 << 20)}">`;
        return rewrite(html, { element() {} }).text().catch((error) => `${error.name}: ${error.message}`);
        "#,
        "TypeError: Parser error: The memory limit has been exceeded.",
    );
    check(
        r#"
        const large = "x".repeat(8 << 20);
        const html = "<p>".repeat(20);
        return rewrite(html, { element(p) { p.append(large); } }).text().catch((error) => error.message);
        "#,
        "Parser error: what handlers put in would exceed 67108864 bytes before it is written",
    );
}

#[test]
fn a_reader_that_waits_holds_the_parser_back() {
    check(
        r#"
        let pulled = 0, handled = 0;
        const page = new TextEncoder().encode("<p>a</p>".repeat(10_000));
        const input = new ReadableStream({
          pull(controller) { pulled++; controller.enqueue(page); if (pulled === 20) controller.close(); },
        }, { highWaterMark: 0 });
        const reader = rewrite(input, { element() { handled++; } }).body.getReader();
        await reader.read();
        await scheduler.wait(5);
        const early = pulled < 10 && handled < 50_000;
        let length = 0;
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          length += value.length;
        }
        return `${early} ${pulled} ${handled}`;
        "#,
        "true 20 200000",
    );
}

#[test]
fn documents_that_nobody_reads_end_with_their_event() {
    let bench = Bench::new();
    let worker = worker(
        r#"
        export default {
          async fetch() {
            for (let i = 0; i < 100; i++) {
              const never = new ReadableStream({ pull() { return new Promise(() => {}); } });
              new HTMLRewriter().transform(new Response(never));
              new HTMLRewriter().on("p", { element: () => new Promise(() => {}) }).transform(new Response("<p>"));
            }
            return new HTMLRewriter().on("p", { element(p) { p.append("x"); } }).transform(new Response("<p>a</p>"));
          },
        };
        "#,
    );
    // Six times as many as an isolate may have open.
    for _ in 0..16 {
        let (status, body) = bench.get(&worker, "/").expect("an answer");
        assert_eq!(
            (status, body.as_str()),
            (200, "<p>ax</p>"),
            "{:?}",
            bench.log.lock()
        );
    }
}

#[test]
fn handlers_run_for_the_event_of_the_transformation() {
    check(
        r#"
        const seen = [];
        const html = await rewrite("<p>a</p>", {
          async element(p) {
            const answer = await fetch("http://up.test/");
            p.append(await answer.text());
          },
        }).text();
        return html;
        "#,
        "<p>aGET http://up.test/</p>",
    );
}
