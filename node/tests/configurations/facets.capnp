using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "scratch", disk = (writable = true)),
    (name = "facets", worker = (
      modules = [(name = "facets.js", esModule = embed "facets.js")],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["nodejs_compat"],
      bindings = [
        (name = "BOX", durableObjectClass =
          (name = "facets", entrypoint = "Box", props = (json = "{\"from\": \"a binding\"}"))),
        (name = "NEIGHBOUR", durableObjectClass = (name = "neighbour", entrypoint = "Box")),
        (name = "ROOT", durableObjectNamespace = "Root"),
        (name = "LOADER", workerLoader = ()),
      ],
      durableObjectNamespaces = [(className = "Root", uniqueKey = "root", enableSql = true)],
      durableObjectStorage = (localDisk = "scratch"),
    )),
    (name = "neighbour", worker = (
      modules = [(name = "neighbour.js", esModule = embed "facets-neighbour.js")],
      compatibilityDate = "2026-04-01",
      bindings = [(name = "WHO", text = "the neighbour")],
    )),
  ],
);
