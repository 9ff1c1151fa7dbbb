import { createHistogram, performance as clock, PerformanceEntry, PerformanceResourceTiming } from "node:perf_hooks";

const equal = (a, b) => {
  if (JSON.stringify(a) !== JSON.stringify(b)) {
    throw new Error(`${JSON.stringify(a)} is not ${JSON.stringify(b)}`);
  }
};
const fault = async (run) => {
  try {
    await run();
  } catch (error) {
    return error;
  }
};
const seen = [eval("6 * 7"), new Function("a", "return a + 1")(1)];
await null;
seen.push(eval("[1].length"));

export const strings = {
  async test() {
    equal(seen, [42, 2, 1]);
    equal((await fault(() => eval("1"))).name, "EvalError");
    equal((await fault(() => new Function("return 1"))).name, "EvalError");
    const wasm = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    equal((await fault(() => new WebAssembly.Module(wasm))).name, "CompileError");
  },
};
export const attributes = {
  async test() {
    const error = await fault(() => import("path", { with: { a: "b" } }));
    equal(/^Unrecognized import attributes/.test(error.message), true);
  },
};
export const timing = {
  async test() {
    equal(clock.nodeTiming instanceof PerformanceEntry, true);
    equal(clock.nodeTiming.toJSON().uvMetricsInfo, { loopCount: 0, events: 0, eventsWaiting: 0 });
    equal([clock.eventCounts.size, [...clock.eventCounts]], [0, []]);
    equal(clock.eventLoopUtilization(), { idle: 0, active: 0, utilization: 0 });
    equal(globalThis.PerformanceResourceTiming === PerformanceResourceTiming, true);
    equal("detail" in clock.mark("m").toJSON(), false);
    equal(clock.mark("n", { detail: { a: 1 } }).toJSON().detail, { a: 1 });
    equal((await fault(() => createHistogram())) !== undefined, true);
  },
};
