/* requests: [{}] */
// Code made from strings, and WebAssembly made from bytes, are refused.

const emptyModule = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

const probes = {
  "eval": () => eval("1 + 1"),
  "indirect eval": () => (0, eval)("1 + 1"),
  "eval of something else": () => eval(7),
  "new Function": () => new Function("return 1")(),
  "Function": () => Function("a", "return a")(1),
  "by constructor": () => (() => {}).constructor("return 1")(),
  "async function by constructor": () => (async () => {}).constructor("return 1")(),
  "generator by constructor": () => [...(function* () {}).constructor("yield 1")()],
  "new Function of nothing": () => [typeof new Function(), typeof Function(), `${new Function()}`, new Function()()],
  "new Function of an empty text": () => typeof new Function(""),
  "a class that extends Function": () => {
    class Callable extends Function {
      constructor() { super(); this.own = 1; }
      method() { return "called"; }
    }
    const made = new Callable();
    return [made instanceof Callable, made instanceof Function, typeof made, made(), made.method(), made.own];
  },
  "constructors of functions": () => [
    (() => {}).constructor === Function,
    Object.getPrototypeOf((async () => {}).constructor) === Function,
    Object.getPrototypeOf((function* () {}).constructor) === Function,
    Function instanceof Function,
    Object.getPrototypeOf(Function) === Function.prototype,
    [Function.name, Function.length],
  ],
  "setTimeout with text": () => typeof setTimeout("1", 0),
  "the error's shape": () => {
    try {
      eval("1");
    } catch (error) {
      return [error.constructor.name, error instanceof EvalError, Object.keys(error)];
    }
  },
  "WebAssembly.compile": () => WebAssembly.compile(emptyModule),
  "WebAssembly.Module": () => new WebAssembly.Module(emptyModule),
  "WebAssembly.instantiate": () => WebAssembly.instantiate(emptyModule),
  "WebAssembly.compileStreaming": () => typeof WebAssembly.compileStreaming,
  "WebAssembly.instantiateStreaming": () => typeof WebAssembly.instantiateStreaming,
  "WebAssembly.validate": () => WebAssembly.validate(emptyModule),
  "WebAssembly.Memory": () => new WebAssembly.Memory({ initial: 1 }).buffer.byteLength,
  "WebAssembly.Table": () => new WebAssembly.Table({ initial: 2, element: "anyfunc" }).length,
  "import of an unknown module": () => import("./nothing.js"),
  "import of a data address": () => import("data:text/javascript,export default 1"),
  "import of a remote address": () => import("https://example.com/a.js"),
};

export default {
  async fetch() {
    return report(probes);
  },
};

// One line a probe: its value, or what it threw.
async function report(probes) {
  let lines = "";
  for (const [name, probe] of Object.entries(probes)) {
    let answer;
    try {
      answer = (await probe()) ?? null;
    } catch (error) {
      answer = { threw: error.name, message: error.message };
    }
    lines += `${name}: ${JSON.stringify(answer)}\n`;
  }
  return new Response(lines);
}
