# Batches of messages and scheduled runs that one worker hands another.
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "deliveries.js", esModule = embed "deliveries.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["service_binding_extra_handlers"],
      bindings = [
        (name = "SELF", service = "main"),
        (name = "NAMED", service = (name = "main", entrypoint = "named")),
        (name = "NONE", service = (name = "main", entrypoint = "none")),
        (name = "CLASSIC", service = "classic"),
      ],
    )),
    (name = "classic", worker = (
      serviceWorkerScript = embed "deliveries-classic.js",
      compatibilityDate = "2026-04-01",
    )),
  ],
);
