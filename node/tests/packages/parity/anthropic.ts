/* servers: ["messages"] */
/* flags: ["nodejs_compat"] */
// @anthropic-ai/sdk against a loopback server: plain, streamed, with tools, errors and retries.
import Anthropic, { APIError, toFile } from "@anthropic-ai/sdk";

const ask = (content: string) => ({
  model: "test",
  max_tokens: 16,
  messages: [{ role: "user" as const, content }],
});

async function all(address: string) {
  const client = new Anthropic({ apiKey: "a key", baseURL: `http://${address}`, maxRetries: 1 });
  const lines: string[] = [];
  const probe = async (name: string, run: () => Promise<unknown>) => {
    try {
      lines.push(`${name}: ${JSON.stringify(await run())}`);
    } catch (error) {
      const status = error instanceof APIError ? error.status : undefined;
      lines.push(`${name}: ${error.constructor.name} ${status} ${error.message}`);
    }
  };
  await probe("message", async () => {
    const { data, response } = await client.messages.create(ask("hello")).withResponse();
    return [data, response.status, data._request_id];
  });
  await probe("events", async () => {
    const types = [];
    for await (const event of await client.messages.create({ ...ask("hello"), stream: true })) types.push(event);
    return types;
  });
  await probe("helper", async () => {
    const heard: string[] = [];
    const stream = client.messages.stream(ask("hello")).on("text", (text) => heard.push(text));
    return [await stream.finalText(), heard, (await stream.finalMessage()).usage];
  });
  await probe("left early", async () => {
    const stream = await client.messages.create({ ...ask("hello"), stream: true });
    for await (const event of stream) if (event.type === "content_block_delta") break;
    return stream.controller.signal.aborted;
  });
  await probe("tee", async () => {
    const [one, two] = (await client.messages.create({ ...ask("hello"), stream: true })).tee();
    const read = async (stream: AsyncIterable<{ type: string }>) => {
      const types = [];
      for await (const { type } of stream) types.push(type);
      return types.length;
    };
    return Promise.all([read(one), read(two)]);
  });
  for (const what of ["status 400", "status 429", "status 500", "no JSON", "cut", "error event"]) {
    await probe(what, async () => {
      const stream = client.messages.stream(ask(what));
      return stream.finalText();
    });
  }
  await probe("aborted", () => client.messages.create(ask("hello"), { signal: AbortSignal.abort() }));
  await probe("timeout", () => client.messages.create(ask("slow"), { timeout: 20, maxRetries: 0 }));
  await probe("file", async () => {
    const file = await toFile(new Blob(["text"]).stream(), "a.txt", { type: "text/plain" });
    return [file.name, file.type, await file.text()];
  });
  return lines.join("\n");
}

export default { fetch: async (_: Request, env) => new Response(await all(env.messages)) };
