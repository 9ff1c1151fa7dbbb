/* requests: [{}] */
// TextEncoder, TextDecoder: faults, byte order marks, labels, streaming.

const bytes = (...values) => new Uint8Array(values);

const probes = {
  "encode": () => [...new TextEncoder().encode("aé☃😀\ud800")],
  "encode nothing": () => [new TextEncoder().encode().length, new TextEncoder().encoding],
  "encodeInto": () => {
    const target = new Uint8Array(5);
    const result = new TextEncoder().encodeInto("aé☃", target);
    return [result.read, result.written, [...target]];
  },
  "encodeInto does not split": () => {
    const target = new Uint8Array(3);
    const result = new TextEncoder().encodeInto("a😀", target);
    return [result.read, result.written];
  },
  "decode": () => new TextDecoder().decode(bytes(0x61, 0xc3, 0xa9, 0xe2, 0x98, 0x83)),
  "replacement": () => new TextDecoder().decode(bytes(0x61, 0xff, 0xc3, 0x62, 0xe2, 0x98)),
  "fatal": () => new TextDecoder("utf-8", { fatal: true }).decode(bytes(0xff)),
  "fatal with good bytes": () => new TextDecoder("utf-8", { fatal: true }).decode(bytes(0x61)),
  "fatal, unfinished": () => new TextDecoder("utf-8", { fatal: true }).decode(bytes(0xe2, 0x98)),
  "byte order mark": () => [new TextDecoder(), new TextDecoder("utf-8", { ignoreBOM: true })].map((decoder) => decoder.decode(bytes(0xef, 0xbb, 0xbf, 0x61)).length),
  "byte order mark, every time": () => {
    const decoder = new TextDecoder();
    return [1, 2].map(() => decoder.decode(bytes(0xef, 0xbb, 0xbf, 0x61)).length);
  },
  "streaming": () => {
    const decoder = new TextDecoder();
    return [decoder.decode(bytes(0xe2), { stream: true }), decoder.decode(bytes(0x98), { stream: true }), decoder.decode(bytes(0x83, 0xf0), { stream: true }), decoder.decode()];
  },
  "fields": () => {
    const decoder = new TextDecoder("UTF8", { fatal: true, ignoreBOM: true });
    return [decoder.encoding, decoder.fatal, decoder.ignoreBOM];
  },
  "labels": () => ["utf-8", "latin1", "ascii", "windows-1252", "utf-16", "utf-16le", "utf-16be", "shift_jis", "gbk", "euc-kr", " UTF-8 "].map((label) => {
    try {
      return [label, new TextDecoder(label).encoding];
    } catch (error) {
      return [label, error.name];
    }
  }),
  "unknown label": () => new TextDecoder("klingon"),
  "latin1": () => new TextDecoder("latin1").decode(bytes(0xe9, 0x80)),
  "utf-16le": () => new TextDecoder("utf-16le").decode(bytes(0x61, 0, 0x03, 0x26)),
  "sources": () => [new Uint8Array([97]).buffer, new DataView(new Uint8Array([97, 98]).buffer, 1), new Uint16Array([0x6261])].map((source) => new TextDecoder().decode(source)),
  "not bytes": () => new TextDecoder().decode("text"),
  "TextDecoderStream": async () => {
    const parts = [];
    const chunks = new ReadableStream({ start(c) { c.enqueue(bytes(0xe2, 0x98)); c.enqueue(bytes(0x83, 0x61)); c.close(); } });
    for await (const part of chunks.pipeThrough(new TextDecoderStream())) parts.push(part);
    return parts;
  },
  "TextDecoderStream, fatal": async () => {
    const chunks = new ReadableStream({ start(c) { c.enqueue(bytes(0xff)); c.close(); } });
    for await (const _ of chunks.pipeThrough(new TextDecoderStream("utf-8", { fatal: true })));
  },
  "TextEncoderStream": async () => {
    const parts = [];
    const chunks = new ReadableStream({ start(c) { c.enqueue("a\ud83d"); c.enqueue("\ude00"); c.close(); } });
    for await (const part of chunks.pipeThrough(new TextEncoderStream())) parts.push([part.constructor.name, ...part]);
    return parts;
  },
  "stream fields": () => [new TextDecoderStream().encoding, new TextDecoderStream().fatal, new TextEncoderStream().encoding],
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
