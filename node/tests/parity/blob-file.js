/* requests: [{}] */
// Blob and File: parts, slices, types, readers.

const probes = {
  "parts": async () => {
    const blob = new Blob(["a", new Uint8Array([98]), new Blob(["c"]), new Uint8Array([100]).buffer, 5]);
    return [blob.size, blob.type, await blob.text()];
  },
  "type is lower-case": () => new Blob([], { type: "Text/PLAIN" }).type,
  "type with odd characters": () => new Blob([], { type: "té/xt" }).type,
  "slice": async () => {
    const blob = new Blob(["abcdef"], { type: "a/b" });
    const slices = [blob.slice(1, 3), blob.slice(-2), blob.slice(2, -2), blob.slice(5, 2), blob.slice(0, 2, "C/D"), blob.slice(10)];
    return Promise.all(slices.map(async (slice) => [await slice.text(), slice.size, slice.type]));
  },
  "arrayBuffer and bytes": async () => {
    const blob = new Blob(["ab"]);
    return [[...new Uint8Array(await blob.arrayBuffer())], [...(await blob.bytes())]];
  },
  "stream": async () => {
    const parts = [];
    for await (const part of new Blob(["abc"]).stream()) parts.push(part.constructor.name, ...part);
    return parts;
  },
  "stream twice": async () => {
    const blob = new Blob(["abc"]);
    return [await new Response(blob.stream()).text(), await new Response(blob.stream()).text()];
  },
  "line endings": () => new Blob(["a\r\nb\nc"], { endings: "native" }).text(),
  "endings unknown": () => new Blob(["a"], { endings: "sideways" }).size,
  "file": async () => {
    const file = new File(["abc"], "name/with:odd.txt", { type: "text/plain", lastModified: 1234 });
    return [file.name, file.size, file.type, file.lastModified, file instanceof Blob, await file.text()];
  },
  "file without a name": () => new File(["abc"]),
  "file with lastModified not a number": () => new File([], "a", { lastModified: NaN }).lastModified,
  "parts from a generator": () => new Blob((function* () { yield "a"; yield "b"; })()).text(),
  "parts as a string": () => new Blob("abc"),
  "parts as an object": () => new Blob({}),
  "no parts": () => [new Blob().size, new Blob(undefined).size],
  "null parts": () => new Blob(null),
  "tags": () => [String(new Blob()), String(new File([], "a"))],
  "lone surrogate": async () => [...(await new Blob(["\ud800"]).bytes())],
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
