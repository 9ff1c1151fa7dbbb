/* requests: [
  {"path": "/a/b?c=d&e"},
  {"path": "/a//b/c?x=%20y"},
  {"path": "/%e2%98%83/%2f?q='{}|"},
  {"path": "/p", "method": "PUT", "body": "x"},
  {"path": "/p", "method": "PATCH", "body": "x"},
  {"path": "/p", "method": "DELETE"},
  {"path": "/p", "method": "OPTIONS"},
  {"path": "/?", "method": "GET"},
  {"path": "/host", "headers": {"host": "Example.COM"}},
  {"path": "/host", "headers": {"host": "example.com:8080"}}
] */
// What a handler sees of the incoming request: address, method, fields.

export default {
  async fetch(request) {
    return Response.json({
      url: request.url,
      method: request.method,
      redirect: request.redirect,
      body: request.body === null ? null : request.body.constructor.name,
      isRequest: request instanceof Request,
      tag: Object.prototype.toString.call(request),
      signal: [typeof request.signal, request.signal?.aborted],
      keepalive: request.keepalive,
    });
  },
};
