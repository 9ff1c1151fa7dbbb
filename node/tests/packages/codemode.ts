// Code Mode: tools as functions of code that runs in a dynamic worker.
import { DynamicWorkerExecutor } from "@cloudflare/codemode";
import { createCodeTool } from "@cloudflare/codemode/ai";
import { tool } from "ai";
import { z } from "zod";

const codes = [
  `async () => {
    const { sum } = await codemode.add({ a: 1, b: 2 });
    console.log("sum", sum);
    return codemode.add({ a: sum, b: sum });
  }`,
  `async () => { await fetch("http://away.test/"); }`,
  `async () => codemode.fail({})`,
];

export default {
  async fetch(request, env) {
    const tools = {
      add: tool({
        description: "Adds",
        inputSchema: z.object({ a: z.number(), b: z.number() }),
        execute: async ({ a, b }) => ({ sum: a + b }),
      }),
      fail: tool({
        description: "Fails",
        inputSchema: z.object({}),
        execute: async () => {
          throw new Error("as it does");
        },
      }),
    };
    const executor = new DynamicWorkerExecutor({ loader: env.LOADER, timeout: 5_000 });
    const codemode = createCodeTool({ tools, executor });
    const said = [];
    for (const code of codes) {
      try {
        const { result, logs } = await codemode.execute({ code }, {} as any);
        said.push([result, logs]);
      } catch (error) {
        said.push(error.message.slice(0, 60));
      }
    }
    return Response.json(said);
  },
};
