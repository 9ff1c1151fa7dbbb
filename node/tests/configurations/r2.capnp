# What an R2 bucket asks of the service that keeps it, and what a worker sees of the
# answers.
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "r2.js", esModule = embed "r2.js")],
      bindings = [(name = "BUCKET", r2Bucket = "main")],
      compatibilityDate = "2026-04-01",
    )),
    (name = "before", worker = (
      modules = [(name = "r2.js", esModule = embed "r2.js")],
      bindings = [(name = "BUCKET", r2Bucket = "before")],
      compatibilityDate = "2022-08-03",
      compatibilityFlags = ["export_commonjs_default", "streams_enable_constructors"],
    )),
  ],
);
