/* requests: [
  {"path": "/clone", "method": "POST", "body": "some text"},
  {"path": "/clone-after-use", "method": "POST", "body": "some text"},
  {"path": "/twice", "method": "POST", "body": "some text"},
  {"path": "/forward", "method": "POST", "body": "some text", "headers": {"content-type": "text/plain"}},
  {"path": "/ignored", "method": "POST", "body": "some text"},
  {"path": "/reader", "method": "POST", "body": "some text"},
  {"path": "/none", "method": "POST", "body": ""},
  {"path": "/none"}
] */
// Request bodies: read once, cloned, handed on, or left alone.

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    try {
      return Response.json(await answer(pathname, request));
    } catch (error) {
      return Response.json({ threw: error.name, message: error.message });
    }
  },
};

async function answer(pathname, request) {
  switch (pathname) {
    case "/clone": {
      const copy = request.clone();
      return [await request.text(), request.bodyUsed, copy.bodyUsed, await copy.text(), copy.method, copy.url === request.url];
    }
    case "/clone-after-use":
      await request.text();
      return request.clone();
    case "/twice":
      await request.text();
      return request.text();
    case "/forward": {
      const forwarded = new Request("https://example.com/", request);
      return [request.bodyUsed, forwarded.headers.get("content-type"), await forwarded.text(), request.bodyUsed];
    }
    case "/reader": {
      const reader = request.body.getReader();
      const before = [request.bodyUsed, request.body.locked];
      const { value, done } = await reader.read();
      const after = [request.bodyUsed, request.body.locked];
      return [before, new TextDecoder().decode(value), done, after];
    }
    case "/none":
      return [request.method, request.body === null, request.bodyUsed, await request.text()];
    default:
      return request.bodyUsed;
  }
}
