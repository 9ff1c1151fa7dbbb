/* requests: [{"path": "/"}, {"path": "/transform"}, {"path": "/own"}] */
// expectedLength of a source or a transformer is the body's Content-Length.
const bytes = new TextEncoder().encode("hellohello");

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/transform") {
      const { readable, writable } = new TransformStream({ expectedLength: 10 });
      const writer = writable.getWriter();
      writer.write(bytes);
      writer.close();
      return new Response(readable);
    }
    const expectedLength = pathname === "/own" ? undefined : 10;
    return new Response(
      new ReadableStream({
        expectedLength,
        start(controller) {
          controller.enqueue(bytes);
          controller.close();
        },
      }),
    );
  },
};
