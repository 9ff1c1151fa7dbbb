using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "objects", worker = (
      modules = [(name = "objects.js", esModule = embed "objects.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "js_rpc", "enable_request_signal"],
      bindings = [
        (name = "BOUND", durableObjectNamespace = "Bound"),
        (name = "PLAIN", durableObjectNamespace = "Plain"),
        (name = "GATED", durableObjectNamespace = "Gated"),
        (name = "BREAKABLE", durableObjectNamespace = "Breakable"),
      ],
      durableObjectNamespaces = [
        (className = "Bound", uniqueKey = "bound"),
        (className = "Unbound", uniqueKey = "unbound"),
        (className = "Plain", uniqueKey = "plain"),
        (className = "Gated", uniqueKey = "gated", enableSql = true),
        (className = "Breakable", uniqueKey = "breakable"),
      ],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
