// Facets: objects that objects have.
import assert from "node:assert";
import { DurableObject } from "cloudflare:workers";

export class Box extends DurableObject {
  count = 0;

  bump() {
    return ++this.count;
  }

  async add(n) {
    const sum = ((await this.ctx.storage.get("sum")) ?? 0) + n;
    await this.ctx.storage.put("sum", sum);
    return sum;
  }

  rows() {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS rows (n)");
    sql.exec("INSERT INTO rows VALUES (1)");
    return sql.exec("SELECT count(*) AS n FROM rows").one().n;
  }

  describe() {
    const { id, props } = this.ctx;
    return { type: typeof id, id: String(id), name: id.name, props, who: this.env.WHO };
  }

  fetch(request) {
    if (request.headers.get("upgrade") === "websocket") {
      const [client, server] = Object.values(new WebSocketPair());
      this.ctx.acceptWebSocket(server, ["tag"]);
      server.serializeAttachment({ from: request.url });
      return new Response(null, { status: 101, webSocket: client });
    }
    return new Response(`the box has ${request.url}`);
  }

  webSocketMessage(socket, text) {
    const held = this.ctx.getWebSockets("tag").length;
    socket.send(`${text} of ${held} from ${socket.deserializeAttachment().from}`);
  }

  webSocketClose(socket, code, reason) {
    socket.close(code, reason);
  }

  abort(reason) {
    this.ctx.abort(reason);
  }

  slow() {
    return scheduler.wait(1_000);
  }

  fail() {
    throw new RangeError("it failed");
  }

  setAlarm() {
    return this.ctx.storage.setAlarm(Date.now() + 1_000_000);
  }

  async noAlarm() {
    await this.ctx.storage.deleteAlarm();
    return this.ctx.storage.getAlarm();
  }

  alarm() {}

  inner(name, method, ...args) {
    const options = () => ({ class: this.ctx.exports.Box });
    return this.ctx.facets.get(name, options)[method](...args);
  }

  deeper(levels) {
    return levels === 0 ? "as deep as it goes" : this.inner("deeper", "deeper", levels - 1);
  }

  forget() {
    this.ctx.facets.delete("inner");
  }
}

export class Root extends DurableObject {
  facet(name, options = () => ({ class: this.ctx.exports.Box })) {
    return this.ctx.facets.get(name, options);
  }

  /** Runs one of the tests below in an object. */
  run(name) {
    return inRoot[name](this, this.ctx, this.env);
  }

  take(value) {
    return String(value);
  }

  describe(Class) {
    return this.facet("given", () => ({ class: Class })).describe();
  }
}

const never = () => assert.fail("it runs already");

