/* flags: ["nodejs_compat"] */
/* requests: [
  {"path": "/text"},
  {"path": "/object"},
  {"path": "/tools"},
  {"path": "/stream"},
  {"path": "/chat"},
  {"path": "/abort"},
  {"path": "/fails"},
  {"path": "/embed"}
] */
// The AI SDK with models that answer from a script: text, objects, tools, streams.
import {
  cosineSimilarity, embedMany, generateObject, generateText, smoothStream, stepCountIs, streamText, tool,
} from "ai";
import { MockEmbeddingModelV3, MockLanguageModelV3, simulateReadableStream } from "ai/test";
import { z } from "zod";

const usage = {
  inputTokens: { total: 3, noCache: 3, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 5, text: 5, reasoning: undefined },
};
const stop = { unified: "stop", raw: "stop" } as const;
const saying = (text: string) =>
  new MockLanguageModelV3({
    doGenerate: async () => ({ content: [{ type: "text", text }], finishReason: stop, usage, warnings: [] }),
  });
const streaming = (...deltas: string[]) =>
  new MockLanguageModelV3({
    doStream: async () => ({
      stream: simulateReadableStream({
        chunks: [
          { type: "stream-start", warnings: [] },
          { type: "text-start", id: "1" },
          ...deltas.map((delta) => ({ type: "text-delta" as const, id: "1", delta })),
          { type: "text-end", id: "1" },
          { type: "finish", finishReason: stop, usage },
        ],
        initialDelayInMs: null,
        chunkDelayInMs: null,
      }),
    }),
  });

const routes: Record<string, (request: Request) => unknown> = {
  async "/text"() {
    const { text, finishReason, usage, steps } = await generateText({ model: saying("hello"), prompt: "hi" });
    return Response.json({ text, finishReason, usage, steps: steps.length });
  },
  async "/object"() {
    const schema = z.object({ name: z.string(), n: z.number() });
    const { object } = await generateObject({ model: saying('{"name":"a","n":1}'), schema, prompt: "p" });
    let failed;
    try {
      await generateObject({ model: saying('{"name":1}'), schema, prompt: "p", maxRetries: 0 });
    } catch (error) {
      failed = [error.name, error.message, error.cause?.name];
    }
    return Response.json({ object, failed });
  },
  async "/tools"() {
    let step = 0;
    const model = new MockLanguageModelV3({
      doGenerate: async ({ prompt }) =>
        step++ === 0
          ? {
            content: [{ type: "tool-call", toolCallId: "c", toolName: "add", input: '{"a":1,"b":2}' }],
            finishReason: { unified: "tool-calls", raw: undefined },
            usage,
            warnings: [],
          }
          : { content: [{ type: "text", text: JSON.stringify(prompt.at(-1)) }], finishReason: stop, usage, warnings: [] },
    });
    const add = tool({
      inputSchema: z.object({ a: z.number(), b: z.number() }),
      execute: async ({ a, b }) => ({ sum: a + b }),
    });
    const { text, steps } = await generateText({ model, tools: { add }, prompt: "1+2", stopWhen: stepCountIs(3) });
    return Response.json({ text, calls: steps.map(({ toolCalls, toolResults }) => [toolCalls.length, toolResults]) });
  },
  "/stream": () => streamText({ model: streaming("one ", "two ", "three"), prompt: "p" }).toTextStreamResponse(),
  "/chat": () =>
    streamText({
      model: streaming("a longer sentence ", "in two deltas"),
      messages: [{ role: "user", content: [{ type: "text", text: "p" }] }],
      experimental_transform: smoothStream({ delayInMs: null }),
    }).toUIMessageStreamResponse({ sendStart: false }),
  async "/abort"() {
    const controller = new AbortController();
    const seen: string[] = [];
    const result = streamText({
      model: streaming("one", "two", "three"),
      prompt: "p",
      abortSignal: controller.signal,
      onAbort: () => void seen.push("onAbort"),
    });
    for await (const part of result.fullStream) {
      seen.push(part.type);
      if (part.type === "text-delta") controller.abort();
    }
    // How many deltas were on their way is the streams' own affair.
    return Response.json([...new Set(seen)].sort());
  },
  async "/fails"() {
    const model = new MockLanguageModelV3({
      doGenerate: async () => {
        throw new TypeError("no model");
      },
    });
    try {
      await generateText({ model, prompt: "p", maxRetries: 0 });
    } catch (error) {
      return Response.json([error.name, error.message]);
    }
  },
  async "/embed"() {
    const model = new MockEmbeddingModelV3({
      maxEmbeddingsPerCall: 2,
      doEmbed: async ({ values }) => ({ embeddings: values.map((text) => [text.length, 1]), warnings: [] }),
    });
    const { embeddings } = await embedMany({ model, values: ["a", "bb", "ccc"] });
    return Response.json([embeddings, cosineSimilarity(embeddings[0], embeddings[2]).toFixed(6)]);
  },
};

export default { fetch: (request: Request) => routes[new URL(request.url).pathname](request) };
