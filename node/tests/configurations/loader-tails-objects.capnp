using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "loader-tails-objects", worker = (
      modules = [(name = "loader-tails-objects.js", esModule = embed "loader-tails-objects.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental"],
      bindings = [
        (name = "LOADER", workerLoader = ()),
        (name = "EARS", durableObjectNamespace = "Ear"),
      ],
      durableObjectNamespaces = [(className = "Ear", uniqueKey = "ear", enableSql = true)],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