const inRoot = {
  async aFacetIsAnObjectOfItsOwn(root, { storage }) {
    const one = root.facet("one");
    const two = root.facet("two");
    assert.deepStrictEqual([await one.bump(), await one.bump(), await two.bump()], [1, 2, 1]);
    assert.deepStrictEqual([await one.add(3), await one.add(4), await two.add(1)], [3, 7, 1]);
    assert.strictEqual(await storage.get("sum"), undefined);
    assert.deepStrictEqual([await one.rows(), await one.rows(), await two.rows()], [1, 2, 1]);
    assert.strictEqual(await root.facet("one", never).bump(), 3);
    const answer = await one.fetch("https://box.test/path");
    assert.strictEqual(await answer.text(), "the box has https://box.test/path");
  },

  async itsIdIsTheObjectsUnlessAnotherIsSaid(root, { id, exports }) {
    const described = (name, options) =>
      root.facet(name, () => ({ class: exports.Box, ...options })).describe();
    const own = await described("own", {});
    assert.deepStrictEqual(own, {
      type: "object",
      id: id.toString(),
      name: "itsIdIsTheObjectsUnlessAnotherIsSaid",
      props: {},
      who: undefined,
    });
    const text = await described("text", { id: "any text" });
    assert.deepStrictEqual([text.type, text.id, text.name], ["string", "any text", undefined]);
    const other = exports.Root.idFromName("other");
    const object = await described("object", { id: other });
    assert.deepStrictEqual(
      [object.type, object.id, object.name],
      ["object", other.toString(), "other"],
    );
  },

  async classesAreExportsAndBindings(root, { exports }, { BOX, NEIGHBOUR }) {
    const described = (name, Class) => root.facet(name, async () => ({ class: Class })).describe();
    assert.deepStrictEqual((await described("bound", BOX)).props, { from: "a binding" });
    const props = { n: [1], when: new Date(7) };
    assert.deepStrictEqual((await described("called", exports.Box({ props }))).props, props);
    assert.deepStrictEqual((await described("bare", exports.Box({}))).props, {});
    const root2 = root.facet("root", () => ({ class: exports.Root({}) }));
    assert.strictEqual(await root2.take(1), "1");
    assert.strictEqual((await described("neighbour", NEIGHBOUR)).who, "the neighbour");
    const neighbour = root.facet("neighbour", never);
    assert.deepStrictEqual([await neighbour.add(2), await neighbour.add(2)], [2, 4]);
    assert.strictEqual(`${BOX}`, "[object DurableObjectClass]");
    assert.strictEqual(`${exports.Box({})}`, "[object DurableObjectClass]");
    assert.strictEqual(typeof exports.Box, "function");
    assert.strictEqual(typeof exports.Root, "function");
    assert.throws(() => exports.Box(), {
      message: "Failed to execute '(called as function)' on 'LoopbackDurableObjectClass': " +
        "parameter 1 is not of type 'Options'.",
    });
  },

  async aFacetThatEndsIsStartedAnew(root, { facets }) {
    let box = root.facet("box");
    await box.add(1);
    await box.bump();
    const slow = assert.rejects(() => box.slow(), { name: "TypeError", message: "ended" });
    await scheduler.wait(1);
    facets.abort("box", new TypeError("ended"));
    await slow;
    await assert.rejects(() => box.bump(), { name: "TypeError", message: "ended" });
    await assert.rejects(() => box.fetch("https://box.test/"), { message: "ended" });
    box = root.facet("box");
    assert.deepStrictEqual([await box.bump(), await box.add(1)], [1, 2]);
    // By itself.
    await assert.rejects(() => box.abort("by itself"), { message: "by itself" });
    await assert.rejects(() => box.bump(), { message: "by itself" });
    box = root.facet("box");
    assert.deepStrictEqual([await box.bump(), await box.add(1)], [1, 3]);
    // What it throws is no end of it.
    await assert.rejects(() => box.fail(), { name: "RangeError", message: "it failed" });
    assert.strictEqual(await box.bump(), 2);
    facets.abort("never begun", new Error("nobody hears it"));
  },

  async aDeletedFacetBeginsEmpty(root, { facets, storage }) {
    let box = root.facet("box");
    await box.add(1);
    await box.inner("inner", "add", 5);
    assert.strictEqual(await box.inner("inner", "add", 5), 10);
    facets.delete("box");
    await assert.rejects(() => box.bump(), { message: "Facet was deleted." });
    box = root.facet("box");
    assert.deepStrictEqual([await box.add(1), await box.inner("inner", "add", 1)], [1, 1]);
    await box.forget();
    assert.strictEqual(await box.inner("inner", "add", 1), 1);
    facets.delete("never begun");
    await storage.put("own", 1);
    await storage.deleteAll();
    await assert.rejects(() => box.bump(), { message: "Facet was deleted." });
    box = root.facet("box");
    assert.deepStrictEqual([await box.add(1), await box.inner("inner", "add", 1)], [1, 1]);
  },

  async whatTheScriptIsAskedItHasToSay(root, { facets, exports }) {
    for (const [name, options, message] of [
      ["throws", () => { throw new TypeError("not now"); }, "not now"],
      ["rejects", async () => { throw new TypeError("not now"); }, "not now"],
      ["nothing", () => 1, "Callback returned incorrect type; expected 'Promise'"],
      [
        "no class",
        () => ({ class: 1 }),
        "Incorrect type for the 'class' field on 'StartupOptions': the provided value is not " +
          "of type 'DurableObjectClass or LoopbackDurableObjectNamespace or " +
          "LoopbackColoLocalActorNamespace'.",
      ],
    ]) {
      const facet = root.facet(name, options);
      await assert.rejects(() => facet.bump(), { name: "TypeError", message });
      // Until it is ended.
      await assert.rejects(() => root.facet(name).bump(), { name: "TypeError", message });
      facets.abort(name, new Error("again"));
      assert.strictEqual(await root.facet(name).bump(), 1);
    }
    assert.throws(() => facets.get("x".repeat(257), () => ({ class: exports.Box })), {
      name: "TypeError",
      message: "Facet name is too long (max 256 characters).",
    });
    for (const method of ["abort", "delete"]) {
      assert.throws(() => facets[method]("x".repeat(257), 1), {
        message: "Facet name is too long (max 256 characters).",
      });
    }
    assert.throws(() => facets.get("a"), {
      message: "Failed to execute 'get' on 'DurableObjectFacets': parameter 2 is not of type " +
        "'function'.",
    });
  },

  async facetsTakeWebSockets(root) {
    const upgrade = { headers: { upgrade: "websocket" } };
    const { status, webSocket } = await root.facet("box").fetch("https://box.test/ws", upgrade);
    assert.strictEqual(status, 101);
    webSocket.accept();
    const heard = new Promise((resolve) => {
      webSocket.addEventListener("message", ({ data }) => resolve(data));
    });
    webSocket.send("one");
    assert.strictEqual(await heard, "one of 1 from https://box.test/ws");
    const closed = new Promise((resolve) => webSocket.addEventListener("close", resolve));
    webSocket.close(4000, "enough");
    assert.strictEqual((await closed).code, 4000);
    assert.strictEqual(await root.facet("box").bump(), 1);
  },

  async facetsNestSoDeep(root) {
    const box = root.facet("box");
    assert.strictEqual(await box.deeper(2), "as deep as it goes");
    await assert.rejects(() => box.deeper(3), {
      message: "Facet nesting depth limit exceeded. The maximum depth including the root " +
        "Durable Object is 4.",
    });
  },

  async facetsHaveNoAlarms(root) {
    assert.strictEqual(await root.facet("none").noAlarm(), null);
    const message = "Facets currently cannot set alarms.";
    const box = root.facet("box");
    await assert.rejects(() => box.setAlarm(), { message });
    await assert.rejects(() => box.bump(), { message });
  },

  async stubsStayWithTheirObject(root, { exports }, { ROOT }) {
    const box = root.facet("box");
    await assert.rejects(() => ROOT.getByName("other").take(box), {
      name: "DataCloneError",
      message: "Stubs pointing to Durable Object facets are not serializable.",
    });
    for (const [Class, name] of [
      [exports.Box, "LoopbackDurableObjectClass"],
      [exports.Root, "LoopbackDurableObjectNamespace"],
    ]) {
      await assert.rejects(() => ROOT.getByName("other").take(Class), {
        name: "DataCloneError",
        message: `Could not serialize object of type "${name}". This type does not support ` +
          "serialization.",
      });
    }
    // Classes may go on.
    const given = await ROOT.getByName("other").describe(exports.Box({ props: { of: "root" } }));
    assert.deepStrictEqual([given.name, given.props], ["other", { of: "root" }]);
    assert.throws(() => structuredClone(exports.Box({})), {
      name: "DataCloneError",
      message: "DurableObjectClass cannot be serialized in this context.",
    });
  },

  async loadedClassesAreFacetsToo(root, { exports, facets }, { LOADER }) {
    const main = `
      import { DurableObject } from "cloudflare:workers";
      export class Agent extends DurableObject {
        async add(n) {
          const sum = (this.ctx.storage.kv.get("sum") ?? 0) + n;
          this.ctx.storage.kv.put("sum", sum);
          return sum;
        }
        n() {
          return this.ctx.props.n;
        }
        async boxes() {
          const { facets, props } = this.ctx;
          const bound = facets.get("bound", () => ({ class: this.env.Box }));
          const given = facets.get("given", () => ({ class: props.Box }));
          const sum = (await bound.add(1)) + (await given.add(10)) + (await given.add(10));
          return [sum, (await bound.describe()).props, (await given.describe()).props];
        }
        own() {
          const options = () => ({ class: this.ctx.exports.Inner({ props: { inner: true } }) });
          return this.ctx.facets.get("own", options).hello();
        }
        abort() {
          this.ctx.abort("by itself");
        }
        fetch(request) {
          return new Response("the agent has " + request.url);
        }
      }
      export class Inner extends DurableObject {
        hello() {
          return { props: this.ctx.props, id: String(this.ctx.id) };
        }
      }`;
    const worker = LOADER.get("agent", () => ({
      compatibilityDate: "2026-04-01",
      mainModule: "main.js",
      modules: { "main.js": main },
      env: { Box: exports.Box({ props: { of: "env" } }) },
    }));
    const Class = worker.getDurableObjectClass("Agent", {
      props: { n: 1, Box: exports.Box({ props: { of: "props" } }) },
    });
    let agent = root.facet("agent", () => ({ class: Class, id: "agent" }));
    assert.deepStrictEqual([await agent.add(1), await agent.add(2)], [1, 3]);
    assert.strictEqual(await agent.n(), 1);
    const answer = await agent.fetch("https://agent.test/");
    assert.strictEqual(await answer.text(), "the agent has https://agent.test/");
    assert.deepStrictEqual(await agent.boxes(), [31, { of: "env" }, { of: "props" }]);
    assert.deepStrictEqual(await agent.own(), { props: { inner: true }, id: "agent" });
    await assert.rejects(() => agent.abort(), { message: "by itself" });
    agent = root.facet("agent", () => ({ class: Class }));
    assert.deepStrictEqual([await agent.add(4), (await agent.boxes())[0]], [7, 72]);
    facets.abort("agent", new RangeError("ended"));
    await assert.rejects(() => agent.add(1), { name: "RangeError", message: "ended" });
    // The same storage, with another class.
    const other = root.facet("agent");
    assert.deepStrictEqual([await other.add(1), await other.bump()], [8, 1]);
    facets.delete("agent");
    agent = root.facet("agent", () => ({ class: Class }));
    assert.deepStrictEqual([await agent.add(5), (await agent.boxes())[0]], [5, 31]);
    const missing = root.facet("missing", () => ({
      class: worker.getDurableObjectClass("Missing"),
    }));
    await assert.rejects(() => missing.add(1), {
      message: "Worker has no such actor class: Missing",
    });
    const broken = LOADER.get("broken", () => ({
      compatibilityDate: "2026-04-01",
      mainModule: "main.js",
      modules: { "main.js": "throw new Error('top')" },
    }));
    const facet = root.facet("broken", () => ({ class: broken.getDurableObjectClass("A") }));
    await assert.rejects(() => facet.add(1), {
      message: "Failed to start Worker:\nUncaught Error: top\n  at main.js:1:7",
    });
  },
};

const test = (name) => ({
  test: (_controller, { ROOT }) => ROOT.getByName(name).run(name),
});

export const aFacetIsAnObjectOfItsOwn = test("aFacetIsAnObjectOfItsOwn");
export const itsIdIsTheObjectsUnlessAnotherIsSaid = test("itsIdIsTheObjectsUnlessAnotherIsSaid");
export const classesAreExportsAndBindings = test("classesAreExportsAndBindings");
export const aFacetThatEndsIsStartedAnew = test("aFacetThatEndsIsStartedAnew");
export const aDeletedFacetBeginsEmpty = test("aDeletedFacetBeginsEmpty");
export const whatTheScriptIsAskedItHasToSay = test("whatTheScriptIsAskedItHasToSay");
export const facetsTakeWebSockets = test("facetsTakeWebSockets");
export const facetsNestSoDeep = test("facetsNestSoDeep");
export const facetsHaveNoAlarms = test("facetsHaveNoAlarms");
export const stubsStayWithTheirObject = test("stubsStayWithTheirObject");
export const loadedClassesAreFacetsToo = test("loadedClassesAreFacetsToo");
