using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "scratch", disk = (writable = true)),
    (name = "sql", worker = (
      modules = [(name = "sql-cursors.js", esModule = embed "sql-cursors.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat"],
      bindings = [(name = "OBJECT", durableObjectNamespace = "Sql")],
      durableObjectNamespaces = [(className = "Sql", uniqueKey = "sql", enableSql = true)],
      durableObjectStorage = (localDisk = "scratch"),
    )),
  ],
);
