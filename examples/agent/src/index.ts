import Anthropic from "@anthropic-ai/sdk";

import { runAgent, type Agent, type AgentEvent } from "./agent";
import page from "./page.html";
import { SCRIPTED_MODEL, scriptedFetch } from "./scripted-model";
import { toolsFor } from "./tools";
import { Workspace } from "./workspace";

const PROMPT_CHARS = 4000;
const BODY_BYTES = 64 * 1024;
const DEFAULT_MODEL = "claude-sonnet-5-5";

type Sent = AgentEvent | { type: string; [field: string]: unknown };

interface Env {
  ANTHROPIC_API_KEY?: string;
  ANTHROPIC_BASE_URL?: string;
  MODEL?: string;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    switch (`${request.method} ${pathname}`) {
      case "GET /":
        return new Response(page, { headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:" } });
      case "GET /api/model":
        return Response.json(modelOf(env));
      case "GET /api/facts":
        return Response.json({ facts: ["An octopus has three hearts.", "Honey keeps for centuries.", "A day on Venus is longer than its year."] });
      case "POST /api/run":
        return run(request, env);
      default:
        return refusal(404, `Nothing at ${request.method} ${pathname}.`);
    }
  },
};

/** Streams one run's events; whoever stops listening stops the run. */
async function run(request: Request, env: Env): Promise<Response> {
  const prompt = await promptOf(request);
  if (prompt instanceof Response) {
    return prompt;
  }
  const workspace = new Workspace();
  const left = new AbortController();
  const signal = AbortSignal.any([left.signal, request.signal]);
  const events = runAgent(agentFor(request, env, workspace), prompt, signal);

  async function* all(): AsyncGenerator<Sent> {
    yield { type: "start", ...modelOf(env) };
    for await (const event of events) {
      yield event.type === "done" ? { ...event, files: contents(workspace) } : event;
    }
  }
  return new Response(serverSentEvents(all(), left), {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" },
  });
}

function agentFor(request: Request, env: Env, workspace: Workspace): Agent {
  const { model, scripted } = modelOf(env);
  const client = scripted
    ? new Anthropic({ apiKey: "none", fetch: scriptedFetch, maxRetries: 0 })
    : new Anthropic({ apiKey: env.ANTHROPIC_API_KEY, baseURL: env.ANTHROPIC_BASE_URL || undefined, maxRetries: 1 });
  const { origin } = new URL(request.url);
  return {
    client,
    model,
    tools: toolsFor(workspace),
    system: `You are a careful agent with a small file workspace. Use your tools rather than guessing, keep what you find in files, and end with a short summary. This service runs at ${origin}; ${origin}/api/facts has a few facts to try fetch_url with.`,
  };
}

function modelOf(env: Env): { model: string; scripted: boolean } {
  const scripted = !env.ANTHROPIC_API_KEY;
  return { model: scripted ? SCRIPTED_MODEL : env.MODEL || DEFAULT_MODEL, scripted };
}

async function promptOf(request: Request): Promise<string | Response> {
  const text = await textUpTo(BODY_BYTES, request);
  if (text === undefined) {
    return refusal(413, `The body is over ${BODY_BYTES / 1024} KB.`);
  }
  let prompt: unknown;
  try {
    prompt = (JSON.parse(text) as { prompt?: unknown } | null)?.prompt;
  } catch {
    return refusal(400, "The body is not JSON.");
  }
  if (typeof prompt !== "string" || prompt.trim() === "" || prompt.length > PROMPT_CHARS) {
    return refusal(400, `"prompt" must be a text of 1 to ${PROMPT_CHARS} characters.`);
  }
  return prompt.trim();
}

async function textUpTo(limit: number, request: Request): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    // Past the limit it is read but not kept: an answer in the middle of an upload makes some clients see a cut connection.
    if (bytes <= limit) {
      text += decoder.decode(chunk, { stream: true });
    }
  }
  return bytes <= limit ? text + decoder.decode() : undefined;
}

function serverSentEvents(events: AsyncGenerator<Sent>, left: AbortController): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value: event, done } = await events.next();
      if (done) {
        controller.close();
      } else {
        controller.enqueue(encoder.encode(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`));
      }
    },
    cancel() {
      left.abort();
    },
  });
}

function contents(workspace: Workspace): { path: string; text: string }[] {
  return workspace.list().map(({ path }) => ({ path, text: workspace.read(path) }));
}

function refusal(status: number, message: string): Response {
  return Response.json({ error: { message } }, { status });
}
