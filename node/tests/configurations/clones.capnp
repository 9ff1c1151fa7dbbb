using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "clones", worker = (
      modules = [(name = "clones.js", esModule = embed "clones.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "enable_ctx_exports", "experimental", "service_binding_extra_handlers", "rpc_params_dup_stubs"],
      bindings = [
        (name = "KV", kvNamespace = "clones"),
        (name = "R2", r2Bucket = "clones"),
        (name = "QUEUE", queue = "clones"),
        (name = "LOADER", workerLoader = ()),
        (name = "SELF", service = "clones"),
        (name = "OBJECT", durableObjectNamespace = "Object"),
      ],
      durableObjectNamespaces = [(className = "Object", uniqueKey = "object")],
      durableObjectStorage = (inMemory = void),
    )),
  ],
);
