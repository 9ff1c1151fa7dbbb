using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "hibernation", worker = (
      modules = [(name = "hibernation.js", esModule = embed "hibernation.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental", "unsafe_module"],
      bindings = [
        (name = "ROOM", durableObjectNamespace = "Room"),
        (name = "DEAF", durableObjectNamespace = "Deaf"),
      ],
      durableObjectNamespaces = [
        (className = "Room", uniqueKey = "room", enableSql = true),
        (className = "Deaf", uniqueKey = "deaf", enableSql = true),
        (className = "Inner", uniqueKey = "inner", enableSql = true),
      ],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
