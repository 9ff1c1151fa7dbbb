using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "names", worker = (
      modules = [(name = "names.js", esModule = embed "names.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental"],
      bindings = [
        (name = "SELF", service = (name = "names", entrypoint = "Named")),
        (name = "BOXES", durableObjectNamespace = "Box"),
      ],
      durableObjectNamespaces = [(className = "Box", uniqueKey = "box", enableSql = true)],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
