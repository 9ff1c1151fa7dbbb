using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "scratch", disk = (writable = true)),
    (name = "context", worker = (
      modules = [(name = "object-context.js", esModule = embed "object-context.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat"],
      bindings = [(name = "OBJECT", durableObjectNamespace = "Looked")],
      durableObjectNamespaces = [(className = "Looked", uniqueKey = "looked", enableSql = true)],
      durableObjectStorage = (localDisk = "scratch"),
    )),
  ],
);
