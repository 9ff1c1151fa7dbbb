using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "scratch", disk = (writable = true)),
    (name = "values", worker = (
      modules = [(name = "storage-values.js", esModule = embed "storage-values.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat"],
      bindings = [(name = "KEEPER", durableObjectNamespace = "Keeper")],
      durableObjectNamespaces = [(className = "Keeper", uniqueKey = "keeper", enableSql = true)],
      durableObjectStorage = (localDisk = "scratch"),
    )),
  ],
);
