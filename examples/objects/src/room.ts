import { DurableObject } from "cloudflare:workers";

interface Line {
  name: string;
  text: string;
}

/** A chat room. It sleeps between messages; its sockets stay open meanwhile. */
export class Room extends DurableObject {
  static readonly HISTORY = 50;

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env);
    this.ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS lines (id INTEGER PRIMARY KEY, name TEXT, text TEXT)",
    );
    this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  async fetch(request: Request): Promise<Response> {
    if (request.headers.get("upgrade") !== "websocket") {
      return Response.json(this.history());
    }
    const name = new URL(request.url).searchParams.get("name") ?? "somebody";
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    server.serializeAttachment({ name });
    for (const line of this.history()) server.send(JSON.stringify(line));
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    if (typeof message !== "string") return;
    const { name } = socket.deserializeAttachment();
    const line: Line = { name, text: message.slice(0, 1000) };
    this.ctx.storage.sql.exec(
      "INSERT INTO lines (name, text) VALUES (?, ?)",
      line.name,
      line.text,
    );
    // Nobody hears of the line before it is on disk.
    for (const other of this.ctx.getWebSockets()) other.send(JSON.stringify(line));
  }

  private history(): Line[] {
    const rows = this.ctx.storage.sql.exec<Line>(
      "SELECT name, text FROM lines ORDER BY id DESC LIMIT ?",
      Room.HISTORY,
    );
    return rows.toArray().reverse();
  }
}
