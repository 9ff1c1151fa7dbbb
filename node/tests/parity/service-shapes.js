/* requests: [{}, {"method": "POST", "body": "x"}, {"path": "/?q=1", "headers": {"accept": "application/json"}}, {"method": "OPTIONS", "headers": {"origin": "https://example.com", "access-control-request-method": "PUT"}}, {"path": "/missing"}, {"path": "/", "method": "TRACE"}] */
// A small router as people write them: methods, content types, CORS, a subclassed Response.

class Problem extends Response {
  constructor(status, title) {
    super(JSON.stringify({ title, status }), { status, headers: { "content-type": "application/problem+json" } });
  }
}

const routes = {
  "GET /": (request) => request.headers.get("accept") === "application/json"
    ? Response.json({ query: Object.fromEntries(new URL(request.url).searchParams) })
    : new Response("<!doctype html><p>Hello", { headers: { "content-type": "text/html; charset=utf-8" } }),
  "POST /": async (request) => new Response(await request.text(), { status: 201, headers: { location: "/1" } }),
};

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (request.method === "OPTIONS") {
      return new Response(null, { status: 204, headers: { "access-control-allow-origin": request.headers.get("origin"), "access-control-allow-methods": "GET, POST", vary: "origin" } });
    }
    const route = routes[`${request.method} ${pathname}`];
    if (route) return route(request);
    return pathname === "/" ? new Problem(405, "Method not allowed") : new Problem(404, "Not found");
  },
};
