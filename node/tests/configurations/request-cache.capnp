using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "with", worker = (
      modules = [(name = "request-cache.js", esModule = embed "request-cache.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat"],
      bindings = [(name = "KNOWN", json = "true")],
    )),
    (name = "without", worker = (
      modules = [(name = "request-cache.js", esModule = embed "request-cache.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "cache_option_disabled", "cache_no_cache_disabled"],
      bindings = [(name = "KNOWN", json = "false")],
    )),
  ],
);
