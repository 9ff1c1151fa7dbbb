// The Agents SDK: state that clients share, methods they call, schedules, and tools
// for MCP clients.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { Agent, callable, getAgentByName, routeAgentRequest } from "agents";
import { McpAgent } from "agents/mcp";
import { z } from "zod";

export class Counter extends Agent {
  initialState = { count: 0 };

  increment(n = 1) {
    this.setState({ count: this.state.count + n });
    return this.state.count;
  }

  async plan(by) {
    const { callback } = await this.schedule(1, "ring", { by });
    return callback;
  }

  ring({ by }) {
    this.increment(by);
  }

  onRequest() {
    const rows = this.sql`SELECT ${1} + 1 AS n`;
    return Response.json([this.state.count, rows[0].n]);
  }
}
// As `@callable()` would: what clients may call.
callable()(Counter.prototype.increment, {});

export class Tools extends McpAgent {
  server = new McpServer({ name: "tools", version: "1.0.0" });
  initialState = { calls: 0 };

  async init() {
    const inputSchema = { a: z.number(), b: z.number() };
    this.server.registerTool("add", { description: "Adds", inputSchema }, ({ a, b }) => {
      this.setState({ calls: this.state.calls + 1 });
      const text = `${a + b} in call ${this.state.calls}`;
      return { content: [{ type: "text", text }] };
    });
  }
}
const mcp = Tools.serve("/mcp", { binding: "TOOLS" });

/** The official client, over this worker's own entrypoint. */
async function useTools(self) {
  const client = new Client({ name: "client", version: "1.0.0" });
  const url = new URL("http://tools.test/mcp");
  const fetch = (input, init) => self.fetch(input, init);
  await client.connect(new StreamableHTTPClientTransport(url, { fetch }));
  const { tools } = await client.listTools();
  const answers = [];
  for (const a of [1, 2]) {
    const { content } = await client.callTool({ name: "add", arguments: { a, b: 2 } });
    answers.push(content[0].text);
  }
  await client.close();
  return [tools.map((tool) => tool.name), ...answers];
}

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/mcp") return mcp.fetch(request, env, ctx);
    if (pathname === "/tools") return Response.json(await useTools(ctx.exports.default));
    if (pathname === "/plan") {
      const agent = await getAgentByName(env.Counter, "planned");
      return Response.json([await agent.increment(2), await agent.plan(10)]);
    }
    return (await routeAgentRequest(request, env)) ?? new Response("none", { status: 404 });
  },
};
