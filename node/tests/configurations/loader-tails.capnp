using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "loader-tails", worker = (
      modules = [(name = "loader-tails.js", esModule = embed "loader-tails.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental"],
      bindings = [(name = "LOADER", workerLoader = ())],
      durableObjectNamespaces = [(className = "Meeting", uniqueKey = "meeting")],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
