import type Anthropic from "@anthropic-ai/sdk";

export const SCRIPTED_MODEL = "scripted-model";

const CHUNK_CHARS = 12;
const CHUNK_MS = 15; // slow enough to watch, quick enough not to bore

type Call = { name: string; input: Record<string, string> };
type Step = { text: string; calls: Call[] };

/**
 * A stand-in for the Messages API, given to the SDK as its `fetch`: no network and no key, but the same requests and
 * the same event stream, so the agent's code cannot tell. It is a script, not a model: it does the same few things
 * whatever it is asked, and says so.
 */
export const scriptedFetch: typeof fetch = async (_address, init) => {
  const request = JSON.parse(String(init?.body)) as Anthropic.MessageCreateParams;
  const events = streamed(request.model, next(request), JSON.stringify(request.messages).length);
  return new Response(body(events, init?.signal ?? undefined), { headers: { "content-type": "text/event-stream" } });
};

/** Looks at the conversation so far and picks the next step. */
function next({ messages, system }: Anthropic.MessageCreateParams): Step {
  const prompt = String(messages[0]?.content);
  const results = resultsOf(messages);
  const facts = /https?:\/\/\S+\/api\/facts/.exec(String(system))?.[0] ?? "";
  const sum = /\d[\d\s.+*/()^-]*[+*/^-][\d\s.+*/()^-]*\d\)?/.exec(prompt)?.[0] ?? "(19 + 23) * 2 ^ 5";

  switch (messages.filter((message) => message.role === "assistant").length) {
    case 0:
      return {
        text: "I am the scripted model: a fixed script that ships with this example, in place of a real model. I follow the same few steps for every prompt. First I write the task down.",
        calls: [{ name: "write_file", input: { path: "notes.md", text: `# Task\n${prompt}\n\n# Findings\n(pending)\n` } }],
      };
    case 1:
      return { text: `Now something to compute: ${sum}.`, calls: [{ name: "calculate", input: { expression: sum } }] };
    case 2:
      return { text: "And something from outside: this service's own facts.", calls: [{ name: "fetch_url", input: { url: facts } }] };
    case 3:
      return {
        text: "Both go into the notes.",
        calls: [{ name: "edit_file", input: { path: "notes.md", before: "(pending)", after: `- ${sum} = ${results.calculate}\n- ${factIn(results.fetch_url)}` } }],
      };
    case 4:
      return {
        text: "Two calls at once, to see what is there.",
        calls: [
          { name: "list_files", input: {} },
          { name: "read_file", input: { path: "notes.md" } },
        ],
      };
    default:
      return {
        text: `Done. I computed ${sum} = ${results.calculate}, learnt this: "${factIn(results.fetch_url)}", and kept both in notes.md, which now has ${results.read_file?.split("\n").length ?? 0} lines. Set ANTHROPIC_API_KEY to run a real model with the same tools.`,
        calls: [],
      };
  }
}

/** The last result of each tool, by the tool's name. */
function resultsOf(messages: Anthropic.MessageParam[]): Record<string, string> {
  const names = new Map<string, string>();
  const results: Record<string, string> = {};
  for (const { content } of messages) {
    for (const block of typeof content === "string" ? [] : content) {
      if (block.type === "tool_use") {
        names.set(block.id, block.name);
      } else if (block.type === "tool_result") {
        results[names.get(block.tool_use_id) ?? ""] = String(block.content);
      }
    }
  }
  return results;
}

function factIn(fetched = ""): string {
  try {
    return JSON.parse(fetched.slice(fetched.indexOf("\n\n"))).facts[0];
  } catch {
    return `the facts could not be fetched (${fetched.split("\n")[0]})`;
  }
}

/** A step as the Messages API streams it: blocks, each in small deltas. */
function* streamed(model: string, step: Step, promptChars: number): Generator<Anthropic.RawMessageStreamEvent> {
  const id = crypto.randomUUID();
  // Not all of the SDK's fields: an API that leaves out optional ones must not trouble the agent.
  yield {
    type: "message_start",
    message: { id: `msg_${id}`, type: "message", role: "assistant", model, content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: Math.ceil(promptChars / 4), output_tokens: 1 } },
  } as unknown as Anthropic.RawMessageStreamEvent;

  yield { type: "content_block_start", index: 0, content_block: { type: "text", text: "", citations: null } };
  for (const text of chunks(step.text)) {
    yield { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } };
  }
  yield { type: "content_block_stop", index: 0 };

  for (const [number, call] of step.calls.entries()) {
    const index = number + 1;
    yield {
      type: "content_block_start",
      index,
      content_block: { type: "tool_use", id: `toolu_${id}_${index}`, name: call.name, input: {} },
    } as Anthropic.RawMessageStreamEvent;
    for (const partial_json of chunks(JSON.stringify(call.input))) {
      yield { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json } };
    }
    yield { type: "content_block_stop", index };
  }

  yield {
    type: "message_delta",
    delta: { stop_reason: step.calls.length > 0 ? "tool_use" : "end_turn", stop_sequence: null },
    usage: { output_tokens: Math.ceil(JSON.stringify(step).length / 4) },
  } as Anthropic.RawMessageStreamEvent;
  yield { type: "message_stop" };
}

function* chunks(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += CHUNK_CHARS) {
    yield text.slice(at, at + CHUNK_CHARS);
  }
}

function body(events: Generator<Anthropic.RawMessageStreamEvent>, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (signal?.aborted) {
        controller.error(signal.reason);
        return;
      }
      const { value: event, done } = events.next();
      if (done) {
        controller.close();
        return;
      }
      controller.enqueue(encoder.encode(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`));
      if (event.type === "content_block_delta") {
        await scheduler.wait(CHUNK_MS);
      }
    },
  });
}
