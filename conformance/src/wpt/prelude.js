// Runs one test script inside one request, and answers with what became of its
// subtests. `seconds` is how long they may take.
function runTest(script, page, seconds) {
  const results = [];
  const STATUS = ["pass", "fail", "timeout", "not run", "optional"];
  install(page);
  return new Promise((resolve) => {
    const answer = (harness) => resolve({ harness, results });
    // testharness.js knows no time limit outside of windows.
    setTimeout(() => {
      try {
        globalThis.timeout?.();
      } catch {
        // It had ended.
      }
      answer("timed out");
    }, seconds * 1000);
    // testharness.js would wait for a service worker's events, or report to a
    // window.
    const { ServiceWorkerGlobalScope, WorkerGlobalScope } = globalThis;
    delete globalThis.ServiceWorkerGlobalScope;
    delete globalThis.WorkerGlobalScope;
    const started = () => {
      define("ServiceWorkerGlobalScope", ServiceWorkerGlobalScope);
      define("WorkerGlobalScope", WorkerGlobalScope);
      add_result_callback((test) => {
        results.push({
          name: String(test.name).toWellFormed(),
          status: STATUS[test.status],
          message: String(test.message ?? "").slice(0, 400).toWellFormed(),
        });
      });
      add_completion_callback((_tests, status) => {
        answer(
          status.status === 0 ? null : `${status.message ?? "no reason given"}`,
        );
      });
    };
    try {
      script.call(globalThis, started);
    } catch (error) {
      answer(`threw ${error?.stack ?? error}`);
    }
  });

  function define(name, value) {
    Object.defineProperty(globalThis, name, {
      value,
      writable: true,
      enumerable: false,
      configurable: true,
    });
  }

  /** What a worker in a browser would have, and tests take for granted. */
  function install(page) {
    define("GLOBAL", {
      isWindow: () => false,
      isWorker: () => true,
      isShadowRealm: () => false,
    });
    define("location", new URL(page));
    // A worker has no base for relative URLs: only here are they resolved.
    const absolute = (input) => {
      if (typeof input !== "string" || URL.canParse(input)) return input;
      try {
        return new URL(input, page).href;
      } catch {
        return input;
      }
    };
    const withBase = (name, resolve) => {
      const original = globalThis[name];
      if (original === undefined) return;
      const wrapped = new Proxy(original, {
        construct(target, args, newTarget) {
          if (args.length > 0) args[0] = resolve(args[0]);
          return Reflect.construct(
            target,
            args,
            newTarget === wrapped ? target : newTarget,
          );
        },
      });
      define(name, wrapped);
      original.prototype.constructor = wrapped;
    };
    const socketUrl = (input) => {
      const url = absolute(input);
      return url === input ? input : url.replace(/^http/, "ws");
    };
    withBase("Request", absolute);
    withBase("EventSource", absolute);
    withBase("WebSocket", socketUrl);
    const originalFetch = globalThis.fetch;
    const { fetch } = {
      fetch(_input) {
        if (arguments.length > 0) arguments[0] = absolute(arguments[0]);
        return Reflect.apply(originalFetch, undefined, arguments);
      },
    };
    define("fetch", fetch);
    const redirect = Response.redirect;
    const { redirect: redirectFromPage } = {
      redirect(_url) {
        if (arguments.length > 0) arguments[0] = absolute(arguments[0]);
        return Reflect.apply(redirect, this, arguments);
      },
    };
    Object.defineProperty(Response, "redirect", {
      value: redirectFromPage,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}
