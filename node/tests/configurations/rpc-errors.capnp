using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "errors", worker = (
      modules = [(name = "rpc-errors.js", esModule = embed "rpc-errors.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat"],
      bindings = [
        (name = "THROWS", service = (name = "errors", entrypoint = "Throws")),
        (name = "OBJECT", durableObjectNamespace = "Throwing"),
      ],
      durableObjectNamespaces = [(className = "Throwing", uniqueKey = "throwing", enableSql = true)],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
