/* requests: [
  {"path": "/?seed=1"}, {"path": "/?seed=2"}, {"path": "/?seed=3"}, {"path": "/?seed=4"}
] */
// Calls of Headers by chance. A seed that found a difference stays in the list. Names
// are ASCII: of others workerd gives back bytes that are no text.
function dice(seed) {
  let state = Math.imul(seed, 0x9e3779b9) | 1;
  return (sides) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % sides;
  };
}

const names = [
  "a", "A", "b", "X-Long-Name", "x-long-name", "set-cookie", "Set-Cookie", "content-type", "cookie", "", "a b", "a:",
  "a\n", "__proto__", "constructor", "0", "accept",
];
const values = ["1", "", " two ", "\tthree\t", "a, b", "x\u00ffy", "a=b; Path=/", "\u0100", "line\nend", "nul\0", "\r\n", 5, null, undefined, {}];

function fate(run) {
  try {
    return run();
  } catch (error) {
    return error.name;
  }
}

function probe(die) {
  const pick = (list) => list[die(list.length)];
  let headers = new Headers();
  const line = [];
  for (let n = 0; n < 12; n++) {
    const name = pick(names);
    const value = pick(values);
    const calls = [
      () => headers.append(name, value),
      () => headers.append(name, value),
      () => headers.set(name, value),
      () => headers.delete(name),
      () => headers.get(name),
      () => headers.has(name),
      () => headers.getSetCookie().join("|"),
      () => {
        headers = new Headers(headers);
      },
      () => {
        headers = new Headers([...headers]);
      },
      () => {
        headers = new Headers(Object.fromEntries(headers));
      },
      () => {
        headers = new Request("http://x.test", { headers }).headers;
      },
      () => {
        headers = new Response(null, { headers }).clone().headers;
      },
    ];
    const at = die(calls.length);
    line.push(`${at}:${JSON.stringify(fate(calls[at])) ?? "-"}`);
  }
  return `${line.join(" ")} ${JSON.stringify([...headers])} ${JSON.stringify([...headers.keys()])}`;
}

export default {
  fetch(request) {
    const die = dice(Number(new URL(request.url).searchParams.get("seed")));
    const lines = [];
    for (let n = 0; n < 120; n++) lines.push(`${n} ${probe(die)}`);
    return new Response(lines.join("\n"));
  },
};
