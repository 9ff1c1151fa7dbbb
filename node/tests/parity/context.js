/* env: {"GREETING": "hello", "LIMITS": {"a": [1, 2]}, "EMPTY": ""} */
/* requests: [{"path": "/env"}, {"path": "/ctx"}, {"path": "/background"}, {"path": "/background-done", "method": "POST"}, {"path": "/counter"}, {"path": "/counter"}, {"path": "/this"}] */
// env, ctx.waitUntil, passThroughOnException, and what a module keeps between requests.

let requests = 0;
let background = "not started";

export default {
  name: "the handler object",

  async fetch(request, env, ctx) {
    requests++;
    switch (new URL(request.url).pathname) {
      case "/env":
        return Response.json([Object.keys(env).sort(), env, env.NOTHING === undefined, Object.getPrototypeOf(env) === Object.prototype]);
      case "/ctx":
        return Response.json({
          members: ["waitUntil", "passThroughOnException", "props", "exports", "version"].map((name) => [name, typeof ctx[name]]),
          returns: [typeof ctx.waitUntil(Promise.resolve()), typeof ctx.passThroughOnException()],
          tag: Object.prototype.toString.call(ctx),
          props: ctx.props,
        });
      case "/background":
        background = "started";
        ctx.waitUntil(scheduler.wait(5).then(() => { background = "finished"; }));
        ctx.waitUntil("not a promise");
        return new Response(background);
      case "/background-done":
        await scheduler.wait(30);
        return new Response(background);
      case "/counter":
        return new Response(String(requests));
      default:
        return new Response(String(this?.name));
    }
  },
};
