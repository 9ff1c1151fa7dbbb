using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "stubs", worker = (
      modules = [(name = "stubs.js", esModule = embed "stubs.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental", "allow_irrevocable_stub_storage"],
      bindings = [
        (name = "BOX", durableObjectNamespace = "Box"),
      ],
      durableObjectNamespaces = [(className = "Box", uniqueKey = "box", enableSql = true)],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
