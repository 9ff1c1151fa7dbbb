/* flags: ["fetch_legacy_url"] */
/* requests: [{}] */
// URLs as the fetch API had them before it went by the standard.

export const echo = { fetch: (request) => Response.json([request.method, request.url]) };

const urls = [
  "http://foo.test",
  "http://foo.test/",
  "HTTP://Foo.TEST/a/../b",
  "http://foo.test?x",
  "http://foo.test?",
  "http://foo.test#fragment",
  "http://foo.test/a?b#c",
  "http://foo.test:80/x",
  "http://foo.test:80",
  "https://foo.test:443?y",
  "http://foo.test:8080",
  "http://foo.test/%7e",
  "foo",
  "/x",
  "ftp://foo.test/x",
];

export default {
  async fetch(_request, _env, ctx) {
    const lines = [];
    for (const url of urls) {
      const request = new Request(url);
      let told;
      try {
        const answer = await ctx.exports.echo.fetch(url);
        told = [await answer.json(), answer.url];
      } catch (error) {
        told = String(error);
      }
      lines.push(`${url}: ${JSON.stringify([request.url, request.clone().url, told])}`);
    }
    return new Response(lines.join("\n"));
  },
};
