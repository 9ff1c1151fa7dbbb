/* requests: [
  {"path": "/list", "headers": {"X-Mixed-Case": "a", "x-many": ["1", "2"], "cookie": "a=1; b=2", "accept": "text/html"}},
  {"path": "/answer"},
  {"path": "/immutable", "headers": {"x-a": "1"}},
  {"path": "/latin1", "headers": {"x-latin": "caf\u00e9"}}
] */
// Headers as they come in and go out: case, repeats, cookies.

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/list") {
      // host and connection belong to the client that sent this
      const seen = [...request.headers].filter(([name]) => !["host", "connection"].includes(name));
      return Response.json(seen);
    }
    if (pathname === "/immutable") {
      try {
        request.headers.set("x-a", "2");
        return new Response("changed");
      } catch (error) {
        const copy = new Request(request, { headers: { "x-b": "3" } });
        copy.headers.set("x-c", "4");
        return Response.json([error.name, error.message, [...copy.headers]]);
      }
    }
    if (pathname === "/latin1") {
      const value = request.headers.get("x-latin");
      return Response.json([...value].map((char) => char.codePointAt(0)));
    }
    const headers = new Headers({ "X-Answer": "1", "x-empty": "" });
    headers.append("x-many", "a");
    headers.append("x-many", "b");
    headers.append("set-cookie", "a=1; Path=/; HttpOnly");
    headers.append("set-cookie", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT");
    headers.append("Vary", "accept");
    return new Response("ok", { headers });
  },
};
