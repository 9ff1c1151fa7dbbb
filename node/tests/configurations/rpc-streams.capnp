using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "streams", worker = (
      modules = [(name = "rpc-streams.js", esModule = embed "rpc-streams.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat"],
      bindings = [(name = "OTHER", service = (name = "streams", entrypoint = "Other"))],
    )),
  ],
);
