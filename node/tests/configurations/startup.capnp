# What a worker may do while it starts, and some of what it finds then.
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [
        (name = "startup.js", esModule = embed "startup.js"),
        (name = "path", esModule = "export default 'of the bundle'"),
      ],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["allow_eval_during_startup", "throw_on_unrecognized_import_assertion", "nodejs_compat"],
    )),
  ],
);
