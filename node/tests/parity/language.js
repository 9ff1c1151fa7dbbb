/* requests: [{}] */
// The language itself: Intl, Date, JSON, regular expressions, recent additions.

const probes = {
  "time zone": () => [Intl.DateTimeFormat().resolvedOptions().timeZone, new Date(0).getTimezoneOffset(), new Date(2026, 0, 1).toISOString()],
  "locale": () => [Intl.DateTimeFormat().resolvedOptions().locale, (1234.5).toLocaleString()],
  "dates": () => [String(new Date(0)), new Date(0).toUTCString(), new Date("2026-02-30").getTime(), Date.parse("2026-01-02T03:04:05+02:00")],
  "Intl numbers": () => ["en", "de", "fr", "ja", "ar-EG"].map((locale) => new Intl.NumberFormat(locale, { style: "currency", currency: "EUR" }).format(1234.5)),
  "Intl dates": () => ["en-GB", "de", "ja"].map((locale) => new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "Europe/Berlin" }).format(new Date(0))),
  "Intl others": () => [new Intl.PluralRules("ru").select(3), new Intl.ListFormat("en").format(["a", "b", "c"]), new Intl.RelativeTimeFormat("en").format(-1, "day"), ["ä", "z", "a"].sort(new Intl.Collator("de").compare)],
  "segments": () => [...new Intl.Segmenter("en", { granularity: "word" }).segment("Hello big world")].filter((part) => part.isWordLike).length,
  "normalize": () => ["e\u0301".normalize("NFC").length, "straße".toUpperCase(), "İ".toLowerCase().length],
  "JSON": () => [JSON.stringify({ a: undefined, b: () => {}, c: NaN, d: -0, e: new Date(0), f: "\ud800" }), JSON.parse('{"__proto__":1}').__proto__],
  "JSON fault": () => JSON.parse('{"a":1,}'),
  "JSON raw": () => [typeof JSON.rawJSON, JSON.stringify({ a: 1 }, null, 2)],
  "regular expressions": () => ["2026-04-01".replace(/(?<y>\d+)-(?<m>\d+)/, "$<m>/$<y>"), /\p{Script=Greek}/u.test("α"), /(?<=\$)\d+/.exec("a$42")[0], [..."a1b2".matchAll(/\d/g)].length, /[\p{L}--[a-z]]/v.test("A")],
  "groups and copies": () => [Object.groupBy([1, 2, 3], (n) => (n % 2 ? "odd" : "even")), [3, 1].toSorted(), [1, 2].with(0, 9), [1, 2, 3].findLast((n) => n < 3), [1, 2].at(-1)],
  "sets": () => [[...new Set([1, 2]).union(new Set([3]))], new Set([1]).isSubsetOf(new Set([1, 2]))],
  "iterators": () => [1, 2, 3].values().map((n) => n * 2).filter((n) => n > 2).toArray(),
  "Array.fromAsync": () => Array.fromAsync((async function* () { yield 1; yield 2; })()),
  "promises": async () => [typeof Promise.withResolvers, typeof Promise.try, await Promise.any([Promise.reject(1), 2])],
  "errors": () => [new Error("a", { cause: 1 }).cause, new AggregateError([1]).errors, typeof Error.captureStackTrace, typeof Error.isError],
  "stack": () => /^Error: a\n {4}at /.test(new Error("a").stack),
  "using": () => [typeof Symbol.dispose, typeof Symbol.asyncDispose],
  "buffers": () => [new ArrayBuffer(8, { maxByteLength: 16 }).resizable, new Uint8Array([1]).buffer.transfer().byteLength],
  "newer names": () => ["Temporal", "Float16Array", "Iterator", "WeakRef", "FinalizationRegistry", "ShadowRealm", "SharedArrayBuffer", "Atomics"].map((name) => [name, typeof globalThis[name]]),
  "deep recursion": () => {
    let depth = 0;
    const deeper = () => { depth++; deeper(); };
    try {
      deeper();
    } catch (error) {
      return [error.name, error.message, depth > 5000];
    }
  },
  "string too long": () => "a".repeat(2 ** 30),
  "array too long": () => new Array(-1),
  "strict": () => { undeclared = 1; },
  "frozen": () => { Object.freeze([]).push(1); },
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
