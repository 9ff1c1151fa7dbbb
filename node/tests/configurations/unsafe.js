// Objects that tests end, and what imported names show.
import assert from "node:assert";
import { DurableObject, exports, withExports } from "cloudflare:workers";
import unsafe from "workerd:unsafe";

export class Box extends DurableObject {
  count = 0;

  bump() {
    return ++this.count;
  }

  bumpFacet() {
    return this.ctx.facets.get("facet", () => ({ class: this.ctx.exports.Box({}) })).bump();
  }

  async slow() {
    await scheduler.wait(100);
    return this.bump();
  }
}

export const anEvictedObjectBeginsAnew = {
  async test(_controller, { BOX }) {
    const box = BOX.getByName("evicted");
    assert.strictEqual(await box.bump(), 1);
    assert.strictEqual(await box.bump(), 2);
    await unsafe.evict(box);
    assert.strictEqual(await box.bump(), 1);
    const pending = box.slow();
    await scheduler.wait(5);
    await unsafe.evict(box);
    assert.strictEqual(await pending, 2);
    assert.strictEqual(await box.bump(), 1);
    await unsafe.evictAllDurableObjects();
    assert.strictEqual(await box.bump(), 1);
  },
};

export const facetsAreEvictedWithTheirObjects = {
  async test(_controller, { BOX }) {
    const bump = async () => {
      const box = BOX.getByName("facets");
      return [await box.bump(), await box.bumpFacet()];
    };
    assert.deepStrictEqual([await bump(), await bump()], [[1, 1], [2, 2]]);
    await unsafe.evictAllDurableObjects();
    assert.deepStrictEqual(await bump(), [1, 1]);
    await unsafe.abortAllDurableObjects();
    assert.deepStrictEqual(await bump(), [1, 1]);
  },
};

export const onlyAnObjectInMemoryCanBeEvicted = {
  async test(_controller, { BOX }) {
    await assert.rejects(() => unsafe.evict(BOX.getByName("never")), {
      message: "Cannot evict Durable Object: it is not currently running.",
    });
    await assert.rejects(
      () => unsafe.evict(BOX.getByName("never"), { webSockets: "explode" }),
      { name: "TypeError" },
    );
    assert.strictEqual(unsafe.isTestAutogateEnabled(), false);
  },
};

export const abortedObjectsBeginAnew = {
  async test(_controller, { BOX }) {
    assert.strictEqual(await BOX.getByName("aborted").bump(), 1);
    await unsafe.abortAllDurableObjects();
    assert.strictEqual(await BOX.getByName("aborted").bump(), 1);
  },
};

export const importedExportsAreListedAndCanBeNothing = {
  async test() {
    assert.ok(Object.keys(exports).includes("Box"));
    for (const nothing of [null, undefined]) {
      await withExports(nothing, async () => {
        await scheduler.wait(1);
        assert.strictEqual(exports.Box, undefined);
      });
    }
    assert.ok(exports.Box);
  },
};
