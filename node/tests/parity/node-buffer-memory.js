/* flags: ["nodejs_compat"] */
// Whose memory a Buffer has: its own, not a piece of a pool.
import { Buffer } from "node:buffer";

export default {
  async fetch() {
    const size = (buffer) => [buffer.byteOffset, buffer.buffer.byteLength];
    return Response.json({
      text: size(Buffer.from("hello")),
      base64: size(Buffer.from("aGVsbG8=", "base64")),
      array: size(Buffer.from([1, 2, 3])),
      concat: size(Buffer.concat([Buffer.from("a"), Buffer.from("b")])),
      unsafe: size(Buffer.allocUnsafe(10)),
    });
  },
};
