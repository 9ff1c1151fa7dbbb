import type Anthropic from "@anthropic-ai/sdk";

import { calculate } from "./calculator";
import type { Workspace } from "./workspace";

const FETCH_MS = 10_000;
const FETCH_BYTES = 64 * 1024; // about what a model can use of a page
const RESULT_CHARS = 64 * 1024;

export interface Tool extends Anthropic.Tool {
  run(input: Input, signal: AbortSignal): string | Promise<string>;
}

/** A tool's input is whatever the model wrote, so every field is checked where it is used. */
export class Input {
  readonly #fields: Record<string, unknown>;

  constructor(input: unknown) {
    this.#fields = typeof input === "object" && input !== null ? (input as Record<string, unknown>) : {};
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== "string") {
      throw new Error(`"${name}" must be a text.`);
    }
    return value;
  }
}

export function toolsFor(workspace: Workspace): Tool[] {
  return [
    tool("write_file", "Writes a file, replacing what it held.", { path: "like notes/today.md", text: "all of the file's text" }, (input) => {
      const path = workspace.write(input.text("path"), input.text("text"));
      return `Wrote ${path}.`;
    }),
    tool("read_file", "Reads a file.", { path: "the file's path" }, (input) => workspace.read(input.text("path"))),
    tool("list_files", "Lists the files with their sizes.", {}, () => {
      const files = workspace.list().map((file) => `${file.path} (${file.chars} characters)`);
      return files.join("\n") || "There are no files.";
    }),
    tool("edit_file", "Replaces a text that stands exactly once in a file.", { path: "the file's path", before: "the text to replace", after: "the text to put there" }, (input) => {
      const path = workspace.edit(input.text("path"), input.text("before"), input.text("after"));
      return `Edited ${path}.`;
    }),
    tool("search_files", "Finds lines that contain a text, in all files, whatever the case.", { text: "the text to look for" }, (input) => {
      const lines = workspace.search(input.text("text")).map((match) => `${match.path}:${match.line}: ${match.text}`);
      return lines.join("\n") || "Nothing found.";
    }),
    tool("calculate", "Computes an expression: + - * / % ^, brackets, pi, e, sqrt, abs, round, floor, ceil, min, max, ln, log10, exp, sin, cos, tan.", { expression: "like (2 + 3) * sqrt(16)" }, (input) =>
      String(calculate(input.text("expression")))),
    tool("fetch_url", `Gets an http or https address; at most ${FETCH_BYTES / 1024} KB of text come back.`, { url: "the address" }, (input, signal) =>
      fetchText(input.text("url"), signal)),
  ];
}

/** Runs one call. What goes wrong is an answer too: the model reads it and tries something else. */
export async function runTool(tools: Tool[], name: string, input: unknown, signal: AbortSignal): Promise<{ ok: boolean; content: string }> {
  const found = tools.find((tool) => tool.name === name);
  if (!found) {
    return { ok: false, content: `There is no tool ${name}.` };
  }
  try {
    const content = await found.run(new Input(input), signal);
    return { ok: true, content: content.slice(0, RESULT_CHARS) };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, content: error instanceof Error ? error.message : String(error) };
  }
}

function tool(name: string, description: string, fields: Record<string, string>, run: Tool["run"]): Tool {
  const properties = Object.fromEntries(Object.entries(fields).map(([field, about]) => [field, { type: "string", description: about }]));
  return { name, description, input_schema: { type: "object", properties, required: Object.keys(fields) }, run };
}

async function fetchText(address: string, signal: AbortSignal): Promise<string> {
  const url = URL.parse(address);
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw new Error("The address must be a whole one, with http:// or https://.");
  }
  const timeout = AbortSignal.timeout(FETCH_MS);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, timeout]) });
    return `${response.status} ${response.statusText}`.trim() + `\n${response.headers.get("content-type") ?? ""}\n\n` + (await firstBytes(response));
  } catch (error) {
    if (timeout.aborted) {
      throw new Error(`${url.host} did not answer within ${FETCH_MS / 1000} s.`);
    }
    throw error;
  }
}

async function firstBytes(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let left = FETCH_BYTES;
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk.subarray(0, left), { stream: true });
    left -= chunk.byteLength;
    if (left <= 0) {
      return `${text}\n[cut after ${FETCH_BYTES / 1024} KB]`; // leaving the loop cancels the body
    }
  }
  return text + decoder.decode();
}
