/* flags: ["nodejs_compat"] */
// node:fs: files in memory, their errors, times, links, handles and streams.
import fs from "node:fs";

const lines = [];
const probe = async (name, act) => {
  try {
    lines.push(`${name}: ${JSON.stringify(await act())}`);
  } catch (error) {
    lines.push(`${name}: ${error.name} ${error.code}`);
  }
};
const calls = (act) => new Promise((resolve) => act((error, value) => resolve([error?.code, value])));

export default {
  async fetch() {
    lines.length = 0;
    await probe("write", () => fs.writeFileSync("/tmp/a.txt", "Hello"));
    await probe("append", () => fs.appendFileSync("/tmp/a.txt", ", World"));
    await probe("missing", () => fs.readFileSync("/tmp/none.txt", "utf8"));
    await probe("bad descriptor", () => fs.writeSync(100, "x"));
    await probe("not a folder", () => fs.mkdirSync("/tmp/a.txt"));
    await probe("read only", () => fs.writeFileSync("/bundle/x", "x"));
    await probe("a folder again", () => [fs.mkdirSync("/tmp/d"), fs.mkdirSync("/tmp/d")]);
    await probe("a temporary folder", () => /^\/tmp\/t-\d+$/.test(fs.mkdtempSync("/tmp/t-")));
    await probe("escapes", () => {
      fs.writeFileSync("/tmp//?#b%FF", "x");
      return [fs.existsSync("/tmp/%3f%23b%FF"), fs.existsSync("/tmp/%3F%23b%ff")];
    });
    await probe("too long", () => fs.openSync("/tmp/a".repeat(4097)));
    await probe("too deep", () => fs.openSync("/a".repeat(49)));
    await probe("times", () => {
      fs.utimesSync("/tmp/a.txt", 1000, 2000);
      const { atimeMs, birthtimeMs, ctimeMs, mtimeMs } = fs.statSync("/tmp/a.txt");
      return [atimeMs, birthtimeMs, ctimeMs, mtimeMs];
    });
    await probe("bad time", () => fs.utimesSync("/tmp/a.txt", 0, new Date(NaN)));
    await probe("link", () => {
      fs.linkSync("/tmp/a.txt", "/tmp/hard");
      fs.symlinkSync("/tmp/a.txt", "/tmp/soft");
      fs.symlinkSync("/tmp/nowhere", "/tmp/broken");
      return [
        fs.readFileSync("/tmp/hard", "utf8"),
        fs.readlinkSync("/tmp/soft"),
        fs.realpathSync("/tmp/soft"),
        fs.realpathSync("/tmp/broken"),
        fs.lstatSync("/tmp/broken").isSymbolicLink(),
      ];
    });
    await probe("link to a name without one", () => fs.linkSync("/tmp/a.txt", "/tmp/"));
    await probe("link below a file", () => fs.linkSync("/tmp/a.txt", "/tmp/a.txt/b"));
    await probe("link to a folder", () => fs.linkSync("/tmp/d", "/tmp/e"));
    await probe("part of a buffer", () => {
      const fd = fs.openSync("/tmp/b.txt", "w+");
      const written = fs.writeSync(fd, Buffer.from("Hello World"), 1, 3, 1);
      return [written, fs.readFileSync(fd, "latin1"), fs.fstatSync(fd).size];
    });
    await probe("past a buffer", () => fs.writeSync(3, Buffer.from("ab"), 0, 100));
    await probe("arguments first", () => fs.truncate("/tmp/a.txt", -1));
    await probe("no callback", () => fs.truncate("/tmp/a.txt", 1));
    await probe("callback", () => calls((done) => fs.readFile("/tmp/a.txt", "utf8", done)));
    await probe("callback of a failure", () => calls((done) => fs.stat("/tmp/none", done)));
    await probe("handle", async () => {
      const handle = await fs.promises.open("/tmp/a.txt", "r");
      let closed = 0;
      handle.on("close", () => closed++);
      const text = await handle.readFile("utf8");
      await handle.close();
      return [text, closed, handle.fd === undefined];
    });
    await probe("closed handle", async () => {
      const handle = await fs.promises.open("/tmp/a.txt", "r");
      await handle.close();
      await handle.stat();
    });
    await probe("read stream", async () => {
      const stream = fs.createReadStream("/tmp/a.txt", { start: 1, end: 3, encoding: "utf8" });
      let text = "";
      for await (const chunk of stream) text += chunk;
      return [text, stream.bytesRead, stream.closed];
    });
    await probe("write stream", async () => {
      const stream = fs.createWriteStream("/tmp/c.txt");
      stream.write("one ");
      stream.end("two");
      await new Promise((resolve) => stream.on("close", resolve));
      return [fs.readFileSync("/tmp/c.txt", "utf8"), stream.bytesWritten];
    });
    await probe("stream of a bad range", () => fs.createReadStream("/tmp/a.txt", { start: 2, end: 1 }));
    await probe("a folder, all of it", () => fs.readdirSync("/", { withFileTypes: true }).map((it) => it.name));
    return new Response(lines.join("\n"));
  },
};
