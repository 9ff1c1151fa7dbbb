/* requests: [{}] */
// structuredClone: what is copied, kept, moved, refused.

const probes = {
  "plain values": () => structuredClone({ a: [1, "b", null, true], c: { d: 1.5 } }),
  "undefined": () => [structuredClone(undefined) === undefined, "a" in structuredClone({ a: undefined })],
  "rich values": () => {
    const copy = structuredClone({ date: new Date(0), map: new Map([["a", 1]]), set: new Set([1]), regexp: /a/gi, big: 10n });
    return [copy.date.toISOString(), [...copy.map], [...copy.set], String(copy.regexp), String(copy.big)];
  },
  "errors": () => {
    const copy = structuredClone(new RangeError("far", { cause: "why" }));
    return [copy.name, copy.message, copy instanceof RangeError, copy.cause ?? "dropped"];
  },
  "circles": () => {
    const value = { name: "a" };
    value.self = value;
    const copy = structuredClone(value);
    return [copy.self === copy, copy !== value];
  },
  "shared parts stay shared": () => {
    const part = {};
    const copy = structuredClone([part, part]);
    return copy[0] === copy[1];
  },
  "buffers are copied": () => {
    const bytes = new Uint8Array([1, 2]);
    const copy = structuredClone(bytes);
    copy[0] = 9;
    return [[...bytes], [...copy], copy.constructor.name];
  },
  "buffers are moved": () => {
    const { buffer } = new Uint8Array([1, 2]);
    const copy = structuredClone(buffer, { transfer: [buffer] });
    return [buffer.byteLength, copy.byteLength, buffer.detached];
  },
  "moved twice": () => {
    const { buffer } = new Uint8Array([1]);
    structuredClone(buffer, { transfer: [buffer] });
    return structuredClone(buffer, { transfer: [buffer] }).byteLength;
  },
  "class instances lose their class": () => structuredClone(new (class Point { x = 1; get y() { return 2; } })()),
  "functions": () => structuredClone(() => {}),
  "symbols": () => structuredClone(Symbol("s")),
  "a WeakMap": () => structuredClone(new WeakMap()),
  "a promise": () => structuredClone(Promise.resolve()),
  "the error's shape": () => {
    try {
      structuredClone(() => {});
    } catch (error) {
      return [error.constructor.name, error.name, error.code];
    }
  },
  "headers": () => [...structuredClone(new Headers({ a: "1" }))],
  "a response": () => structuredClone(new Response("a")).status,
  "a blob": () => structuredClone(new Blob(["abc"])).text(),
  "a URL": () => structuredClone(new URL("https://example.com")).href,
  "a stream": () => structuredClone(new ReadableStream()).locked,
  "sparse arrays": () => {
    const copy = structuredClone([, 1]);
    return [copy.length, 0 in copy];
  },
  "boxed values": () => [typeof structuredClone(new String("a")), typeof structuredClone(Object(1n))],
  "no arguments": () => structuredClone(),
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
