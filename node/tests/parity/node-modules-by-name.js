/* flags: ["nodejs_compat"] */
/* requests: [
  {"path": "/names"}, {"path": "/calls"}
] */
// Modules that Workers have by name: what they export, and how each refuses.
import child_process from "node:child_process";
import cluster from "node:cluster";
import dgram from "node:dgram";
import domain from "node:domain";
import http2 from "node:http2";
import inspector from "node:inspector";
import inspectorPromises from "node:inspector/promises";
import readline from "node:readline";
import readlinePromises from "node:readline/promises";
import repl from "node:repl";
import sqlite from "node:sqlite";
import test from "node:test";
import trace_events from "node:trace_events";
import tty from "node:tty";
import v8 from "node:v8";
import vm from "node:vm";
import wasi from "node:wasi";
import worker_threads from "node:worker_threads";

const modules = {
  child_process, cluster, dgram, domain, http2, inspector, inspectorPromises,
  readline, readlinePromises, repl, sqlite, test, trace_events, tty, v8, vm, wasi,
  worker_threads,
};

function names() {
  const lines = [];
  for (const [name, module] of Object.entries(modules)) {
    for (const key of Object.keys(module).sort()) {
      if (key.startsWith("_event") || key === "_maxListeners") continue;
      lines.push(`${name}.${key}: ${typeof module[key]}`);
    }
  }
  return lines;
}

async function calls() {
  const lines = [];
  const probe = async (name, run) => {
    try {
      lines.push(`${name}: ${JSON.stringify(await run()) ?? "nothing"}`);
    } catch (error) {
      lines.push(`${name}: ${error.name} ${error.code}: ${error.message}`);
    }
  };
  await probe("exec", () => child_process.exec("ls"));
  await probe("exec 1", () => child_process.exec(1));
  await probe("fork", () => child_process.fork("x", 1));
  await probe("spawn", () => child_process.spawn("ls"));
  await probe("cluster.fork", () => cluster.fork());
  await probe("cluster.setupMaster", () => cluster.setupMaster());
  await probe("cluster.Worker", () => new cluster.Worker().isDead());
  await probe("dgram", () => dgram.createSocket("udp4").getSendQueueSize());
  await probe("dgram 1", () => dgram.createSocket(1));
  await probe("domain.run", () => domain.createDomain().run((a, b) => a + b, 1, 2));
  await probe("http2.connect", () => http2.connect("https://a.test"));
  await probe("http2.constants", () => http2.constants.HTTP_STATUS_OK);
  await probe("http2.settings", () => http2.getDefaultSettings().maxFrameSize);
  await probe("inspector.Session", () => new inspector.Session());
  await probe("inspector.url", () => inspector.url());
  await probe("inspector/promises.url", () => inspectorPromises.url());
  await probe("readline.question", () =>
    new Promise((resolve) => new readline.Interface().question("?", resolve)));
  await probe("readline/promises", () =>
    readlinePromises.createInterface().question("?"));
  await probe("repl.start", () => repl.start());
  await probe("sqlite.DatabaseSync", () => new sqlite.DatabaseSync(":memory:"));
  await probe("sqlite.backup", () => sqlite.backup());
  await probe("trace_events", () => trace_events.createTracing({ categories: [] }));
  await probe("tracing", () =>
    trace_events.createTracing({ categories: ["a", "b"] }).categories);
  await probe("tty.isatty", () => tty.isatty(1));
  await probe("v8.heap", () => v8.getHeapStatistics().used_heap_size);
  await probe("v8.serialize", () => v8.serialize({}));
  await probe("v8.setFlagsFromString", () => v8.setFlagsFromString(1));
  await probe("vm.isContext", () => vm.isContext(vm.createContext({})));
  await probe("vm.runInContext", () => vm.runInContext("1", {}));
  await probe("vm.runInThisContext", () => vm.runInThisContext("1"));
  await probe("WASI", () => new wasi.WASI({ version: "preview1" }));
  await probe("WASI 2", () => new wasi.WASI({ version: "2" }));
  await probe("Worker", () => new worker_threads.Worker("x"));
  await probe("isMainThread", () => worker_threads.isMainThread);
  await probe("environment data", () => {
    worker_threads.setEnvironmentData("a", 1);
    return worker_threads.getEnvironmentData("a");
  });
  await probe("mock", () => {
    const fn = test.mock.fn((a) => a * 2);
    return [fn(2), fn.mock.callCount(), fn.mock.calls[0].arguments];
  });
  return lines;
}

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const lines = pathname === "/names" ? names() : await calls();
    return new Response(lines.join("\n"));
  },
};
