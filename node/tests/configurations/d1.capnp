using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "d1", worker = (
      modules = [(name = "d1.js", esModule = embed "d1.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental", "d1_binding_jsrpc"],
      streamingTails = ["during"],
      bindings = [(
        name = "DB",
        wrapped = (
          moduleName = "cloudflare-internal:d1-api",
          innerBindings = [(name = "fetcher", service = "database")],
        ),
      )],
    )),
    (name = "database", worker = (
      modules = [(name = "d1-database.js", esModule = embed "d1-database.js")],
      compatibilityDate = "2026-04-01",
    )),
    (name = "during", worker = (
      modules = [(name = "d1-during.js", esModule = embed "d1-during.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental"],
    )),
  ],
);
