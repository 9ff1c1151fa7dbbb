using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "objects", worker = (
      modules = [(name = "deliveries-objects.js", esModule = embed "deliveries-objects.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = [
        "nodejs_compat",
        "queue_consumer_no_wait_for_wait_until",
        "service_binding_extra_handlers",
      ],
      bindings = [
        (name = "BOX", durableObjectNamespace = "Box"),
        (name = "MUTE", durableObjectNamespace = "Mute"),
      ],
      durableObjectNamespaces = [
        (className = "Box", uniqueKey = "box"),
        (className = "Mute", uniqueKey = "mute"),
      ],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
