using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "contexts", worker = (
      modules = [(name = "contexts.js", esModule = embed "contexts.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "nonclass_entrypoint_reuses_ctx_across_invocations"],
      bindings = [
        (name = "SELF", service = (name = "contexts", props = (json = "{\"a\": 1}"))),
        (name = "CLASS", service = (name = "contexts", entrypoint = "Class", props = (json = "{\"a\": 1}"))),
      ],
    )),
  ],
);
