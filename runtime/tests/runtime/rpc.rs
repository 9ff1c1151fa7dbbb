//! Calls of durable objects' methods: the gates hold for them as for requests. What
//! calls are like for scripts is compared with workerd's (node/tests/parity/rpc.js).

use crate::object_host::objects_of;

/// Answers with what the object named by the path gives for `expression`.
fn handler(expression: &str) -> String {
    format!(
        "const [, name, method] = new URL(request.url).pathname.split('/');
         const stub = env.BOX.getByName(name);
         return new Response(JSON.stringify(await {expression}) ?? 'undefined');"
    )
}

#[test]
fn an_object_has_methods_and_promises_of_them() {
    let objects = objects_of(
        "count = 0;
         async add(n) { return (this.count += n); }
         nested() { return { list: [1, 2], add: (n) => this.add(n) }; }
         get name() { return this.ctx.id.name; }
         #hidden() {}",
        &handler(
            "(async () => {
               const order = await Promise.all([stub.add(1), stub.add(10), stub.add(100)]);
               using nested = await stub.nested();
               const missing = await stub.hidden().catch((error) => error.message);
               return [order, await nested.add(1), await stub.nested().add(1), missing];
             })()",
        ),
    );
    assert_eq!(
        objects.get("/a/x"),
        r#"[[1,11,111],112,113,"The RPC receiver does not implement the method \"hidden\"."]"#
    );
}

/// Half as much again as an isolate may have of buffers: those of calls that are over are
/// garbage.
#[test]
fn large_arguments_of_calls_that_are_over_count_no_more() {
    let objects = objects_of(
        "size(bytes) { return bytes.byteLength; }",
        &handler(
            "(async () => {
               const bytes = new Uint8Array(2 << 20);
               let sum = 0;
               for (let i = 0; i < 96; i++) sum += await stub.size(bytes);
               return sum / bytes.byteLength;
             })()",
        ),
    );
    assert_eq!(objects.get("/a/x"), "96");
}

/// Invariant 3.
#[test]
fn no_result_leaves_before_the_writes_are_durable() {
    let objects = objects_of(
        "async write() { this.ctx.storage.put('k', 'v'); return 'written'; }
         async read() { return this.ctx.storage.get('k'); }",
        &handler("stub[method]()"),
    );
    objects.shared.durable.send_replace(0);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| objects.get("/a/write"));
        // Another object's results do not wait: it wrote nothing.
        assert_eq!(objects.get("/b/read"), "undefined");
        assert!(!asked.is_finished());
        objects.shared.durable.send_replace(i64::MAX);
        assert_eq!(asked.join().expect("no panic"), r#""written""#);
    });
}

/// Invariant 3, for what an object asks of another.
#[test]
fn no_call_leaves_before_the_writes_are_durable() {
    let objects = objects_of(
        "async forward() {
           this.ctx.storage.put('k', 'v');
           return await this.env.BOX.getByName('other').seen();
         }
         async seen() { await fetch('http://up.test/called'); return 'seen'; }",
        &handler("stub[method]()"),
    );
    objects.shared.durable.send_replace(0);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| objects.get("/a/forward"));
        assert_eq!(objects.get("/b/seen"), r#""seen""#);
        assert!(!asked.is_finished());
        assert_eq!(*objects.shared.left.lock(), ["http://up.test/called"]);
        objects.shared.durable.send_replace(i64::MAX);
        assert_eq!(asked.join().expect("no panic"), r#""seen""#);
    });
}

/// Invariant 4.
#[test]
fn calls_wait_while_concurrency_is_blocked_and_its_own_callbacks_do_not() {
    let objects = objects_of(
        "log = [];
         async block() {
           await this.ctx.blockConcurrencyWhile(async () => {
             this.log.push('in');
             const other = this.env.BOX.getByName('other');
             await other.callBack((n) => this.log.push(n));
             this.log.push('out');
           });
         }
         async callBack(fn) { await fn(1); await scheduler.wait(20); await fn(2); }
         async note() { this.log.push('call'); return this.log; }",
        &handler(
            "(async () => {
               const blocked = stub.block();
               const noted = stub.note();
               await blocked;
               return await noted;
             })()",
        ),
    );
    assert_eq!(objects.get("/a/x"), r#"["in",1,2,"out","call"]"#);
}

#[test]
fn who_calls_an_object_hears_why_it_was_reset() {
    let objects = objects_of(
        "hang() { return new Promise(() => {}); }
         ping() { return 'pong'; }
         reset() { this.ctx.abort('enough'); }",
        &handler(
            "(async () => {
               const failed = (call) => call.then(() => 'answered', (error) => error.message);
               const hang = failed(stub.hang());
               await stub.ping();
               const reset = await failed(stub.reset());
               return [reset, await hang, await env.BOX.getByName(name).ping()];
             })()",
        ),
    );
    assert_eq!(objects.get("/a/x"), r#"["enough","enough","pong"]"#);
}

#[test]
fn a_class_that_is_no_durable_object_has_no_methods() {
    let objects = objects_of(
        "static { Object.setPrototypeOf(this.prototype, Object.prototype); }
         method() {}",
        &handler("stub.method().catch((error) => error.message.slice(0, 51))"),
    );
    assert_eq!(
        objects.get("/a/x"),
        r#""The receiving Durable Object does not support RPC, ""#
    );
}

#[test]
fn an_object_is_told_the_cf_of_a_request_which_is_bounded() {
    let objects = objects_of(
        "fetch(request) { return Response.json(request.cf?.a.length ?? null); }",
        &handler(
            "Promise.all([undefined, 1_000, 200_000].map(async (length) => {
               const cf = length && { a: 'x'.repeat(length) };
               return stub.fetch('http://box/', { cf }).then((answer) => answer.json(), String);
             }))",
        ),
    );
    assert_eq!(
        objects.get("/a/x"),
        r#"[null,1000,"TypeError: The cf of a request may have 131072 bytes as JSON; this one has 200008."]"#
    );
}
