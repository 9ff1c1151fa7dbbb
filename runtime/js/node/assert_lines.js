// How two values differ that take a line each, as Workers say it.
(function () {
const { core, primordials } = __bootstrap;
const { StringPrototypeIncludes, StringPrototypeRepeat } = primordials;
const { inspect } = core.loadExtScript("ext:deno_node/internal/util/inspect.mjs");

/** Where both together are shorter, a mark shows where they begin to differ. */
const SHORT = 80;
const OPTIONS = {
  compact: true,
  customInspect: false,
  depth: 1000,
  getters: true,
  maxArrayLength: Infinity,
  showProxy: false,
  sorted: true,
};

function lineOf(value) {
  const line = inspect(value, OPTIONS);
  return core.getProxyDetails(value) === null ? line : `Proxy(${line})`;
}

/** undefined where they take more lines, or are shown alike. */
function diffOfLines(actual, expected) {
  const one = lineOf(actual);
  const other = lineOf(expected);
  if (
    one === other || StringPrototypeIncludes(one, "\n") ||
    StringPrototypeIncludes(other, "\n")
  ) {
    return undefined;
  }
  let mark = "";
  if (one.length + other.length < SHORT) {
    let at = 0;
    while (one[at] === other[at]) at++;
    if (at > 2) mark = `\n${StringPrototypeRepeat(" ", at + 2)}^`;
  }
  return `+ ${one}\n- ${other}${mark}`;
}

return { diffOfLines };
})();
