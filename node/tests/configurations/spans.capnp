using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "spans", worker = (
      modules = [(name = "spans.js", esModule = embed "spans.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental"],
      streamingTails = ["spans-during"],
      bindings = [(name = "SELF", service = "spans")],
    )),
    (name = "spans-during", worker = (
      modules = [(name = "spans-during.js", esModule = embed "spans-during.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat", "experimental"],
    )),
  ],
);
