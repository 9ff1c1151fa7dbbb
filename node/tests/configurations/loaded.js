// Loaded workers: one that ends its own isolate, and modules of Wasm by their sources.
import assert from "node:assert";

const code = (main, rest = {}) => ({
  compatibilityDate: "2026-04-01",
  mainModule: "main.js",
  modules: { "main.js": main },
  ...rest,
});

const ABORTS = `
import { WorkerEntrypoint, abortIsolate } from "cloudflare:workers";
let count = 0;
export default class extends WorkerEntrypoint {
  count() { return ++count; }
  abort() {
    try {
      abortIsolate("for a test");
    } catch {
      // It cannot be caught.
    }
    for (;;) count++;
  }
}`;

const internal = { name: "Error", message: /^internal error; reference = [0-9a-z]+$/ };

export const aborted = {
  async test(_, { LOADER }) {
    let loads = 0;
    const load = () =>
      LOADER.get("aborts", () => {
        loads++;
        return code(ABORTS);
      }).getEntrypoint();
    const first = load();
    assert.deepStrictEqual([await first.count(), await load().count(), loads], [1, 2, 1]);
    const during = first.abort();
    await assert.rejects(during, internal);
    // By its name it is loaded anew.
    assert.deepStrictEqual([await load().count(), loads], [1, 2]);
  },
};

export const abortedWithoutName = {
  async test(_, { LOADER }) {
    const worker = LOADER.load(code(ABORTS)).getEntrypoint();
    assert.strictEqual(await worker.count(), 1);
    await assert.rejects(worker.abort(), internal);
  },
};

export const abortedAtTheTop = {
  async test(_, { LOADER }) {
    const main = `
      import { abortIsolate } from "cloudflare:workers";
      for (;;) {
        try {
          abortIsolate("at the top");
        } catch {}
      }`;
    const worker = LOADER.load(code(main)).getEntrypoint();
    await assert.rejects(worker.fetch("http://a.test/"));
  },
};

/** (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)) */
const ADD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100,
  100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11,
]);

export const sourcePhase = {
  async test(_, { LOADER }) {
    const main = `
      /* \u{1f525} import source from "./no.wasm" */
      import source add from "./lib/add.wasm";import source  again from'./lib/add.wasm';
      import whole from "./lib/add.wasm";
      import source from "./source.js";
      const text = 'import source add from "./lib/add.wasm";';
      export default {
        async fetch() {
          const { exports } = await WebAssembly.instantiate(add);
          const isModule = [add, again, whole].map((one) => one instanceof WebAssembly.Module);
          return Response.json([exports.add(2, 3), isModule, add === again, source, text.length]);
        },
      };`;
    const modules = {
      "main.js": main,
      "source.js": "export default 'a module';",
      "lib/add.wasm": { wasm: ADD },
    };
    const worker = LOADER.load(code(main, { modules })).getEntrypoint();
    const answer = await worker.fetch("http://a.test/");
    assert.deepStrictEqual(await answer.json(), [5, [true, true, true], true, "a module", 40]);
  },
};

export const sourceOfAScript = {
  async test(_, { LOADER }) {
    const main = 'import source other from "./other.js"; export default {};';
    const modules = { "main.js": main, "other.js": "export default 1;" };
    const worker = LOADER.load(code(main, { modules })).getEntrypoint();
    await assert.rejects(worker.fetch("http://a.test/"), /Source phase/);
  },
};
