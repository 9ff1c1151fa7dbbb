using Workerd = import "/workerd/workerd.capnp";

const flags :List(Text) = ["nodejs_compat", "experimental", "service_binding_extra_handlers"];

const config :Workerd.Config = (
  services = [
    (name = "traced", worker = (
      modules = [(name = "tails.js", esModule = embed "tails.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = .flags,
      tails = ["after"],
      streamingTails = ["during", "failing"],
      durableObjectNamespaces = [(className = "Counter", uniqueKey = "tails-counter")],
      durableObjectStorage = (inMemory = void),
      bindings = [
        (name = "SELF", service = "traced"),
        (name = "CALLS", service = (name = "traced", entrypoint = "Calls")),
        (name = "COUNTER", durableObjectNamespace = "Counter"),
      ],
    )),
    (name = "after", worker = (
      modules = [(name = "tails-after.js", esModule = embed "tails-after.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = .flags,
      tails = ["after"],
      bindings = [(name = "TRACED", service = "traced")],
    )),
    (name = "during", worker = (
      modules = [(name = "tails-during.js", esModule = embed "tails-during.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = .flags,
    )),
    (name = "failing", worker = (
      modules = [(name = "tails-failing.js", esModule = embed "tails-failing.js")],
      compatibilityDate = "2026-04-01",
    )),
  ],
  extensions = [(
    modules = [
      (name = "shared:names", esModule = embed "tails-names.js"),
      (name = "shared:inner", internal = true, esModule = "export const inner = 'inner';"),
    ],
  )],
);
