using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "connect", worker = (
      modules = [(name = "connect.js", esModule = embed "connect.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "enable_ctx_exports", "experimental"],
      globalOutbound = "handlers",
      bindings = [
        (name = "ECHO", service = (name = "handlers", entrypoint = "Echo")),
        (name = "WHERE", service = (name = "handlers", entrypoint = "Where")),
        (name = "LEAVES", service = (name = "handlers", entrypoint = "Leaves")),
        (name = "NOTHING", service = (name = "handlers", entrypoint = "Nothing")),
        (name = "OBJECT", durableObjectNamespace = (className = "Object", serviceName = "handlers")),
      ],
    )),
    (name = "handlers", worker = (
      modules = [(name = "connect-handlers.js", esModule = embed "connect-handlers.js")],
      compatibilityDate = "2026-04-01",
      durableObjectNamespaces = [(className = "Object", uniqueKey = "object")],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
