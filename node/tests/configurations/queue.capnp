using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "queue", worker = (
      modules = [(name = "queue.js", esModule = embed "queue.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat"],
      bindings = [(name = "QUEUE", queue = "queue"), (name = "JSON", json = "true")],
    )),
    (name = "old", worker = (
      modules = [(name = "queue.js", esModule = embed "queue.js")],
      compatibilityDate = "2024-01-01",
      compatibilityFlags = ["nodejs_compat"],
      bindings = [(name = "QUEUE", queue = "old"), (name = "JSON", json = "false")],
    )),
  ],
);
