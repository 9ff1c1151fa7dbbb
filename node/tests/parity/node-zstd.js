/* flags: ["nodejs_compat"] */
// zstd of node:zlib: round trips, parameters, and what is no frame.
import zlib from "node:zlib";

const text = "the same words, the same words, ".repeat(200);

export default {
  async fetch() {
    const { ZSTD_c_checksumFlag, ZSTD_c_compressionLevel } = zlib.constants;
    const lines = [];
    const probe = async (name, act) => {
      try {
        lines.push(`${name}: ${JSON.stringify(await act())}`);
      } catch (error) {
        lines.push(`${name}: ${error.name}`);
      }
    };
    const trip = (params) => zlib.zstdDecompressSync(zlib.zstdCompressSync(text, { params })).toString() === text;
    await probe("plain", () => trip());
    await probe("levels", () => [1, 19].map((level) => trip({ [ZSTD_c_compressionLevel]: level })));
    await probe("checksum", () => trip({ [ZSTD_c_checksumFlag]: 1 }));
    await probe("nothing", () => zlib.zstdDecompressSync(zlib.zstdCompressSync("")).length);
    await probe("stream", async () => {
      const stream = zlib.createZstdDecompress({ chunkSize: 64 });
      stream.end(zlib.zstdCompressSync(text));
      let length = 0;
      for await (const chunk of stream) length += chunk.length;
      return length === text.length;
    });
    await probe("no frame", () => zlib.zstdDecompressSync(Buffer.from("this is no frame at all")));
    await probe("cut", () => zlib.zstdDecompressSync(zlib.zstdCompressSync(text).subarray(0, 20)));
    await probe("too much", () => zlib.zstdDecompressSync(zlib.zstdCompressSync(text), { maxOutputLength: 10 }));
    await probe("unknown parameter", () => zlib.createZstdCompress({ params: { 999: 1 } }));
    return new Response(lines.join("\n"));
  },
};
