/* flags: ["nodejs_compat"] */
// node:buffer: arguments out of range, and what is copied, filled and transcoded at the edges.
import buffer from "node:buffer";

const bytes = () => Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]);
const lengths = ["", "0", null, {}, undefined, 7, 1.5, NaN, Infinity, -1];
const relabelled = () => Object.defineProperty(Buffer.from("w00t"), "length", { value: 1337 });

const probes = {
  "kMaxLength": () => [buffer.kMaxLength, buffer.constants.MAX_LENGTH],
  "copy from before the start": () => bytes().copy(Buffer.alloc(8), 0, -1),
  "copy from the end": () => bytes().copy(Buffer.alloc(8), 0, 8),
  "copy from behind the end": () => bytes().copy(Buffer.alloc(8), 0, 100),
  "copy to before the start": () => bytes().copy(Buffer.alloc(8), -1, 0),
  "fill with another length": () => relabelled().fill("ab").subarray(0, 4).toString(),
  "fill with nothing and another length": () => relabelled().fill("").byteLength,
  "alloc too much": () => Buffer.alloc(1422561062959).length,
  "transcode broken UTF-8 to itself": () => buffer.transcode(Buffer.from([0x80]), "utf8", "utf8").toString("hex"),
  "transcode Latin-1 to itself": () => buffer.transcode(Buffer.from([0x80]), "latin1", "latin1").toString("hex"),
};
for (const length of lengths) {
  probes[`readIntLE of ${JSON.stringify(length)} ${typeof length} bytes`] = () => bytes().readIntLE(0, length);
  probes[`writeUIntBE of ${JSON.stringify(length)} ${typeof length} bytes`] = () => bytes().writeUIntBE(1, 0, length);
}

export default {
  async fetch() {
    let lines = "";
    for (const [name, probe] of Object.entries(probes)) {
      let answer;
      try {
        answer = (await probe()) ?? null;
      } catch (error) {
        answer = { threw: error.name, code: error.code, message: name === "alloc too much" ? null : error.message };
      }
      lines += `${name}: ${JSON.stringify(answer)}\n`;
    }
    return new Response(lines);
  },
};
