// One kind of call a path, in a loop of `n` turns, each awaited before the next. As
// in micro.js the time is taken outside.
import { DurableObject, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

const chunk = new Uint8Array(64 * 1024).fill(7);
const megabyte = new Uint8Array(1 << 20).fill(7);

class Link extends RpcTarget {
  next() {
    return new Link();
  }
  add(a, b) {
    return a + b;
  }
}

export class Service extends WorkerEntrypoint {
  add(a, b) {
    return a + b;
  }
  link() {
    return new Link();
  }
  apply(fn, value) {
    return fn(value);
  }
  size(bytes) {
    return bytes.byteLength;
  }
  async read(stream) {
    let bytes = 0;
    for await (const part of stream) bytes += part.byteLength;
    return bytes;
  }
  fetch() {
    return new Response("fetched");
  }
}

export class Counter extends DurableObject {
  add(a, b) {
    return a + b;
  }
}

// Has an isolate of its own; with Outboard on a lane of its own.
const dynamic = () => ({
  compatibilityDate: "2025-06-01",
  mainModule: "worker.js",
  modules: {
    "worker.js": `import { WorkerEntrypoint } from "cloudflare:workers";
      export default class extends WorkerEntrypoint { add(a, b) { return a + b; } }`,
  },
});

function stream() {
  let left = 16;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (left-- === 0) controller.close();
      else controller.enqueue(chunk.slice());
    },
  });
}

let stub;
let object;
let other;
const turns = {
  call: (service, i) => service.add(i, 1),
  fetch: async (service) => (await (await service.fetch("http://service/")).text()).length,
  stub: (_service, i) => stub.add(i, 1),
  object: (_service, i) => object.add(i, 1),
  dynamic: (_service, i) => other.add(i, 1),
  chain(service, i) {
    let link = service.link();
    for (let at = 0; at < 8; at++) link = link.next();
    return link.add(i, 1);
  },
  back: (service, i) => service.apply((value) => value + 1, i),
  large: (service) => service.size(megabyte),
  stream: (service) => service.read(stream()),
  nothing: () => 1,
};

export default {
  async fetch(request, env, ctx) {
    const url = new URL(request.url);
    const turn = turns[url.pathname.slice(1)];
    const count = Number(url.searchParams.get("n"));
    const service = ctx.exports.Service;
    if (turn === turns.stub) stub = await service.link();
    object = env.OBJECTS.getByName("one");
    other = env.LOADER.get("other", dynamic).getEntrypoint();
    let sum = 0;
    for (let i = 0; i < count; i++) sum += await turn(service, i);
    return new Response(`${sum}\n`);
  },
};
