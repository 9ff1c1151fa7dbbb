// `get`, `put` and `delete` of stubs, which were there before RPC: requests by their
// methods, whose answers are read or refused.
(function () {
const { core, primordials } = __bootstrap;
const { Error, ObjectAssign, ReflectApply, TypeError } = primordials;
const { ReadableStream } = core.loadExtScript("ext:deno_web/06_streams.js");
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");

/** Lets the stubs of a class have them; each asks by the class's own `fetch`. */
function addVerbs(prototype) {
  const { fetch } = prototype;
  const ask = (stub, url, init) => ReflectApply(fetch, stub, [url, init]);
  const verbs = {
    async get(url, type = "text") {
      const response = await ask(this, `${url}`, { method: "GET" });
      const { status } = response;
      if (status === 404 || status === 410) return null;
      if (!response.ok) throw failed("HTTP GET request failed", response);
      return read(response, `${type}`);
    },
    async put(url, body, options = undefined) {
      const target = new URL(`${url}`);
      const { expiration, expirationTtl } = options ?? {};
      if (expiration !== undefined) target.searchParams.append("expiration", expiration);
      if (expirationTtl !== undefined) {
        target.searchParams.append("expiration_ttl", expirationTtl);
      }
      await answered("PUT", ask(this, target.href, { method: "PUT", body }));
    },
    async delete(url) {
      await answered("DELETE", ask(this, `${url}`, { method: "DELETE" }));
    },
  };
  ObjectAssign(prototype, verbs);
}

function read(response, type) {
  switch (type) {
    case "text":
      return response.text();
    case "arrayBuffer":
      return response.arrayBuffer();
    case "json":
      return response.json();
    case "stream":
      return response.body ?? new ReadableStream({ start: (controller) => controller.close() });
    default:
      throw new TypeError(
        'Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".',
      );
  }
}

async function answered(method, asked) {
  const response = await asked;
  if (!response.ok) throw failed(`HTTP ${method} request failed`, response);
}

function failed(what, { status, statusText }) {
  return new Error(`${what}: ${status} ${statusText}`);
}

return { addVerbs };
})();
