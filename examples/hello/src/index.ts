interface Env {
  GREETING: string;
}

export default {
  fetch(request: Request, env: Env): Response {
    const url = new URL(request.url);
    switch (url.pathname) {
      case "/":
        return new Response(`${env.GREETING}, ${url.searchParams.get("name") ?? "world"}!\n`);
      case "/request":
        return Response.json({
          method: request.method,
          path: url.pathname,
          query: Object.fromEntries(url.searchParams),
          headers: Object.fromEntries(request.headers),
        });
      default:
        return new Response("Not found. Try / or /request\n", { status: 404 });
    }
  },
};
