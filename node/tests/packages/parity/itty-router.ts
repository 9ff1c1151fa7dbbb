/* requests: [
  {"path": "/things/1?a=1&a=2&b=3"},
  {"path": "/files/a/b/c.txt"},
  {"path": "/things", "method": "POST", "body": "{\"n\":1}"},
  {"path": "/things", "method": "POST", "body": "no JSON"},
  {"path": "/forbidden"},
  {"path": "/throws"},
  {"path": "/nested/deep"},
  {"path": "/cors", "method": "OPTIONS", "headers": {"origin": "https://x.test"}},
  {"path": "/html"},
  {"path": "/missing"}
] */
// itty-router: AutoRouter with its helpers, and a router within.
import { AutoRouter, cors, error, html, Router, StatusError, withContent } from "itty-router";

const { preflight, corsify } = cors({ origin: "https://x.test", maxAge: 60 });
const nested = Router({ base: "/nested" }).get("/deep", () => ({ deep: true }));

const router = AutoRouter({
  before: [preflight],
  finally: [corsify],
  missing: () => error(404, "not here"),
});
router
  .get("/things/:id", ({ params, query }) => ({ params, query }))
  .get("/files/:path+", ({ path }) => path)
  .post("/things", withContent, ({ content }) => ({ content }))
  .get("/forbidden", () => error(403, { why: "because" }))
  .get("/throws", () => {
    throw new StatusError(409, "twice");
  })
  .get("/html", () => html("<b>it</b>"))
  .all("/nested/*", nested.fetch);

export default { ...router };
