/* requests: [{}] */
// EventTarget, Event, CustomEvent, MessageChannel, DOMException.

const probes = {
  "order and once": () => {
    const seen = [];
    const target = new EventTarget();
    target.addEventListener("a", () => seen.push("once"), { once: true });
    target.addEventListener("a", () => seen.push("second"));
    target.addEventListener("a", { handleEvent: (event) => seen.push("object", event.type) });
    return [target.dispatchEvent(new Event("a")), target.dispatchEvent(new Event("a")), seen];
  },
  "the same listener is added once": () => {
    let calls = 0;
    const target = new EventTarget();
    const listener = () => calls++;
    target.addEventListener("a", listener);
    target.addEventListener("a", listener);
    target.dispatchEvent(new Event("a"));
    target.removeEventListener("a", listener);
    target.dispatchEvent(new Event("a"));
    return calls;
  },
  "signal removes a listener": () => {
    let calls = 0;
    const controller = new AbortController();
    const target = new EventTarget();
    target.addEventListener("a", () => calls++, { signal: controller.signal });
    target.dispatchEvent(new Event("a"));
    controller.abort();
    target.dispatchEvent(new Event("a"));
    return calls;
  },
  "preventDefault": () => {
    const target = new EventTarget();
    target.addEventListener("a", (event) => event.preventDefault());
    return [target.dispatchEvent(new Event("a")), target.dispatchEvent(new Event("a", { cancelable: true }))];
  },
  "stopImmediatePropagation": () => {
    const seen = [];
    const target = new EventTarget();
    target.addEventListener("a", (event) => { seen.push(1); event.stopImmediatePropagation(); });
    target.addEventListener("a", () => seen.push(2));
    target.dispatchEvent(new Event("a"));
    return seen;
  },
  "a listener throws": () => {
    const seen = [];
    const target = new EventTarget();
    target.addEventListener("a", () => { throw new RangeError("in listener"); });
    target.addEventListener("a", () => seen.push("next"));
    try {
      target.dispatchEvent(new Event("a"));
    } catch (error) {
      seen.push(error.name);
    }
    return seen;
  },
  "event fields": () => {
    const event = new Event("a", { bubbles: true, cancelable: true, composed: true });
    return [event.type, event.bubbles, event.cancelable, event.composed, event.defaultPrevented, event.eventPhase, event.target, event.isTrusted, event.composedPath().length, typeof event.timeStamp];
  },
  "CustomEvent": () => {
    const event = new CustomEvent("a", { detail: { b: 1 } });
    return [event.detail, event instanceof Event, new CustomEvent("a").detail];
  },
  "a subclass": () => {
    class Target extends EventTarget {}
    class Own extends Event { extra = 1; }
    const target = new Target();
    let extra;
    target.addEventListener("a", (event) => { extra = event.extra; });
    target.dispatchEvent(new Own("a"));
    return extra;
  },
  "Event without a type": () => new Event(),
  "dispatch of something else": () => new EventTarget().dispatchEvent({ type: "a" }),
  "listener that is not one": () => new EventTarget().addEventListener("a", 1),
  "DOMException": () => {
    const error = new DOMException("text", "AbortError");
    return [error.name, error.message, error.code, error instanceof Error, String(error), new DOMException().name, DOMException.ABORT_ERR, typeof error.stack];
  },
  "MessageChannel": async () => {
    const { port1, port2 } = new MessageChannel();
    const heard = new Promise((resolve) => { port2.onmessage = (event) => resolve(event.data); });
    port1.postMessage({ a: new Map([[1, 2]]) });
    const data = await heard;
    port1.close();
    return [...data.a];
  },
  "other events": () => ["MessageEvent", "ErrorEvent", "CloseEvent", "PromiseRejectionEvent", "ProgressEvent"].map((name) => [name, typeof globalThis[name]]),
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
