// Glob patterns, for path.matchesGlob and fs.glob.
(function () {
const { primordials } = __bootstrap;
const {
  RegExpPrototypeTest,
  SafeRegExp,
  StringPrototypeCharAt,
  StringPrototypeIndexOf,
  StringPrototypeIncludes,
  StringPrototypeSlice,
} = primordials;

/** The longest pattern: what it becomes is matched by backtracking. */
const LONGEST = 4096;

/** A regular expression's source that matches what the glob does. */
function sourceOf(glob) {
  let source = "";
  let depth = 0;
  for (let i = 0; i < glob.length; i++) {
    const c = StringPrototypeCharAt(glob, i);
    if (c === "*") {
      if (StringPrototypeCharAt(glob, i + 1) !== "*") {
        source += "[^/]*";
        continue;
      }
      i++;
      const whole = i < 2 || StringPrototypeCharAt(glob, i - 2) === "/";
      if (whole && StringPrototypeCharAt(glob, i + 1) === "/") {
        source += "(?:[^/]+/)*";
        i++;
      } else source += ".*";
    } else if (c === "?") source += "[^/]";
    else if (c === "{") {
      source += "(?:";
      depth++;
    } else if (c === "}" && depth > 0) {
      source += ")";
      depth--;
    } else if (c === "," && depth > 0) source += "|";
    else if (c === "[") {
      const end = StringPrototypeIndexOf(glob, "]", i + 2);
      if (end < 0) source += "\\[";
      else {
        const set = StringPrototypeSlice(glob, i + 1, end);
        const not = StringPrototypeCharAt(set, 0) === "!";
        source += not ? `[^${StringPrototypeSlice(set, 1)}]` : `[${set}]`;
        i = end;
      }
    } else if (c === "\\" && i + 1 < glob.length) {
      source += `\\${StringPrototypeCharAt(glob, ++i)}`;
    } else {
      source += StringPrototypeIncludes("^$.|()+/\\", c) ? `\\${c}` : c;
    }
  }
  for (; depth > 0; depth--) source += ")";
  return source;
}

/** Whether the whole of `path` is what `glob` says. */
function matchGlob(path, glob) {
  if (glob.length > LONGEST) return false;
  return RegExpPrototypeTest(new SafeRegExp(`^${sourceOf(glob)}$`), path);
}

return { matchGlob, sourceOf };
})();
