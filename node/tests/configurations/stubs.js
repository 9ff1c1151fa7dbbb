// Stubs and classes that objects keep among their values.
import assert from "node:assert";
import { DurableObject, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

export class Greeter extends WorkerEntrypoint {
  greet(name) {
    return `${this.ctx.props.word}, ${name}!`;
  }
}

export class Nested extends WorkerEntrypoint {
  greet(name) {
    return this.ctx.props.inner.greet(name);
  }
}

export class Child extends DurableObject {
  word() {
    return this.ctx.props.word;
  }
}

export class Box extends DurableObject {
  put(key, value) {
    return this.ctx.storage.put(key, value);
  }

  get(key) {
    return this.ctx.storage.get(key);
  }

  async greetAll(name) {
    const kept = await this.ctx.storage.list({ prefix: "greeter" });
    return Promise.all([...kept.values()].map((greeter) => greeter.greet(name)));
  }

  async facetWord(key) {
    const Class = await this.ctx.storage.get(key);
    return this.ctx.facets.get(key, () => ({ class: Class })).word();
  }
}

export const servicesAreKept = {
  async test(_controller, { BOX }, { exports }) {
    const box = BOX.getByName("services");
    const greeter = exports.Greeter({ props: { word: "Yo" } });
    await box.put("greeter1", greeter);
    await box.put("greeter2", exports.Nested({ props: { inner: greeter } }));
    assert.deepStrictEqual(await box.greetAll("Ada"), ["Yo, Ada!", "Yo, Ada!"]);
    const kept = await box.get("greeter2");
    assert.strictEqual(await kept.greet("Bob"), "Yo, Bob!");
    await box.put("in a value", { list: [greeter, 1], map: new Map([["a", greeter]]) });
    const { list, map } = await box.get("in a value");
    assert.strictEqual(await list[0].greet("Eve"), "Yo, Eve!");
    assert.strictEqual(await map.get("a").greet("Eve"), "Yo, Eve!");
  },
};

export const objectsAndClassesAreKept = {
  async test(_controller, { BOX }, { exports }) {
    const box = BOX.getByName("objects");
    await box.put("class", exports.Child({ props: { word: "kept" } }));
    assert.strictEqual(await box.facetWord("class"), "kept");
    await box.put("object", exports.Box.getByName("other"));
    const other = await box.get("object");
    await other.put("n", 7);
    assert.strictEqual(await BOX.getByName("other").get("n"), 7);
  },
};

export const whatEndsWithACallIsNotKept = {
  async test(_controller, { BOX }) {
    const box = BOX.getByName("calls");
    await assert.rejects(() => box.put("target", new RpcTarget()), { name: "DataCloneError" });
    await assert.rejects(() => box.put("function", () => {}), { name: "DataCloneError" });
    assert.strictEqual(await box.get("target"), undefined);
  },
};
