import { WorkerEntrypoint } from "cloudflare:workers";

interface Env {
  LOADER: WorkerLoader;
}

/** All that the code can reach besides itself. */
export class Notes extends WorkerEntrypoint<Env, { user: string }> {
  static #notes: string[] = [];

  add(text: string) {
    return Notes.#notes.push(`${this.ctx.props.user}: ${text}`);
  }

  list() {
    return Notes.#notes;
  }
}

const EXAMPLE = `export default {
  async fetch(request, env) {
    await env.NOTES.add("it is " + new Date().toISOString());
    return Response.json(await env.NOTES.list());
  },
};
`;

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    if (request.method !== "POST") return page(EXAMPLE);
    const code = await request.text();
    const worker = env.LOADER.load({
      compatibilityDate: "2026-04-01",
      mainModule: "index.js",
      modules: { "index.js": code },
      env: { NOTES: (ctx.exports as any).Notes({ props: { user: "the page" } }) },
      // No network: the notes are its one way out.
      globalOutbound: null,
      limits: { cpuMs: 50, subRequests: 10 },
    });
    try {
      return await worker.getEntrypoint().fetch("http://code/");
    } catch (error) {
      return new Response(`${error}\n`, { status: 500 });
    }
  },
};

function page(code: string): Response {
  const html = `<!doctype html>
<title>Run a worker</title>
<textarea id="code" rows="12" cols="80">${code}</textarea>
<p><button id="run">Run</button>
<pre id="answer"></pre>
<script>
  run.onclick = async () => {
    const answered = await fetch("/", { method: "POST", body: code.value });
    answer.textContent = await answered.text();
  };
</script>`;
  return new Response(html, { headers: { "content-type": "text/html" } });
}
