import { DurableObject } from "cloudflare:workers";

/** Counts requests, and forgets the count a while after the last one. */
export class Counter extends DurableObject {
  static readonly KEEP_MS = 24 * 60 * 60 * 1000;

  async fetch(): Promise<Response> {
    const { storage } = this.ctx;
    const count = ((await storage.get<number>("count")) ?? 0) + 1;
    // Both are one commit; the answer leaves when it is on disk.
    storage.put("count", count);
    storage.setAlarm(Date.now() + Counter.KEEP_MS);
    return Response.json({ count });
  }

  async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }
}
