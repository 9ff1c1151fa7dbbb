/* requests: [{"path": "/at-once"}, {"path": "/midway"}, {"path": "/fixed-short"}, {"path": "/after"}] */
// A body that fails: before the first byte, midway, and short of its length. Then the worker still answers.

const utf8 = (text) => new TextEncoder().encode(text);

export default {
  async fetch(request, env, ctx) {
    switch (new URL(request.url).pathname) {
      case "/at-once":
        return new Response(new ReadableStream({ start(controller) { controller.error(new Error("broken at once")); } }));
      case "/midway": {
        let pulls = 0;
        return new Response(new ReadableStream({
          async pull(controller) {
            await scheduler.wait(20); // so that the first part is on its way
            if (pulls++ === 0) controller.enqueue(utf8("first part"));
            else controller.error(new Error("broken midway"));
          },
        }));
      }
      case "/fixed-short": {
        const { readable, writable } = new FixedLengthStream(100);
        const writer = writable.getWriter();
        ctx.waitUntil(writer.write(utf8("short")).then(() => writer.close()).catch(() => {}));
        return new Response(readable);
      }
      default:
        return new Response("still here");
    }
  },
};
