/* flags: ["streams_byob_reader_does_not_detach_buffer"] */
// Reads into a buffer that stays the script's: what becomes of it meanwhile.
const utf8 = (text) => new TextEncoder().encode(text);
const text = (bytes) => new TextDecoder().decode(bytes);

const probes = {
  "byob into a buffer made smaller meanwhile": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const reader = readable.getReader({ mode: "byob" });
    const buffer = new ArrayBuffer(16, { maxByteLength: 32 });
    const read = reader.read(new Uint8Array(buffer, 2, 10));
    buffer.resize(5);
    await writable.getWriter().write(utf8("hello"));
    const { value } = await read;
    return [text(value), value.byteOffset, value.buffer.byteLength, buffer.byteLength];
  },
  "byob into a buffer made larger meanwhile": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const reader = readable.getReader({ mode: "byob" });
    const buffer = new ArrayBuffer(8, { maxByteLength: 32 });
    const read = reader.read(new Uint8Array(buffer));
    buffer.resize(32);
    await writable.getWriter().write(utf8("hello"));
    const { value } = await read;
    return [text(value), value.buffer.byteLength];
  },
  "byob into a buffer given away meanwhile": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const reader = readable.getReader({ mode: "byob" });
    const buffer = new ArrayBuffer(8);
    const read = reader.read(new Uint8Array(buffer));
    const taken = buffer.transfer();
    await writable.getWriter().write(utf8("hello"));
    const { value, done } = await read;
    return [done, value.byteLength, [...new Uint8Array(taken)]];
  },
  "byob": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const reader = readable.getReader({ mode: "byob" });
    const bytes = new Uint8Array(4);
    const read = reader.read(bytes);
    await writable.getWriter().write(utf8("hi"));
    const { value } = await read;
    return [text(value), value.buffer === bytes.buffer, [...bytes]];
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
      answer = JSON.stringify(await probe());
    } catch (error) {
      answer = `${error?.name}: ${error?.message}`;
    }
    lines += `${name}: ${answer}\n`;
  }
  return new Response(lines);
}
