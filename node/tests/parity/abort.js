/* requests: [{}] */
// AbortController and AbortSignal: reasons, listeners, any, timeout.

const reasonOf = (signal) => [signal.aborted, signal.reason?.constructor.name ?? "none", signal.reason?.name ?? "none", signal.reason?.message ?? "none"];

const probes = {
  "fresh": () => reasonOf(new AbortController().signal),
  "aborted": () => {
    const controller = new AbortController();
    controller.abort();
    return reasonOf(controller.signal);
  },
  "own reason": () => {
    const controller = new AbortController();
    controller.abort("enough");
    controller.abort("again");
    return controller.signal.reason;
  },
  "listeners": () => {
    const seen = [];
    const controller = new AbortController();
    controller.signal.onabort = (event) => seen.push("onabort", event.type, event.target === controller.signal);
    controller.signal.addEventListener("abort", () => seen.push("listener"));
    controller.abort();
    controller.abort();
    return seen;
  },
  "throwIfAborted": () => AbortSignal.abort().throwIfAborted(),
  "throwIfAborted, own reason": () => AbortSignal.abort(new RangeError("mine")).throwIfAborted(),
  "throwIfAborted, fresh": () => new AbortController().signal.throwIfAborted() ?? "undefined",
  "AbortSignal.timeout": async () => {
    const signal = AbortSignal.timeout(1);
    const before = signal.aborted;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return [before, reasonOf(signal), signal.reason.code];
  },
  "AbortSignal.any": () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const signal = AbortSignal.any([one.signal, two.signal]);
    const seen = [signal.aborted];
    signal.addEventListener("abort", () => seen.push("heard"));
    two.abort("second");
    one.abort("first");
    return [seen, signal.aborted, signal.reason];
  },
  "AbortSignal.any, one aborted already": () => AbortSignal.any([new AbortController().signal, AbortSignal.abort("early")]).reason,
  "AbortSignal.any of nothing": () => AbortSignal.any([]).aborted,
  "new AbortSignal": () => new AbortSignal(),
  "scheduler.wait with a signal": async () => {
    const controller = new AbortController();
    const wait = scheduler.wait(10_000, { signal: controller.signal });
    controller.abort();
    await wait;
  },
  "fetch with an aborted signal": () => fetch("https://example.com/", { signal: AbortSignal.abort() }),
  "fetch with an aborted signal and reason": () => fetch("https://example.com/", { signal: AbortSignal.abort(new RangeError("mine")) }),
};

export default {
  async fetch() {
    return report(probes);
  },
};

// One line a probe: its value, or what it threw.
async function report(probes) {
  let lines = "";
  for (const [name, probe] of Object.entries(probes)) {
    let answer;
    try {
      answer = (await probe()) ?? null;
    } catch (error) {
      answer = { threw: error.name, message: error.message };
    }
    lines += `${name}: ${JSON.stringify(answer)}\n`;
  }
  return new Response(lines);
}
