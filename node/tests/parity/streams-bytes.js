/* requests: [{}, {"method": "POST", "path": "/body", "body": "0123456789"}] */
// Byte streams: own buffers, views, atLeast, and the request's body by BYOB.

const text = (view) => view && new TextDecoder().decode(view);
const source = (parts) => new ReadableStream({
  type: "bytes",
  pull(controller) {
    const part = parts.shift();
    if (part === undefined) controller.close();
    else controller.enqueue(new TextEncoder().encode(part));
  },
});

const controllerOf = () => {
  let controller;
  new ReadableStream({ type: "bytes", start(c) { controller = c; } });
  return controller;
};

const probes = {
  "default reader": async () => {
    const parts = [];
    for await (const part of source(["ab", "c"])) parts.push(part.constructor.name, text(part));
    return parts;
  },
  "own buffer": async () => {
    const reader = source(["abcd"]).getReader({ mode: "byob" });
    const first = await reader.read(new Uint8Array(3));
    const second = await reader.read(new Uint8Array(3));
    return [text(first.value), text(second.value), first.done];
  },
  "the buffer is taken": async () => {
    const view = new Uint8Array(4);
    const reader = source(["ab"]).getReader({ mode: "byob" });
    const { value } = await reader.read(view);
    return [view.byteLength, value.byteLength, value.buffer.byteLength];
  },
  "respond": async () => {
    const stream = new ReadableStream({
      type: "bytes",
      pull(controller) {
        const { view } = controller.byobRequest;
        view[0] = 97;
        view[1] = 98;
        controller.byobRequest.respond(2);
      },
    });
    const { value } = await stream.getReader({ mode: "byob" }).read(new Uint8Array(8));
    return text(value);
  },
  "autoAllocateChunkSize": async () => {
    const stream = new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: 16,
      pull(controller) {
        const size = controller.byobRequest.view.byteLength;
        controller.byobRequest.view[0] = size;
        controller.byobRequest.respond(1);
      },
    });
    return [...(await stream.getReader().read()).value];
  },
  "readAtLeast": async () => {
    const reader = source(["ab", "cd", "ef"]).getReader({ mode: "byob" });
    const { value } = await reader.readAtLeast(3, new Uint8Array(4));
    return text(value);
  },
  "min": async () => {
    const reader = source(["ab", "cd", "ef"]).getReader({ mode: "byob" });
    const { value } = await reader.read(new Uint8Array(4), { min: 3 });
    return text(value);
  },
  "end with own buffer": async () => {
    const reader = source([]).getReader({ mode: "byob" });
    const { value, done } = await reader.read(new Uint8Array(4));
    return [value?.constructor.name ?? "undefined", value?.byteLength ?? "none", done];
  },
  "empty buffer": () => source(["a"]).getReader({ mode: "byob" }).read(new Uint8Array(0)),
  "empty chunk": () => controllerOf().enqueue(new Uint8Array(0)),
  "string chunk": () => controllerOf().enqueue("a"),
  "close twice": () => {
    const controller = controllerOf();
    controller.close();
    controller.close();
  },
  "byob on a value stream": () => new ReadableStream().getReader({ mode: "byob" }),
  "mode unknown": () => new ReadableStream().getReader({ mode: "sideways" }),
  "tee": async () => {
    const [left, right] = source(["ab"]).tee();
    const value = (await left.getReader().read()).value;
    value[0] = 120;
    return [text(value), text((await right.getReader().read()).value)];
  },
};

export default {
  async fetch(request) {
    if (request.method === "POST") {
      const reader = request.body.getReader({ mode: "byob" });
      const parts = [];
      for (;;) {
        const { value, done } = await reader.readAtLeast(4, new Uint8Array(4));
        if (value?.byteLength) parts.push(text(value));
        if (done) break;
      }
      return Response.json(parts);
    }
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
