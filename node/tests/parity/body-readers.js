/* requests: [{}] */
// text, json, arrayBuffer, bytes, blob: results, double use, faults.

const utf8 = (text) => new TextEncoder().encode(text);

const probes = {
  "text": () => new Response("héllo ☃").text(),
  "text drops a byte order mark": async () => (await new Response(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])).text()).length,
  "text replaces bad bytes": () => new Response(new Uint8Array([0x61, 0xff, 0x62])).text(),
  "json": () => new Response('{"a":[1,2]}').json(),
  "json drops a byte order mark": () => new Response(new Uint8Array([0xef, 0xbb, 0xbf, 0x31])).json(),
  "json of nothing": () => new Response("").json(),
  "json of null body": () => new Response(null).json(),
  "json that is cut": () => new Response('{"a":').json(),
  "json with a wrong token": () => new Response('{"a":tru}').json(),
  "arrayBuffer": async () => {
    const buffer = await new Response("abc").arrayBuffer();
    return [buffer.constructor.name, [...new Uint8Array(buffer)]];
  },
  "bytes": async () => {
    const bytes = await new Response("abc").bytes();
    return [bytes.constructor.name, [...bytes]];
  },
  "bytes of null body": async () => (await new Response(null).bytes()).length,
  "blob": async () => {
    const blob = await new Response("abc", { headers: { "content-type": "Text/X; charset=UTF-8" } }).blob();
    return [blob.constructor.name, blob.size, blob.type, await blob.text()];
  },
  "blob without a type": async () => (await new Response(utf8("a")).blob()).type,
  "text of null body": () => new Response(null).text(),
  "bodyUsed": async () => {
    const response = new Response("a");
    const before = response.bodyUsed;
    await response.text();
    return [before, response.bodyUsed];
  },
  "bodyUsed of null body": async () => {
    const response = new Response(null);
    await response.text();
    await response.text();
    return response.bodyUsed;
  },
  "text twice": async () => {
    const response = new Response("a");
    await response.text();
    return response.text();
  },
  "text while locked": () => {
    const response = new Response("a");
    response.body.getReader();
    return response.text();
  },
  "two at once": async () => {
    const response = new Response("a");
    const settled = await Promise.allSettled([response.text(), response.text()]);
    return settled.map((one) => one.value ?? [one.reason.name, one.reason.message]);
  },
  "body is the same stream each time": () => {
    const response = new Response("a");
    return response.body === response.body;
  },
  "text after the stream was read": async () => {
    const response = new Response("a");
    for await (const _ of response.body);
    return [response.bodyUsed, await response.text().catch((error) => [error.name, error.message])];
  },
  "a string chunk in a stream": () =>
    new Response(new ReadableStream({ start(c) { c.enqueue("text"); c.close(); } })).text(),
  "a number chunk in a stream": () =>
    new Response(new ReadableStream({ start(c) { c.enqueue(7); c.close(); } })).text(),
  "views into a larger buffer": () => new Response(utf8("abcdef").subarray(2, 4)).text(),
  "DataView": () => new Response(new DataView(utf8("abcdef").buffer, 1, 2)).text(),
  "Uint16Array": async () => [...(await new Response(new Uint16Array([1, 256])).bytes())],
  "changed after being given": async () => {
    const bytes = utf8("abc");
    const response = new Response(bytes);
    bytes[0] = 120;
    return response.text();
  },
  "method on another object": () => Response.prototype.text.call({}),
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
