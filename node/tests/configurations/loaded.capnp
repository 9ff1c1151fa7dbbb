using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "loaded", worker = (
      modules = [(name = "loaded.js", esModule = embed "loaded.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental"],
      bindings = [(name = "LOADER", workerLoader = ())],
    )),
  ],
);
