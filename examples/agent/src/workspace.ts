const MOST_FILES = 64;
const LONGEST_PATH = 200;
const FILE_CHARS = 64 * 1024; // a model neither writes nor reads more in one go
const TOTAL_CHARS = 512 * 1024; // several runs share one isolate's memory
const MOST_MATCHES = 100;

/** What the workspace refuses, in words the model can act on. */
export class WorkspaceError extends Error {
  override name = "WorkspaceError";
}

/** The files of one run. They live in memory and go with it. */
export class Workspace {
  readonly #files = new Map<string, string>();

  list(): { path: string; chars: number }[] {
    return [...this.#files].map(([path, text]) => ({ path, chars: text.length })).sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  read(path: string): string {
    const name = normalised(path);
    const text = this.#files.get(name);
    if (text === undefined) {
      throw new WorkspaceError(`There is no file ${name}.`);
    }
    return text;
  }

  write(path: string, text: string): string {
    const name = normalised(path);
    if (text.length > FILE_CHARS) {
      throw new WorkspaceError(`A file holds at most ${FILE_CHARS} characters; this text has ${text.length}.`);
    }
    if (!this.#files.has(name) && this.#files.size >= MOST_FILES) {
      throw new WorkspaceError(`There are ${MOST_FILES} files already.`);
    }
    const others = this.list().reduce((sum, file) => sum + (file.path === name ? 0 : file.chars), 0);
    if (others + text.length > TOTAL_CHARS) {
      throw new WorkspaceError(`The workspace is full: ${TOTAL_CHARS} characters in all.`);
    }
    this.#files.set(name, text);
    return name;
  }

  /** Replaces the one place where `before` stands; none or several is an error, so that an edit never hits the wrong one. */
  edit(path: string, before: string, after: string): string {
    const text = this.read(path);
    if (before === "") {
      throw new WorkspaceError("The text to replace is empty.");
    }
    const at = text.indexOf(before);
    if (at < 0) {
      throw new WorkspaceError("The text to replace is not in the file.");
    }
    if (text.indexOf(before, at + 1) >= 0) {
      throw new WorkspaceError("The text to replace stands in several places; give more of what surrounds it.");
    }
    return this.write(path, text.slice(0, at) + after + text.slice(at + before.length));
  }

  /** Lines that contain `wanted`, whatever the case. Plain text: a pattern from a model could run for ever. */
  search(wanted: string): { path: string; line: number; text: string }[] {
    const needle = wanted.toLowerCase();
    const found = [];
    for (const { path } of this.list()) {
      for (const [index, text] of this.read(path).split("\n").entries()) {
        if (text.toLowerCase().includes(needle)) {
          found.push({ path, line: index + 1, text: text.slice(0, 300) });
          if (found.length === MOST_MATCHES) {
            return found;
          }
        }
      }
    }
    return found;
  }
}

function normalised(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length === 0 || path.length > LONGEST_PATH || parts.includes("..") || /[\u0000-\u001f\\]/.test(path)) {
    throw new WorkspaceError(`A path is like notes/today.md, at most ${LONGEST_PATH} characters, without "..".`);
  }
  return parts.join("/");
}
