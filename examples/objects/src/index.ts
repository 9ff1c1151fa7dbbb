export { Counter } from "./counter";
export { Limiter } from "./limiter";
export { Room } from "./room";
import page from "./page.html";

interface Env {
  COUNTER: DurableObjectNamespace;
  LIMITER: DurableObjectNamespace;
  ROOM: DurableObjectNamespace;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, kind, name] = new URL(request.url).pathname.split("/");
    switch (kind) {
      case "":
        return new Response(page, { headers: { "content-type": "text/html" } });
      case "count":
        return env.COUNTER.getByName(name ?? "").fetch(request);
      case "limited": {
        const client = request.headers.get("cf-connecting-ip") ?? "anybody";
        return env.LIMITER.getByName(client).fetch(request);
      }
      case "rooms":
        return env.ROOM.getByName(name ?? "").fetch(request);
      default:
        return new Response("try /count/NAME, /limited or /rooms/NAME\n", { status: 404 });
    }
  },
};
