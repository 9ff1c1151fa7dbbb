/* flags: ["nodejs_compat"] */
// node:assert compares strictly by either name, and says how values of a line each differ.
import assert from "node:assert";

const probes = {
  "equal": () => assert.equal(1, "1"),
  "notEqual": () => assert.notEqual(1, "1"),
  "deepEqual": () => assert.deepEqual([1], ["1"]),
  "notDeepEqual": () => assert.notDeepEqual([1], ["1"]),
  "deepStrictEqual, short": () => assert.deepStrictEqual({ a: 1, b: { c: [1, 2, 3] } }, { a: 1, b: { c: [1, 2, 4] } }),
  "deepStrictEqual, of a proxy": () => assert.deepStrictEqual(new Proxy([1, 2], {}), [1, 2, 3]),
  "deepStrictEqual, longer": () =>
    assert.deepStrictEqual({ b: [{ c: new Uint8Array(3), d: false, e: "hello" }] }, { b: [{ c: new Uint8Array(3), d: true, e: "hello" }] }),
};

export default {
  async fetch() {
    let lines = "";
    for (const [name, probe] of Object.entries(probes)) {
      let answer;
      try {
        answer = probe() ?? null;
      } catch (error) {
        // Only what is deeply compared is told alike.
        answer = { threw: error.name, code: error.code, message: name.startsWith("deep") ? error.message : null };
      }
      lines += `${name}: ${JSON.stringify(answer)}\n`;
    }
    return new Response(lines);
  },
};
