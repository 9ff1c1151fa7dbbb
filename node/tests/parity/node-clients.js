/* flags: ["nodejs_compat"] */
/* requests: [
  {"path": "/http", "headers": {"x-target": "$ADDRESS"}},
  {"path": "/net", "headers": {"x-target": "$ADDRESS"}},
  {"path": "/errors"},
  {"path": "/addresses"}
] */
// Clients of node:http and node:net, which ask this worker itself.
import http from "node:http";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import dns from "node:dns";

/** What the worker answers to its own clients. */
async function served(request) {
  const { pathname, search } = new URL(request.url);
  if (pathname === "/served/moved") return Response.redirect("http://elsewhere.test/", 302);
  if (pathname === "/served/empty") return new Response(null, { status: 204 });
  const names = ["authorization", "content-type", "x-one", "x-two"];
  const seen = names.map((name) => `${name}=${request.headers.get(name)}`);
  return new Response(
    [request.method, pathname + search, await request.text(), ...seen].join(" | "),
    { headers: { "x-answer": "yes" } },
  );
}

function ask(options, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(options, (response) => {
      const chunks = [];
      response.setEncoding("utf8");
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve([
          response.statusCode,
          response.statusMessage,
          response.headers["x-answer"],
          response.headers.location,
          chunks.join(""),
        ].join(" ; ")));
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function overHttp(target) {
  const [hostname, port] = target.split(":");
  const base = { hostname, port, path: "/served/a?b=1" };
  return [
    await ask(base),
    await ask({ ...base, method: "post", headers: { "content-type": "text/x" } }, "sent"),
    await ask({ ...base, method: "PUT", headers: { "x-one": "1", "x-two": [2, 3] } }),
    await ask({ ...base, auth: "me:secret" }),
    await ask({ ...base, path: "/served/moved" }),
    await ask({ ...base, path: "/served/empty" }),
    await ask(`http://${target}/served/text`),
    await ask(new URL(`http://${target}/served/url`)),
  ];
}

function overNet(target) {
  const [host, port] = target.split(":");
  return new Promise((resolve, reject) => {
    const events = [];
    const socket = net.connect({ host, port: Number(port) });
    let text = "";
    socket.setEncoding("latin1");
    for (const name of ["connect", "ready", "end"]) {
      socket.on(name, () => events.push(`${name} ${socket.connecting} ${socket.pending}`));
    }
    socket.on("error", reject);
    socket.on("data", (chunk) => text += chunk);
    socket.on("close", (failed) => {
      events.push(`close ${failed}`, text.split("\r\n")[0], `${text.includes("/served/raw")}`);
      resolve(events);
    });
    socket.write("GET /served/raw HTTP/1.1\r\nhost: parity.test\r\n");
    socket.write("connection: close\r\n\r\n");
    events.push(`${socket.connecting} ${socket.readyState}`);
  });
}

function errors() {
  const lines = [];
  const probe = (name, run) => {
    try {
      lines.push(`${name}: ${run()}`);
    } catch (error) {
      lines.push(`${name}: ${error.name} ${error.code}: ${error.message}`);
    }
  };
  probe("path", () => http.request({ path: "/a b" }));
  probe("other host", () => http.request({ path: "//a.test/" }));
  probe("protocol", () => http.request({ protocol: "ftp:" }));
  probe("method", () => http.request({ method: 1 }));
  probe("token", () => http.request({ method: "A B" }));
  probe("agent", () => http.request({ agent: {} }));
  probe("socketPath", () => http.request({ socketPath: "/x" }));
  probe("maxHeaderSize", () => http.request({ maxHeaderSize: 1 }));
  probe("host", () => http.request({ hostname: 1 }));
  probe("agent name", () => new http.Agent().getName({ host: "a", port: 1, family: 6 }));
  probe("https agent name", () => new https.Agent().getName({ host: "a", ca: "b" }));
  probe("connect", () => net.connect({}));
  probe("port", () => net.connect(70000));
  probe("path socket", () => net.connect({ path: "/x" }));
  probe("objectMode", () => new net.Socket({ objectMode: true }));
  probe("setTimeout", () => new net.Socket().setTimeout("1"));
  probe("dns type", () => dns.promises.resolve("a.test", "NO"));
  probe("dns name", () => dns.resolve4(1, () => {}));
  probe("dns order", () => dns.setDefaultResultOrder("no"));
  return lines;
}

async function addresses() {
  const list = new net.BlockList();
  list.addAddress("10.0.0.1");
  list.addRange("10.0.1.1", "10.0.1.9");
  list.addSubnet("fd00::", 8, "ipv6");
  const lookup = (...args) =>
    new Promise((resolve) => dns.lookup(...args, (...result) => resolve(result)));
  const certificate = { subject: { CN: "a.test" }, subjectaltname: "DNS:*.b.test, IP Address:::1" };
  return [
    ["1.2.3.4", "1.2.3", "::1", "fe80::1%eth0", "::ffff:1.2.3.4", "1::2::3"].map(net.isIP),
    ["10.0.0.1", "10.0.1.5", "10.0.2.1"].map((one) => list.check(one)),
    list.check("fd12::1", "ipv6"),
    list.check("::ffff:10.0.0.1", "ipv6"),
    new net.SocketAddress({ address: "::1", family: "ipv6", port: 80 }).toJSON(),
    await lookup("127.0.0.1"),
    await lookup("::1", { all: true }),
    ["x.b.test", "b.test", "x.y.b.test", "::1", "a.test"]
      .map((host) => tls.checkServerIdentity(host, certificate)?.reason ?? "fits"),
  ].map((value) => JSON.stringify(value));
}

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/served/")) return served(request);
    const target = request.headers.get("x-target");
    const lines = pathname === "/http" ? await overHttp(target)
      : pathname === "/net" ? await overNet(target)
      : pathname === "/errors" ? errors()
      : await addresses();
    return new Response(lines.join("\n"));
  },
};
