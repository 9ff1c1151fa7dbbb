/* flags: ["nodejs_compat"] */
/* requests: [
  {"path": "/memory"},
  {"path": "/http", "method": "POST", "headers": {"content-type": "application/json", "accept": "application/json, text/event-stream"},
   "body": "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}"},
  {"path": "/http", "method": "POST", "headers": {"content-type": "application/json", "accept": "application/json, text/event-stream"},
   "body": "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"add\",\"arguments\":{\"a\":2,\"b\":\"x\"}}}"},
  {"path": "/http", "method": "POST", "headers": {"content-type": "application/json", "accept": "application/json"}, "body": "{}"},
  {"path": "/http", "method": "POST", "headers": {"content-type": "application/json", "accept": "application/json, text/event-stream"}, "body": "no JSON"},
  {"path": "/http", "method": "PUT"},
  {"path": "/client"}
] */
// @modelcontextprotocol/sdk: client and server in memory, and over streamable HTTP.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer, ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { z } from "zod";

function server() {
  const server = new McpServer({ name: "test", version: "1.0.0" });
  server.registerTool(
    "add",
    {
      description: "adds",
      inputSchema: { a: z.number(), b: z.number() },
      outputSchema: { sum: z.number() },
    },
    async ({ a, b }) => ({ content: [{ type: "text", text: `${a + b}` }], structuredContent: { sum: a + b } }),
  );
  server.registerTool("slow", { inputSchema: {} }, async (_, { sendNotification, _meta }) => {
    for (let progress = 1; progress <= 3; progress++) {
      await sendNotification({
        method: "notifications/progress",
        params: { progressToken: _meta!.progressToken!, progress, total: 3 },
      });
    }
    return { content: [{ type: "text", text: "done" }] };
  });
  server.registerTool("fails", {}, async () => {
    throw new Error("on purpose");
  });
  server.registerResource("note", new ResourceTemplate("note://{id}", { list: undefined }), {}, async (uri, { id }) => ({
    contents: [{ uri: uri.href, text: `note ${id}` }],
  }));
  server.registerPrompt("greet", { argsSchema: { name: z.string() } }, ({ name }) => ({
    messages: [{ role: "user", content: { type: "text", text: `greet ${name}` } }],
  }));
  return server;
}

async function use(client: Client) {
  const lines: string[] = [];
  const probe = async (name: string, run: () => Promise<unknown>) => {
    try {
      lines.push(`${name}: ${JSON.stringify(await run())}`);
    } catch (error) {
      lines.push(`${name}: ${error.name} ${error.code} ${error.message}`);
    }
  };
  await probe("version", async () => [client.getServerVersion(), client.getServerCapabilities()]);
  await probe("tools", () => client.listTools());
  await probe("add", () => client.callTool({ name: "add", arguments: { a: 1, b: 2 } }));
  await probe("wrong", () => client.callTool({ name: "add", arguments: { a: "1" } }));
  await probe("fails", () => client.callTool({ name: "fails" }));
  await probe("unknown", () => client.callTool({ name: "unknown" }));
  await probe("resource", () => client.readResource({ uri: "note://7" }));
  await probe("prompt", () => client.getPrompt({ name: "greet", arguments: { name: "ann" } }));
  await probe("progress", async () => {
    const seen: number[] = [];
    await client.callTool({ name: "slow", arguments: {} }, undefined, {
      onprogress: ({ progress }) => void seen.push(progress),
    });
    return seen;
  });
  await client.close();
  return new Response(lines.join("\n"));
}

async function answer(request: Request) {
  const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  await server().connect(transport);
  return transport.handleRequest(request);
}

export default {
  async fetch(request: Request) {
    const client = new Client({ name: "client", version: "1.0.0" });
    switch (new URL(request.url).pathname) {
      case "/memory": {
        const [near, far] = InMemoryTransport.createLinkedPair();
        await server().connect(far);
        await client.connect(near);
        return use(client);
      }
      case "/client":
        await client.connect(
          new StreamableHTTPClientTransport(new URL("http://x.test/http"), {
            fetch: (url, init) => answer(new Request(url, init)),
          }),
        );
        return use(client);
      default:
        return answer(request);
    }
  },
};
