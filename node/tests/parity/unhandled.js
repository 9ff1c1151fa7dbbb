/* requests: [{"path": "/rejection"}, {"path": "/handled-late"}, {"path": "/waitUntil-rejects"}, {"path": "/microtask-throws"}, {"path": "/timer-throws"}, {"path": "/reportError"}, {"path": "/seen"}] */
// Rejections and errors that nobody handles: the answer is not affected.

const seen = [];
addEventListener("unhandledrejection", (event) => {
  seen.push(["unhandledrejection", event.reason?.message ?? event.reason]);
});
addEventListener("rejectionhandled", (event) => {
  seen.push(["rejectionhandled", event.reason?.message ?? "undefined"]);
});
addEventListener("error", (event) => {
  seen.push(["error", event.message]);
});

export default {
  async fetch(request, env, ctx) {
    switch (new URL(request.url).pathname) {
      case "/rejection":
        Promise.reject(new Error("nobody listens"));
        return new Response("fine");
      case "/handled-late": {
        const promise = Promise.reject(new Error("late"));
        // Long enough that a busy machine reports it first.
        await scheduler.wait(50);
        promise.catch(() => {});
        return new Response("fine");
      }
      case "/waitUntil-rejects":
        ctx.waitUntil(Promise.reject(new Error("in waitUntil")));
        return new Response("fine");
      case "/microtask-throws":
        queueMicrotask(() => { throw new Error("in microtask"); });
        await scheduler.wait(1);
        return new Response("fine");
      case "/timer-throws":
        setTimeout(() => { throw new Error("in timer"); }, 0);
        await scheduler.wait(5);
        return new Response("fine");
      case "/reportError":
        reportError(new Error("reported"));
        return new Response("fine");
      default:
        return Response.json(seen);
    }
  },
};
