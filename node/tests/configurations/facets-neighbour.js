// A class of another worker's, for facets.
import { DurableObject } from "cloudflare:workers";

export class Box extends DurableObject {
  async add(n) {
    const sum = ((await this.ctx.storage.get("sum")) ?? 0) + n;
    await this.ctx.storage.put("sum", sum);
    return sum;
  }

  describe() {
    return { who: this.env.WHO };
  }
}
