using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "objects", worker = (
      modules = [(name = "objects.js", esModule = embed "objects.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "js_rpc"],
      bindings = [
        (name = "BOUND", durableObjectNamespace = "Bound"),
        (name = "PLAIN", durableObjectNamespace = "Plain"),
      ],
      durableObjectNamespaces = [
        (className = "Bound", uniqueKey = "bound"),
        (className = "Unbound", uniqueKey = "unbound"),
        (className = "Plain", uniqueKey = "plain"),
      ],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
