/* requests: [
  {"path": "/count", "method": "POST", "body": "0123456789abcdef", "repeat": 65536},
  {"path": "/count", "method": "POST", "chunks": ["a", "bc", "def"]},
  {"path": "/count", "method": "PUT", "body": ""},
  {"path": "/count", "method": "DELETE", "body": "with a body"},
  {"path": "/count", "method": "GET", "body": "a GET with a body"},
  {"path": "/ignored", "method": "POST", "body": "0123456789abcdef", "repeat": 65536},
  {"path": "/partly", "method": "POST", "body": "0123456789abcdef", "repeat": 65536},
  {"path": "/cancelled", "method": "POST", "body": "0123456789abcdef", "repeat": 65536},
  {"path": "/json", "method": "POST", "headers": {"content-type": "application/json"}, "body": "{\"a\": [1, 2]}"},
  {"path": "/json", "method": "POST", "headers": {"content-type": "application/json"}, "body": "{"},
  {"path": "/blob", "method": "POST", "headers": {"content-type": "image/x-own"}, "body": "bytes"}
] */
// Request bodies of all sizes: with a length, chunked, read in part, or not at all.

export default {
  async fetch(request) {
    switch (new URL(request.url).pathname) {
      case "/count": {
        let bytes = 0;
        if (request.body) for await (const chunk of request.body) bytes += chunk.byteLength;
        return Response.json([request.method, bytes, request.body === null, request.headers.get("content-length"), request.headers.get("transfer-encoding")]);
      }
      case "/ignored":
        return new Response("not read");
      case "/partly": {
        const reader = request.body.getReader();
        const { value } = await reader.read();
        return Response.json([value.byteLength > 0, new TextDecoder().decode(value.subarray(0, 16))]);
      }
      case "/cancelled":
        await request.body.cancel("no need");
        return Response.json([request.bodyUsed, request.body.locked]);
      case "/json":
        try {
          return Response.json(await request.json());
        } catch (error) {
          return Response.json([error.name, error.message], { status: 400 });
        }
      default: {
        const blob = await request.blob();
        return Response.json([blob.type, blob.size, await blob.text()]);
      }
    }
  },
};
