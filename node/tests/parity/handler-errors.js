/* requests: [
  {"path": "/sync"}, {"path": "/async"}, {"path": "/string"}, {"path": "/null"}, {"path": "/undefined"}, {"path": "/object"},
  {"path": "/rejected"}, {"path": "/never"}, {"path": "/returns-undefined"}, {"path": "/returns-text"}, {"path": "/returns-object"},
  {"path": "/returns-null"}, {"path": "/deep"}, {"path": "/after-await"}, {"path": "/ok"}
] */
// Handlers that throw, reject, or answer with what is no Response: 500, and the worker lives on.

export default {
  fetch(request) {
    switch (new URL(request.url).pathname) {
      case "/sync":
        throw new Error("thrown at once");
      case "/async":
        return (async () => { throw new TypeError("thrown in async"); })();
      case "/string":
        throw "just text";
      case "/null":
        throw null;
      case "/undefined":
        throw undefined;
      case "/object":
        throw { status: 418 };
      case "/rejected":
        return Promise.reject(new Error("rejected"));
      case "/never":
        return new Promise(() => {});
      case "/returns-undefined":
        return undefined;
      case "/returns-text":
        return "text";
      case "/returns-object":
        return { status: 200 };
      case "/returns-null":
        return null;
      case "/deep":
        return (function deeper() { return deeper() + 1; })();
      case "/after-await":
        return scheduler.wait(1).then(() => { throw new Error("later"); });
      default:
        return new Response("ok");
    }
  },
};
