// util.parseEnv: the variables of a `.env` file.
(function () {
const { primordials } = __bootstrap;
const {
  RegExpPrototypeExec,
  SafeRegExp,
  StringPrototypeReplaceAll,
  StringPrototypeTrim,
} = primordials;

/** A line `NAME=value`, where quotes hold a value together over lines. */
const LINE = new SafeRegExp(
  "^[ \\t]*(?:export[ \\t]+)?([^=#\\s][^=\\n]*?)[ \\t]*=[ \\t]*" +
    "(?:\"([^\"]*)\"|'([^']*)'|`([^`]*)`|([^\\n]*))[^\\n]*$",
  "gm",
);
const COMMENT = new SafeRegExp("(?:^|[ \\t])#.*$|#.*$");

function parseEnv(text) {
  const found = {};
  const lines = StringPrototypeReplaceAll(text, "\r\n", "\n");
  LINE.lastIndex = 0;
  for (let match; (match = RegExpPrototypeExec(LINE, lines)) !== null;) {
    const { 1: name, 2: double, 3: single, 4: back, 5: plain } = match;
    let value;
    if (double !== undefined) {
      value = StringPrototypeReplaceAll(double, "\\n", "\n");
    } else value = single ?? back ?? withoutComment(plain);
    found[name] = value;
    if (match[0] === "") LINE.lastIndex++;
  }
  return found;
}

function withoutComment(value) {
  const match = RegExpPrototypeExec(COMMENT, value);
  return StringPrototypeTrim(
    match === null ? value : primordials.StringPrototypeSlice(value, 0, match.index),
  );
}

return { parseEnv };
})();
