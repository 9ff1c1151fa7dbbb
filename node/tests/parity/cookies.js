/* requests: [
  {"path": "/read", "headers": {"cookie": "session=abc; theme=dark; quoted=\"a b\"; empty="}},
  {"path": "/read", "headers": {"cookie": ["a=1", "b=2"]}},
  {"path": "/write"}, {"path": "/delete"}, {"path": "/copied"}, {"path": "/joined"}
] */
// Cookies in, and set-cookie out, never joined on the wire.

export default {
  async fetch(request) {
    switch (new URL(request.url).pathname) {
      case "/read":
        return Response.json([request.headers.get("cookie"), Object.fromEntries((request.headers.get("cookie") ?? "").split("; ").map((pair) => pair.split("=")))]);
      case "/write":
        return new Response("set", { headers: [["set-cookie", "session=abc; HttpOnly; Secure; SameSite=Lax; Max-Age=60"], ["set-cookie", "theme=dark; Path=/"]] });
      case "/delete": {
        const response = new Response("kept one", { headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] });
        const [, second] = response.headers.getSetCookie();
        response.headers.delete("set-cookie");
        response.headers.append("set-cookie", second);
        return response;
      }
      case "/copied": {
        const first = new Response("copied", { headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] });
        return new Response(first.body, first);
      }
      default:
        return new Response("joined", { headers: { "set-cookie": "a=1, b=2" } });
    }
  },
};
