using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "exit", worker = (
      modules = [(name = "exit.js", esModule = embed "exit.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat"],
      bindings = [
        (name = "SELF", service = "exit"),
        (name = "BOX", durableObjectNamespace = "Box"),
      ],
      durableObjectNamespaces = [(className = "Box", uniqueKey = "box")],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
