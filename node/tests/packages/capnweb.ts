// capnweb: its own RPC over a WebSocket, with this runtime's RpcTarget, and objects
// behind it.
import { newWebSocketRpcSession, newWorkersRpcResponse } from "capnweb";
import { DurableObject, RpcTarget } from "cloudflare:workers";

export class Box extends DurableObject {
  async add(n) {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + n;
    await this.ctx.storage.put("count", count);
    return count;
  }
}

class Greeter extends RpcTarget {
  #name;
  constructor(name) {
    super();
    this.#name = name;
  }
  greet(greeting) {
    return `${greeting}, ${this.#name}!`;
  }
}

class Api extends RpcTarget {
  #env;
  constructor(env) {
    super();
    this.#env = env;
  }
  greeter(name) {
    return new Greeter(name);
  }
  add(name, n) {
    return this.#env.BOX.getByName(name).add(n);
  }
  async each(list, fn) {
    return await Promise.all(list.map((item) => fn(item)));
  }
  fail() {
    throw new RangeError("not that");
  }
}

export default {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/api") {
      return newWorkersRpcResponse(request, new Api(env));
    }
    const headers = { upgrade: "websocket" };
    const { webSocket } = await ctx.exports.default.fetch("http://api.test/api", { headers });
    webSocket.accept();
    using api = newWebSocketRpcSession(webSocket);
    return Response.json([
      await api.greeter("you").greet("Hello"),
      await api.add("a", 1),
      await api.add("a", 2),
      await api.each([1, 2], (n) => n * 2),
      await api.fail().catch((error) => [error.name, error.message]),
    ]);
  },
};
