// `workerd:unsafe`: what tests of a workerd configuration may do to objects. Only they
// find it, by the flag `unsafe_module`.
(function () {
const { core, primordials } = __bootstrap;
const { op_unsafe_end_objects, op_unsafe_evict } = core.ops;
const { Error, TypeError } = primordials;
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { targetOf } = core.loadExtScript("ext:outboard/objects.js");

const EVICT = false;
const ABORT = true;

/** Whether sockets that could hibernate end. */
function closesSockets(options) {
  const sockets = options?.webSockets;
  if (sockets === undefined || sockets === "hibernate") return false;
  if (sockets === "close") return true;
  throw new TypeError('options.webSockets must be "hibernate" or "close".');
}

const unsafe = {
  /** Ends all objects in memory, whatever they do. */
  async abortAllDurableObjects() {
    await op_unsafe_end_objects(ABORT, /* close */ false);
  },

  /** Ends an object as if it had been idle, once it is. */
  async evict(stub, options = undefined) {
    const target = targetOf(stub);
    if (target === undefined) {
      throw new Error("evict() can only be used on a Durable Object stub.");
    }
    const close = closesSockets(options);
    const { id } = requireEvent();
    if (!await op_unsafe_evict(id, target.namespace, target.object, close)) {
      throw new Error("Cannot evict Durable Object: it is not currently running.");
    }
  },

  /** The same of all objects in memory. */
  async evictAllDurableObjects(options = undefined) {
    await op_unsafe_end_objects(EVICT, closesSockets(options));
  },

  isTestAutogateEnabled() {
    return false;
  },
};

return { default: unsafe };
})();
