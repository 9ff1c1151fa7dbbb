using Workerd = import "/workerd/workerd.capnp";

const flags :List(Text) = [
  "nodejs_compat",
  "experimental",
  "unsafe_module",
  "allow_irrevocable_stub_storage",
];

const config :Workerd.Config = (
  services = [
    (name = "restore", worker = (
      modules = [(name = "restore.js", esModule = embed "restore.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = .flags,
      bindings = [
        (name = "LOADER", workerLoader = ()),
        (name = "OTHER", service = (name = "other", entrypoint = "Maker")),
        (name = "SELF", service = (name = "restore", entrypoint = "Maker")),
      ],
      durableObjectNamespaces = [(className = "Box", uniqueKey = "box", enableSql = true)],
      durableObjectStorage = (localDisk = "scratch"),
    )),
    (name = "other", worker = (
      modules = [(name = "other.js", esModule =
        `import { RpcTarget, WorkerEntrypoint, restore } from "cloudflare:workers";
        `class Named extends RpcTarget {
        `  constructor(name) {
        `    super();
        `    this.given = name;
        `  }
        `  name() {
        `    return this.given;
        `  }
        `}
        `export class Maker extends WorkerEntrypoint {
        `  make(name) {
        `    return this.ctx.restore({ name });
        `  }
        `  [restore]({ name }) {
        `    return new Named("other " + name);
        `  }
        `}
      )],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = .flags,
    )),
    (name = "scratch", disk = (writable = true)),
  ],
);
