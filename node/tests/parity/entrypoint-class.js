/* env: {"GREETING": "hello"} */
/* requests: [{}, {"path": "/again"}, {"path": "/throws"}] */
// A default export that is a class, and the values of the cloudflare:workers module.

import { WorkerEntrypoint, env as importedEnv, waitUntil } from "cloudflare:workers";
import * as everything from "cloudflare:workers";

export default class extends WorkerEntrypoint {
  requests = 0;

  async fetch(request) {
    this.requests++;
    if (new URL(request.url).pathname === "/throws") throw new Error("from a method");
    waitUntil?.(Promise.resolve());
    return Response.json({
      env: this.env.GREETING,
      imported: importedEnv.GREETING,
      ctx: typeof this.ctx.waitUntil,
      requests: this.requests,
      names: ["DurableObject", "RpcStub", "RpcTarget", "WorkerEntrypoint", "WorkflowEntrypoint", "env", "exports", "nothing", "waitUntil", "withEnv"].map((name) => [name, typeof everything[name]]),
    });
  }
}
