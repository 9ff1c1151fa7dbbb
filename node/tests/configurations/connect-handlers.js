// Handlers of connections, as exports, classes and objects have them.
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

const say = async (socket, text) => {
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
};

export default {
  async connect(socket, env, ctx) {
    const { localAddress } = await socket.opened;
    await say(socket, `default ${localAddress} ${typeof env} ${typeof ctx.waitUntil}`);
  },
};

export class Echo extends WorkerEntrypoint {
  async connect(socket) {
    const writer = socket.writable.getWriter();
    for await (const chunk of socket.readable) await writer.write(chunk);
  }
}

export class Where extends WorkerEntrypoint {
  async connect(socket) {
    const { localAddress, remoteAddress } = await socket.opened;
    await say(socket, `${localAddress} ${remoteAddress} ${socket.secureTransport}`);
  }
}

export class Leaves extends WorkerEntrypoint {
  connect() {}
}

export class Nothing extends WorkerEntrypoint {}

export class Object extends DurableObject {
  async connect(socket) {
    const said = await new Response(socket.readable).text();
    const seen = await this.ctx.storage.get("seen") ?? [];
    await this.ctx.storage.put("seen", [...seen, said]);
  }
  seen() {
    return this.ctx.storage.get("seen");
  }
}
