/* requests: [{"path": "/body"}, {"path": "/from"}, {"path": "/iterable"}, {"path": "/fails"}, {"path": "/ok"}] */
// Generators as answers.

const utf8 = (text) => new TextEncoder().encode(text);
async function* lines() {
  for (let line = 1; line <= 3; line++) {
    await scheduler.wait(1);
    yield utf8(`line ${line}\n`);
  }
}

export default {
  async fetch(request) {
    switch (new URL(request.url).pathname) {
      case "/body":
        return new Response(lines());
      case "/from":
        return new Response(ReadableStream.from(lines()));
      case "/iterable":
        return new Response([utf8("a"), utf8("b")]);
      case "/fails":
        return new Response((async function* () {
          yield utf8("first");
          await scheduler.wait(20); // so that the first part is on its way
          throw new Error("in the generator");
        })());
      default:
        return new Response("ok");
    }
  },
};
