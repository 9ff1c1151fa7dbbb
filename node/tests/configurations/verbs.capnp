using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "verbs", worker = (
      modules = [(name = "verbs.js", esModule = embed "verbs.js")],
      compatibilityDate = "2024-03-01",
      compatibilityFlags = ["nodejs_compat"],
      bindings = [
        (name = "STORE", service = (name = "verbs", entrypoint = "store")),
        (name = "OBJECT", durableObjectNamespace = "Object"),
      ],
      durableObjectNamespaces = [(className = "Object", uniqueKey = "object")],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
