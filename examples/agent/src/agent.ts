import Anthropic from "@anthropic-ai/sdk";

import { runTool, type Tool } from "./tools";

const MOST_TURNS = 16;
const TURN_TOKENS = 4096;

export type AgentEvent =
  | { type: "text"; text: string }
  | { type: "tool_use"; id: string; name: string; input: unknown }
  | { type: "tool_result"; id: string; ok: boolean; content: string }
  | { type: "done"; turns: number; reason: string; tokens: { input: number; output: number } }
  | { type: "error"; message: string };

export interface Agent {
  client: Anthropic;
  model: string;
  system: string;
  tools: Tool[];
}

/**
 * One run: asks the model, runs the tools it names, tells it the results, until it stops asking for tools.
 * Ends with exactly one `done` or `error`, or silently once `signal` is aborted.
 */
export async function* runAgent(agent: Agent, prompt: string, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: prompt }];
  const tokens = { input: 0, output: 0 };
  try {
    for (let turn = 1; turn <= MOST_TURNS; turn++) {
      const message = yield* ask(agent, messages, signal);
      tokens.input += message.usage.input_tokens;
      tokens.output += message.usage.output_tokens;
      if (message.stop_reason !== "tool_use") {
        yield { type: "done", turns: turn, reason: message.stop_reason ?? "unknown", tokens };
        return;
      }
      messages.push({ role: "assistant", content: message.content });
      messages.push({ role: "user", content: yield* useTools(agent.tools, message, signal) });
    }
    yield { type: "error", message: `Stopped after ${MOST_TURNS} turns without an end.` };
  } catch (error) {
    if (!signal.aborted) {
      yield { type: "error", message: explain(error) };
    }
  }
}

async function* ask(agent: Agent, messages: Anthropic.MessageParam[], signal: AbortSignal): AsyncGenerator<AgentEvent, Anthropic.Message> {
  const stream = agent.client.messages.stream(
    {
      model: agent.model,
      max_tokens: TURN_TOKENS,
      system: agent.system,
      tools: agent.tools.map(({ name, description, input_schema }) => ({ name, description, input_schema })),
      messages,
    },
    { signal },
  );
  for await (const event of stream) {
    if (event.type === "content_block_delta" && event.delta.type === "text_delta") {
      yield { type: "text", text: event.delta.text };
    }
  }
  return stream.finalMessage();
}

async function* useTools(tools: Tool[], message: Anthropic.Message, signal: AbortSignal): AsyncGenerator<AgentEvent, Anthropic.ToolResultBlockParam[]> {
  const results: Anthropic.ToolResultBlockParam[] = [];
  for (const block of message.content) {
    if (block.type !== "tool_use") {
      continue;
    }
    yield { type: "tool_use", id: block.id, name: block.name, input: block.input };
    const { ok, content } = await runTool(tools, block.name, block.input, signal);
    yield { type: "tool_result", id: block.id, ok, content };
    results.push({ type: "tool_result", tool_use_id: block.id, content, is_error: !ok });
  }
  return results;
}

/** What went wrong upstream, and what to do about it. */
function explain(error: unknown): string {
  if (error instanceof Anthropic.APIConnectionTimeoutError) {
    return "The model's API did not answer in time.";
  }
  if (error instanceof Anthropic.APIConnectionError) {
    return "The model's API could not be reached. Check ANTHROPIC_BASE_URL and the network.";
  }
  if (error instanceof Anthropic.APIError) {
    const { status } = error;
    if (status === 401 || status === 403) {
      return `The model's API refused the key (${status}). Check ANTHROPIC_API_KEY.`;
    }
    if (status === 429) {
      return "The model's API has had too many requests (429). Wait a little and run again.";
    }
    if (status === undefined || status >= 500) {
      return `The model's API failed${status ? ` (${status})` : " midway"}. Run again later.`;
    }
    return `The model's API refused the request (${status}): ${reason(error)}`;
  }
  return `The run broke off: ${error instanceof Error ? error.message : String(error)}`;
}

function reason(error: InstanceType<typeof Anthropic.APIError>): string {
  const body = error.error as { error?: { message?: unknown } } | undefined;
  return typeof body?.error?.message === "string" ? body.error.message : error.message;
}
