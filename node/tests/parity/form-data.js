/* requests: [{}] */
// FormData: building, iterating, files, and parsing of both encodings.

const boundary = "frontier";
const multipart = (text, type = `multipart/form-data; boundary=${boundary}`) =>
  new Response(text.replaceAll("\n", "\r\n"), { headers: { "content-type": type } }).formData();
const list = async (form) =>
  Promise.all([...form].map(async ([name, value]) =>
    typeof value === "string" ? [name, value] : [name, value.constructor.name, value.name, value.type, value.size, await value.text()]));

const probes = {
  "building": () => {
    const form = new FormData();
    form.append("a", "1");
    form.append("b", "2");
    form.append("a", "3");
    form.set("b", "4");
    return [form.get("a"), form.getAll("a"), form.has("b"), form.get("none"), [...form.keys()]];
  },
  "set keeps the first place": () => {
    const form = new FormData();
    for (const name of ["a", "b", "a", "c"]) form.append(name, name);
    form.set("a", "new");
    return [...form];
  },
  "delete": () => {
    const form = new FormData();
    form.append("a", "1");
    form.delete("a");
    form.delete("a");
    return [...form].length;
  },
  "values become strings": () => {
    const form = new FormData();
    form.append("a", 1);
    form.append("b", null);
    form.append("c", undefined);
    form.append("d", {});
    return [...form.values()];
  },
  "blob becomes a file": async () => {
    const form = new FormData();
    form.append("a", new Blob(["x"], { type: "text/css" }));
    form.append("b", new Blob(["y"]), "name.txt");
    form.append("c", new File(["z"], "own.txt"));
    form.append("d", new File(["z"], "own.txt"), "given.txt");
    return list(form);
  },
  "file name for a string": () => {
    const form = new FormData();
    form.append("a", "text", "name.txt");
    return [...form];
  },
  "lone surrogate": () => {
    const form = new FormData();
    form.append("a", "x\ud800y");
    return form.get("a").charCodeAt(1).toString(16);
  },
  "url-encoded": async () => list(await new Response("a=1&b=x+y%20z&a=%C3%A9&c", { headers: { "content-type": "application/x-www-form-urlencoded" } }).formData()),
  "url-encoded with charset": async () => list(await new Response("a=1", { headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" } }).formData()),
  "multipart": async () => list(await multipart(`--frontier
content-disposition: form-data; name="text"

line one
line two
--frontier
Content-Disposition: form-data; name="file"; filename="a.txt"
Content-Type: text/plain; charset=utf-8

inside
--frontier
Content-Disposition: form-data; name="untyped"; filename="b.bin"

inside
--frontier--
`)),
  "multipart with a quoted boundary": async () => list(await multipart('--frontier\nContent-Disposition: form-data; name="a"\n\n1\n--frontier--', 'multipart/form-data; boundary="frontier"')),
  "multipart with a preamble": async () => list(await multipart('before\n--frontier\nContent-Disposition: form-data; name="a"\n\n1\n--frontier--\nafter')),
  "multipart with escapes in a name": async () => list(await multipart('--frontier\nContent-Disposition: form-data; name="a%22b%0D%0Ac"\n\n1\n--frontier--')),
  "multipart, empty value": async () => list(await multipart('--frontier\nContent-Disposition: form-data; name="a"\n\n\n--frontier--')),
  "multipart, unquoted name": async () => list(await multipart("--frontier\nContent-Disposition: form-data; name=a\n\n1\n--frontier--")),
  "multipart, utf-8 name": async () => list(await multipart('--frontier\nContent-Disposition: form-data; name="é"; filename="☃.txt"\n\n1\n--frontier--')),
  "multipart, no parts": async () => list(await multipart("--frontier--\n")),
  "multipart without a boundary": () => multipart("--frontier--", "multipart/form-data"),
  "multipart that is cut": () => multipart('--frontier\nContent-Disposition: form-data; name="a"\n\n1'),
  "multipart of nothing": () => multipart(""),
  "multipart without a disposition": () => multipart("--frontier\n\n1\n--frontier--"),
  "multipart without a name": () => multipart("--frontier\nContent-Disposition: form-data\n\n1\n--frontier--"),
  "multipart with other line ends": () => new Response('--frontier\nContent-Disposition: form-data; name="a"\n\n1\n--frontier--', { headers: { "content-type": "multipart/form-data; boundary=frontier" } }).formData().then(list),
  "another content-type": () => new Response("a=1", { headers: { "content-type": "text/plain" } }).formData(),
  "no content-type": () => new Response(new Uint8Array(1)).formData(),
  "from a form element": () => [...new FormData({})],
  "append with one argument": () => new FormData().append("a"),
  "file name for a string in set": () => {
    const form = new FormData();
    form.set("a", "x", "y");
    return form.get("a");
  },
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
