// Stubs that objects keep, of what `[restore]` methods make anew.
import assert from "node:assert";
import { DurableObject, restore, RpcStub, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import unsafe from "workerd:unsafe";

/** What was made, by the name it was made for. */
const made = [];
const timesMade = (name) => made.filter((one) => one === name).length;
class Sum extends RpcTarget {
  #sum = 0;

  add(n) {
    this.#sum += n;
    return this.#sum;
  }
}

const LOADED = `
  import { restore, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
  class Greeter extends RpcTarget {
    constructor(word) {
      super();
      this.word = word;
    }
    greet(name) {
      return this.word + ", " + name + "!";
    }
  }
  export class Loaded extends WorkerEntrypoint {
    fetch(request) {
      return new Response(this.ctx.props.word + " " + request.url);
    }
    greet(name) {
      return this.ctx.props.word + ", " + name + "!";
    }
    greeter(word) {
      return this.ctx.restore({ word });
    }
    [restore]({ word }) {
      return new Greeter(this.ctx.props.word + " " + word);
    }
  }
`;

export class Maker extends WorkerEntrypoint {
  make(params) {
    return this.ctx.restore(params);
  }

  [restore](params) {
    made.push(params.name);
    switch (params.kind) {
      case "sum":
        return new Sum();
      case "function":
        return (n) => n * params.by;
      case "loaded":
        return this.env.LOADER.load({
          compatibilityDate: "2026-04-01",
          compatibilityFlags: ["allow_irrevocable_stub_storage"],
          allowExperimental: true,
          mainModule: "loaded.js",
          modules: { "loaded.js": LOADED },
        }).getEntrypoint("Loaded", { props: { word: params.name } });
      case "object":
        return this.ctx.exports.Box.getByName(params.name);
      case "of props":
        return new Sum();
      case "throws":
        throw new RangeError("not today");
      default:
        return params.kind;
    }
  }
}

export class Box extends DurableObject {
  async put(key, value) {
    await this.ctx.storage.put(key, value);
  }

  get(key) {
    return this.ctx.storage.get(key);
  }

  async greet(key, name) {
    const stub = await this.ctx.storage.get(key);
    return await stub.greet(name);
  }

  async addTwice(key, n) {
    using stub = await this.ctx.storage.get(key);
    await stub.add(n);
    return await stub.add(n);
  }

  async fetchBy(key) {
    const stub = await this.ctx.storage.get(key);
    const response = await stub.fetch("http://restored/");
    return response.text();
  }

  async call(key, n) {
    const stub = await this.ctx.storage.get(key);
    return await stub(n);
  }
}

export const aStubIsMadeAnewWhereItIsUsed = {
  async test(_controller, _env, { exports }) {
    const box = exports.Box.getByName("sums");
    const sum = await exports.Maker.make({ kind: "sum", name: "one" });
    assert.ok(sum instanceof RpcStub);
    assert.strictEqual(await sum.add(1), 1);
    assert.strictEqual(await sum.dup().add(1), 2);
    assert.strictEqual(timesMade("one"), 1);
    await box.put("sum", sum);
    // Another: what it summed up was the first one's.
    assert.strictEqual(await box.addTwice("sum", 5), 10);
    assert.strictEqual(timesMade("one"), 2);
  },
};

export const itOutlivesItsObject = {
  async test(_controller, { LOADER }, { exports }) {
    const box = exports.Box.getByName("ends");
    await box.put("sum", await exports.Maker.make({ kind: "sum", name: "ends" }));
    await box.put("loaded", await exports.Maker.make({ kind: "loaded", name: "Hi" }));
    await unsafe.abortAllDurableObjects();
    const again = exports.Box.getByName("ends");
    assert.strictEqual(await again.addTwice("sum", 2), 4);
    assert.strictEqual(await again.greet("loaded", "Ada"), "Hi, Ada!");
    assert.strictEqual(await again.fetchBy("loaded"), "Hi http://restored/");
  },
};

export const whatWasMadeMakesMore = {
  async test(_controller, _env, { exports }) {
    const box = exports.Box.getByName("chain");
    const loaded = await exports.Maker.make({ kind: "loaded", name: "Good" });
    await box.put("greeter", await (await exports.Maker.make({ kind: "sum", name: "x" })).dup());
    const maker = exports.Chained;
    await box.put("greeter", await maker.greeter());
    assert.strictEqual(await box.greet("greeter", "Eve"), "Good day, Eve!");
    assert.strictEqual(await loaded.greet("Eve"), "Good, Eve!");
  },
};

/** Has what it loads make something that may be kept. */
export class Chained extends WorkerEntrypoint {
  async greeter() {
    const loaded = await this.ctx.restore({ name: "Good" });
    return loaded.greeter("day");
  }

  async direct() {
    return await this.load("Good").greeter("day");
  }

  load(word) {
    return this.env.LOADER.load({
      compatibilityDate: "2026-04-01",
      compatibilityFlags: ["allow_irrevocable_stub_storage"],
      allowExperimental: true,
      mainModule: "loaded.js",
      modules: { "loaded.js": LOADED },
    }).getEntrypoint("Loaded", { props: { word } });
  }

  [restore]({ name }) {
    return this.load(name);
  }
}

export const whatNobodyCanMakeMakesNothing = {
  async test(_controller, _env, { exports }) {
    await assert.rejects(() => exports.Chained.direct(), /cannot be used in this context/);
  },
};

export const propsAndParamsAreKept = {
  async test(_controller, _env, { exports }) {
    const box = exports.Box.getByName("props");
    const maker = exports.Maker({ props: { prefix: "a " } });
    await box.put("sum", await maker.make({ kind: "of props", name: "sum" }));
    assert.strictEqual(await box.addTwice("sum", 1), 2);
    assert.strictEqual(timesMade("sum"), 2);
    await box.put("function", await maker.make({ kind: "function", by: 7 }));
    assert.strictEqual(await box.call("function", 6), 42);
    await box.put("object", await maker.make({ kind: "object", name: "props" }));
    const object = await box.get("object");
    await object.put("n", 5);
    assert.strictEqual(await box.get("n"), 5);
  },
};

export const anotherWorkersStubsAreItsOwn = {
  async test(_controller, { OTHER }, { exports }) {
    const box = exports.Box.getByName("others");
    // Through a binding: whoever made it is the other worker's export.
    await box.put("named", await OTHER.make("one"));
    const named = await box.get("named");
    assert.strictEqual(await named.name(), "other one");
    // Its method is nobody else's to call.
    await assert.rejects(async () => await OTHER[restore]({ name: "forged" }), TypeError);
    await assert.rejects(async () => await OTHER["Symbol(restore)"]({}), TypeError);
  },
};

export const whatMayNotBeKeptIsRefused = {
  async test(_controller, { OTHER, SELF }, { exports }) {
    const box = exports.Box.getByName("refused");
    const refused = { name: "DataCloneError" };
    await assert.rejects(() => box.put("target", new RpcStub(new Sum())), refused);
    await assert.rejects(() => box.put("binding", SELF), refused);
    await assert.rejects(() => box.put("binding", OTHER), refused);
    // Nor what would keep one among its params.
    const sum = await exports.Maker.make({ kind: "sum", name: "with", service: OTHER });
    assert.strictEqual(await sum.add(1), 1);
    await assert.rejects(() => box.put("params", sum), refused);
    await assert.rejects(() => exports.Maker.make({ kind: 5, name: "" }), TypeError);
    await assert.rejects(() => exports.Maker.make({ kind: "throws", name: "" }), RangeError);
    await assert.rejects(() => exports.Maker.make(5), TypeError);
  },
};
