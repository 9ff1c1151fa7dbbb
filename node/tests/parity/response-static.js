/* requests: [{}] */
// Response.json, Response.redirect, Response.error and clone.

const probes = {
  "json": async () => {
    const response = Response.json({ a: [1, null, "é"] });
    return [response.status, [...response.headers], await response.text()];
  },
  "json with init": async () => {
    const response = Response.json([], { status: 418, statusText: "Teapot", headers: { "content-type": "application/problem+json", a: "1" } });
    return [response.status, response.statusText, [...response.headers], await response.text()];
  },
  "json of undefined": () => Response.json(undefined).text(),
  "json of a function": () => Response.json(() => {}).text(),
  "json of a symbol": () => Response.json(Symbol("s")).text(),
  "json of a BigInt": () => Response.json(1n),
  "json of a circle": () => {
    const circle = {};
    circle.self = circle;
    try {
      Response.json(circle);
    } catch (error) {
      return [error.name, error.message.split("\n")[0]];
    }
  },
  "json of toJSON": () => Response.json({ toJSON: () => "as text" }).text(),
  "json with 204": () => Response.json({}, { status: 204 }),
  "json without arguments": () => Response.json(),
  "redirect": () => {
    const response = Response.redirect("https://example.com/a b?c#d");
    return [response.status, [...response.headers], response.body];
  },
  "redirect statuses": () => [301, 302, 303, 307, 308].map((status) => Response.redirect("https://example.com", status).status),
  "redirect with 200": () => Response.redirect("https://example.com", 200),
  "redirect with 304": () => Response.redirect("https://example.com", 304),
  "redirect to a path": () => Response.redirect("/a").headers.get("location"),
  "redirect to nothing": () => Response.redirect(),
  "redirect headers can be changed": () => {
    const response = Response.redirect("https://example.com");
    response.headers.set("a", "1");
    return response.headers.get("a");
  },
  "error": () => {
    const response = Response.error();
    return [response.status, response.type, response.ok, response.statusText];
  },
  "clone": async () => {
    const response = new Response("text", { status: 201, statusText: "Made", headers: { a: "1" } });
    const copy = response.clone();
    copy.headers.set("a", "2");
    return [copy.status, copy.statusText, response.headers.get("a"), await response.text(), await copy.text()];
  },
  "clone without a body": () => new Response(null).clone().body,
  "clone after use": async () => {
    const response = new Response("text");
    await response.text();
    return response.clone();
  },
  "clone while locked": () => {
    const response = new Response("text");
    response.body.getReader();
    return response.clone();
  },
};

export default {
  async fetch() {
    return report(probes);
  },
};

// One line a probe: its value, or what it threw.
async function report(probes) {
  let lines = "";
  for (const [name, probe] of Object.entries(probes)) {
    let answer;
    try {
      answer = (await probe()) ?? null;
    } catch (error) {
      answer = { threw: error.name, message: error.message };
    }
    lines += `${name}: ${JSON.stringify(answer)}\n`;
  }
  return new Response(lines);
}
