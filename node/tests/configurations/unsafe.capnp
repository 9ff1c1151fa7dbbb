using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "unsafe", worker = (
      modules = [(name = "unsafe.js", esModule = embed "unsafe.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "unsafe_module", "env_module_nullable_support"],
      bindings = [(name = "BOX", durableObjectNamespace = "Box")],
      durableObjectNamespaces = [(className = "Box", uniqueKey = "box", enableSql = true)],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
