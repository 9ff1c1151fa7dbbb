// Glob patterns, for path.matchesGlob and fs.glob.
(function () {
const { primordials } = __bootstrap;
const {
  ArrayPrototypePop,
  ArrayPrototypePush,
  RegExpPrototypeTest,
  SafeArrayIterator,
  SafeRegExp,
  StringPrototypeCharAt,
  StringPrototypeIndexOf,
  StringPrototypeIncludes,
  StringPrototypeSlice,
} = primordials;

/** The longest pattern: what it becomes is matched by backtracking. */
const LONGEST = 4096;
/** How many patterns one with braces may stand for. */
const MOST = 4096;

/** What may stand before a group, and how the group ends in an expression. */
const GROUPS = {
  __proto__: null,
  "@": ")",
  "*": ")*",
  "+": ")+",
  "?": ")?",
  "!": ")(?:/|$))[^/]*",
};

/** A regular expression's source that matches what the glob does. */
function sourceOf(glob) {
  let source = "";
  /** @type {{separator: string, close: string, end: string}[]} */
  const open = [];
  for (let i = 0; i < glob.length; i++) {
    const c = StringPrototypeCharAt(glob, i);
    const next = StringPrototypeCharAt(glob, i + 1);
    const group = open[open.length - 1];
    if (next === "(" && GROUPS[c] !== undefined) {
      source += c === "!" ? "(?!(?:" : "(?:";
      ArrayPrototypePush(open, { separator: "|", close: ")", end: GROUPS[c] });
      i++;
    } else if (c === "*") {
      if (next !== "*") {
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
      ArrayPrototypePush(open, { separator: ",", close: "}", end: ")" });
    } else if (group !== undefined && c === group.close) {
      source += group.end;
      ArrayPrototypePop(open);
    } else if (group !== undefined && c === group.separator) source += "|";
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
  for (; open.length > 0; ArrayPrototypePop(open)) {
    source += open[open.length - 1].end;
  }
  return source;
}

/** The patterns that one with braces stands for: `a/{b,c}` is two. */
function expandBraces(glob) {
  let depth = 0;
  let start = 0;
  let commas = [];
  for (let i = 0; i < glob.length; i++) {
    const c = StringPrototypeCharAt(glob, i);
    if (c === "\\") i++;
    else if (c === "{") {
      if (depth++ === 0) {
        start = i;
        commas = [i];
      }
    } else if (c === "," && depth === 1) ArrayPrototypePush(commas, i);
    else if (c === "}" && depth > 0 && --depth === 0 && commas.length > 1) {
      ArrayPrototypePush(commas, i);
      const all = [];
      for (let k = 1; k < commas.length && all.length < MOST; k++) {
        const one = StringPrototypeSlice(glob, 0, start) +
          StringPrototypeSlice(glob, commas[k - 1] + 1, commas[k]) +
          StringPrototypeSlice(glob, i + 1);
        ArrayPrototypePush(all, ...new SafeArrayIterator(expandBraces(one)));
      }
      return all;
    }
  }
  return [glob];
}

/** Whether the whole of `path` is what `glob` says. */
function matchGlob(path, glob) {
  if (glob.length > LONGEST) return false;
  return RegExpPrototypeTest(new SafeRegExp(`^${sourceOf(glob)}$`), path);
}

return { expandBraces, matchGlob, sourceOf };
})();
