/* requests: [{}] */
// `cf` of requests to another worker: what its caller gave, as JSON has it.

const told = (request) => Response.json([request.cf ?? null, request.clone().cf ?? null, new Request(request).cf ?? null]);

export const echo = { fetch: told };
export const forwards = { fetch: (request, _env, ctx) => ctx.exports.echo.fetch(request) };
export const replaces = { fetch: (request, _env, ctx) => ctx.exports.echo.fetch(new Request(request, { cf: { own: request.cf.a } })) };

const plain = "http://a.test/";
const probes = {
  "none": (echo) => echo.fetch(plain),
  "an object": (echo) => echo.fetch(plain, { cf: { a: 1, b: [1, { c: null }] } }),
  "an empty one": (echo) => echo.fetch(plain, { cf: {} }),
  "what JSON drops": (echo) => echo.fetch(plain, { cf: { a: undefined, b: new Date(0), c: () => {} } }),
  "a list": (echo) => echo.fetch(plain, { cf: [1] }),
  "of a Request": (echo) => echo.fetch(new Request(plain, { cf: { a: 1 } })),
  "replaced": (echo) => echo.fetch(new Request(plain, { cf: { a: 1 } }), { cf: { b: 2 } }),
  "null": (echo) => echo.fetch(plain, { cf: null }),
  "a number": (echo) => echo.fetch(plain, { cf: 5 }),
  "not for JSON": (echo) => echo.fetch(plain, { cf: { a: 1n } }),
  "forwarded": (_, exports) => exports.forwards.fetch(plain, { cf: { a: 1 } }),
  "replaced on the way": (_, exports) => exports.replaces.fetch(plain, { cf: { a: 1 } }),
};

export default {
  async fetch(_request, _env, ctx) {
    const lines = [];
    for (const [name, probe] of Object.entries(probes)) {
      let said;
      try {
        said = await (await probe(ctx.exports.echo, ctx.exports)).text();
      } catch (error) {
        said = String(error);
      }
      lines.push(`${name}: ${said}`);
    }
    return new Response(lines.join("\n"));
  },
};
