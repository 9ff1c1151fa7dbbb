/* requests: [{}, {"path": "/interval"}, {"path": "/left-behind"}, {}] */
// Order of microtasks and timers; arguments, clearing, waiting.

const probes = {
  "microtasks before timers": async () => {
    const seen = [];
    const timer = new Promise((resolve) => setTimeout(() => { seen.push("timer"); resolve(); }, 0));
    queueMicrotask(() => seen.push("queueMicrotask"));
    Promise.resolve().then(() => seen.push("then"));
    seen.push("now");
    await timer;
    return seen;
  },
  "timers by time, then by order": async () => {
    const seen = [];
    await new Promise((resolve) => {
      setTimeout(() => seen.push("20"), 20);
      setTimeout(() => seen.push("5 first"), 5);
      setTimeout(() => seen.push("5 second"), 5);
      setTimeout(() => seen.push("0"), 0);
      setTimeout(resolve, 30);
    });
    return seen;
  },
  "microtasks between timers": async () => {
    const seen = [];
    await new Promise((resolve) => {
      setTimeout(() => { seen.push("a"); queueMicrotask(() => seen.push("after a")); }, 0);
      setTimeout(() => { seen.push("b"); resolve(); }, 0);
    });
    return seen;
  },
  "arguments": () => new Promise((resolve) => setTimeout((...items) => resolve(items), 0, 1, "b")),
  "clearTimeout": async () => {
    const seen = [];
    const id = setTimeout(() => seen.push("no"), 0);
    clearTimeout(id);
    clearTimeout(id);
    clearTimeout(undefined);
    clearTimeout(123456);
    await scheduler.wait(2);
    return [seen, typeof id];
  },
  "setTimeout without a delay": () => new Promise((resolve) => setTimeout(() => resolve("ran"))),
  "setTimeout with an odd delay": () => new Promise((resolve) => setTimeout(() => resolve("ran"), "1", "x")),
  "setTimeout with a negative delay": () => new Promise((resolve) => setTimeout(() => resolve("ran"), -5)),
  "setTimeout with text": () => setTimeout("1 + 1", 0),
  "scheduler.wait": async () => (await scheduler.wait(1)) ?? "undefined",
  "setInterval": async () => {
    let ticks = 0;
    await new Promise((resolve) => {
      const id = setInterval(() => {
        if (++ticks === 3) {
          clearInterval(id);
          resolve();
        }
      }, 1);
    });
    await scheduler.wait(5);
    return ticks;
  },
  "setImmediate": () => typeof setImmediate,
  "queueMicrotask with something else": () => queueMicrotask(1),
  "this of a callback": () => new Promise((resolve) => setTimeout(function () { resolve(this === undefined ? "undefined" : this === globalThis ? "globalThis" : typeof this); }, 0)),
};

export default {
  async fetch(request) {
    switch (new URL(request.url).pathname) {
      case "/interval": {
        // Never cleared: it ends with the request.
        let ticks = 0;
        await new Promise((resolve) => setInterval(() => ++ticks === 2 && resolve(), 1));
        return new Response(`${ticks} ticks`);
      }
      case "/left-behind":
        setTimeout(() => { throw new Error("after the answer"); }, 1);
        return new Response("answered");
      default:
        return report(probes);
    }
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
