# Modules in TypeScript, whose types are taken out; and how the new registry names modules.
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [
        (name = "main.ts", esModule = embed "typescript.ts"),
        (name = "kinds.ts", esModule = "export type Kind = 'a' | 'b'; export const kind: Kind = 'b';"),
      ],
      compatibilityDate = "2026-04-01",
      compatibilityFlags = ["typescript_strip_types", "experimental", "new_module_registry", "nodejs_compat"],
    )),
  ],
);
