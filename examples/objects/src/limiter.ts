import { DurableObject } from "cloudflare:workers";

/** A token bucket for each client: `SIZE` requests at once, `PER_SECOND` over time. */
export class Limiter extends DurableObject {
  static readonly SIZE = 5;
  static readonly PER_SECOND = 1;

  // In memory: an object that sleeps has a full bucket by the time it wakes.
  private tokens = Limiter.SIZE;
  private filled = Date.now();

  async fetch(): Promise<Response> {
    const now = Date.now();
    const grown = ((now - this.filled) / 1000) * Limiter.PER_SECOND;
    this.tokens = Math.min(Limiter.SIZE, this.tokens + grown);
    this.filled = now;
    if (this.tokens < 1) {
      const wait = Math.ceil((1 - this.tokens) / Limiter.PER_SECOND);
      return new Response("too many requests\n", {
        status: 429,
        headers: { "retry-after": String(wait) },
      });
    }
    this.tokens -= 1;
    return Response.json({ left: Math.floor(this.tokens) });
  }
}
