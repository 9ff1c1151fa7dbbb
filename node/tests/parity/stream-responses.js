/* requests: [
  {"path": "/chunks"}, {"path": "/slow"}, {"path": "/generator"}, {"path": "/strings"}, {"path": "/empty"},
  {"path": "/teed"}, {"path": "/transformed", "method": "POST", "body": "shout this"}, {"path": "/large"},
  {"path": "/echo", "method": "POST", "chunks": ["one ", "two ", "three"]},
  {"path": "/echo", "method": "POST", "body": "with a length"},
  {"path": "/echo", "method": "POST", "body": ""},
  {"path": "/used"}
] */
// Streams as answers: chunked, slow, generated, large, echoed.

const utf8 = (text) => new TextEncoder().encode(text);

export default {
  async fetch(request, env, ctx) {
    switch (new URL(request.url).pathname) {
      case "/chunks":
        return new Response(new ReadableStream({
          start(controller) {
            for (const part of ["a", "b", "c"]) controller.enqueue(utf8(part));
            controller.close();
          },
        }));
      case "/slow": {
        const { readable, writable } = new TransformStream();
        ctx.waitUntil(writeSlowly(writable));
        return new Response(readable, { headers: { "content-type": "text/event-stream" } });
      }
      case "/generator":
        return new Response(ReadableStream.from((async function* () {
          for (let line = 0; line < 3; line++) {
            await scheduler.wait(1);
            yield utf8(`line ${line}\n`);
          }
        })()));
      case "/strings":
        return new Response(ReadableStream.from(["a", "b"]).pipeThrough(new TextEncoderStream()));
      case "/empty":
        return new Response(new ReadableStream({ start(controller) { controller.close(); } }));
      case "/teed": {
        const [left, right] = new Response("teed").body.tee();
        const copy = await new Response(right).text();
        return new Response(left, { headers: { "x-copy": copy } });
      }
      case "/transformed":
        return new Response(request.body
          .pipeThrough(new TextDecoderStream())
          .pipeThrough(new TransformStream({ transform(text, controller) { controller.enqueue(text.toUpperCase()); } }))
          .pipeThrough(new TextEncoderStream()));
      case "/large": {
        let left = 256;
        return new Response(new ReadableStream({
          pull(controller) {
            if (left-- === 0) controller.close();
            else controller.enqueue(new Uint8Array(4096).fill(97 + (left % 26)));
          },
        }));
      }
      case "/echo":
        return new Response(request.body, { headers: { "x-length": request.headers.get("content-length") ?? "none" } });
      default: {
        const response = new Response("used");
        await response.text();
        return response;
      }
    }
  },
};

async function writeSlowly(writable) {
  const writer = writable.getWriter();
  for (const word of ["one", "two", "three"]) {
    await writer.write(utf8(`data: ${word}\n\n`));
    await scheduler.wait(2);
  }
  await writer.close();
}
