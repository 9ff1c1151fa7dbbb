/* requests: [{"path": "/301"}, {"path": "/302"}, {"path": "/303", "method": "POST", "body": "a"}, {"path": "/307", "method": "PUT", "body": "a"}, {"path": "/308"}, {"path": "/by-hand"}, {"path": "/relative"}, {"path": "/unicode"}, {"path": "/with-body"}] */
// Redirects as answers.

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/by-hand":
        return new Response(null, { status: 302, headers: { Location: "https://example.com/a b" } });
      case "/relative":
        return new Response(null, { status: 302, headers: { location: "../up?x#y" } });
      case "/unicode":
        return Response.redirect("https://münchen.example/straße?ß");
      case "/with-body":
        return new Response("moved", { status: 301, headers: { location: "/there" } });
      default:
        return Response.redirect(new URL("/there?from=" + pathname.slice(1), request.url), Number(pathname.slice(1)));
    }
  },
};
