// Whether requests have `cache`, which a flag says.
import assert from "node:assert";

export const cacheIsThereByItsFlag = {
  test(_controller, { KNOWN }) {
    assert.strictEqual("cache" in Request.prototype, KNOWN);
    assert.strictEqual(new Request("http://a/").cache, undefined);
    const make = () => new Request("http://a/", { cache: "no-store" });
    if (KNOWN) assert.strictEqual(make().cache, "no-store");
    else assert.throws(make, Error);
  },
};
