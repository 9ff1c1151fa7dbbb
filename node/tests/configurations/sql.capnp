using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "scratch", disk = (writable = true)),
    (name = "sql", worker = (
      modules = [(name = "sql.js", esModule = embed "sql.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental", "disable_fast_jsg_struct"],
      streamingTails = ["during"],
      bindings = [(name = "OBJECT", durableObjectNamespace = "Sql")],
      durableObjectNamespaces = [(className = "Sql", uniqueKey = "sql", enableSql = true)],
      durableObjectStorage = (localDisk = "scratch"),
    )),
    (name = "during", worker = (
      modules = [(name = "sql-during.js", esModule = embed "sql-during.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental"],
    )),
  ],
);
