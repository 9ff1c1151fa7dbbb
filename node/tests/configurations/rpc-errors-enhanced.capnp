using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "enhanced", worker = (
      modules = [(name = "rpc-errors-enhanced.js", esModule = embed "rpc-errors-enhanced.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental", "enhanced_error_serialization"],
      bindings = [
        (name = "SERVICE", service = (name = "enhanced", entrypoint = "Service")),
        (name = "THING", durableObjectNamespace = "Thing"),
      ],
      durableObjectNamespaces = [(className = "Thing", uniqueKey = "thing", enableSql = true)],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
