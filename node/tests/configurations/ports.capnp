using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "ports", worker = (
      modules = [(name = "ports.js", esModule = embed "ports.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat"],
    )),
  ],
);
