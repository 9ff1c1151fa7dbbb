// 1 MB made by the script: 16 chunks of 64 KB, pulled one by one and passed
// through a TransformStream, so every chunk crosses JavaScript twice.
const CHUNKS = 16;
const CHUNK = new Uint8Array(64 * 1024).fill(97);

export default {
  fetch() {
    let sent = 0;
    const source = new ReadableStream({
      pull(controller) {
        if (sent === CHUNKS) return controller.close();
        sent += 1;
        controller.enqueue(CHUNK.slice());
      },
    });
    const through = new TransformStream({
      transform(chunk, controller) {
        controller.enqueue(chunk);
      },
    });
    return new Response(source.pipeThrough(through), {
      headers: { "content-type": "application/octet-stream" },
    });
  },
};
