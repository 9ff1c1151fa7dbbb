// Names of workers for what takes only names, such as clients of databases:
// `ctx.mapVirtualHost` makes one up, and `connect()` knows where it leads.
(function () {
const { core, primordials } = __bootstrap;
const { op_connect_virtual_host } = core.ops;
const {
  Error,
  MapPrototypeGet,
  MapPrototypeSet,
  SafeMap,
  SafeWeakMap,
  TypeError,
  WeakMapPrototypeGet,
  WeakMapPrototypeSet,
} = primordials;
const { CAME_IN_A_CALL } = core.loadExtScript("ext:outboard/fetcher.js");
const { addressOf, serviceHook } = core.loadExtScript("ext:outboard/rpc_hooks.js");

/** How many there may be: each is kept, since a script may have only its name. */
const MOST = 1024;

/** Where they lead; null of a Fetcher that came in a call.
 * @type {SafeMap<string, { service: number, object: string | null } | null>} */
const hosts = new SafeMap();
/** The name of a Fetcher that has one. */
const names = new SafeWeakMap();

/** The name and port of a Fetcher: those that it has already, or new ones. */
function nameOf(fetcher, port) {
  const hook = serviceHook(fetcher);
  if (hook === undefined) {
    throw new TypeError(
      "Failed to execute 'mapVirtualHost' on 'ExecutionContext': parameter 1 is not of " +
        "type 'Fetcher'.",
    );
  }
  const known = WeakMapPrototypeGet(names, fetcher);
  if (known !== undefined) return known;
  if (hosts.size >= MOST) throw new Error(`A worker has at most ${MOST} virtual hosts.`);
  const name = `${op_connect_virtual_host()}:${port}`;
  WeakMapPrototypeSet(names, fetcher, name);
  MapPrototypeSet(hosts, name, addressOf(hook) ?? null);
  return name;
}

/** Where a name with a port leads; undefined where it is none of these. */
function find(authority) {
  const at = MapPrototypeGet(hosts, authority);
  if (at === null) throw new TypeError(CAME_IN_A_CALL);
  return at;
}

return { find, nameOf };
})();
