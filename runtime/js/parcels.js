// Values that one worker gives another for good, such as `env`: what V8 clones, and
// services and objects, which the host keeps for whoever holds the parcel. What lives
// for a call alone is not for one.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_parcel_env,
  op_parcel_grant,
  op_parcel_keep,
  op_parcel_kept,
  op_parcel_open,
  op_parcel_pack,
} = core.ops;
const {
  ArrayPrototypePush,
  ObjectPrototypeIsPrototypeOf,
  TypeError,
} = primordials;
const { BindingHook } = core.loadExtScript("ext:outboard/rpc_hooks.js");
const { hookOf, isStub, RpcTarget } = core.loadExtScript("ext:outboard/rpc.js");
const { restoredOf } = core.loadExtScript("ext:outboard/restored.js");
const values = core.loadExtScript("ext:outboard/rpc_values.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");

function refused(message) {
  return new DOMException(message, "DataCloneError");
}

/** In the place of a session: what is passed by reference has to be the host's. */
class Packing {
  /** For an object to keep, which not everything may be. */
  #isKept;
  /** Whether all of it may. */
  mayBeKept = true;

  constructor(isKept) {
    this.#isKept = isKept;
  }

  /** The host's numbers and names, by turns. */
  found = [];

  export(entry) {
    const isService = entry.hook !== undefined;
    entry.hook?.dispose();
    if (isService && this.#isKept) throw notKept();
    throw refused("Remote RPC references can only be serialized for RPC.");
  }

  exportKept(service, target, mayBeKept = true) {
    if (!mayBeKept) {
      if (this.#isKept) throw notKept();
      this.mayBeKept = false;
    }
    ArrayPrototypePush(this.found, service, target);
    return this.found.length / 2 - 1;
  }
}

function notKept() {
  return refused(
    "This stub cannot be stored: it is none of ctx.exports, or the target worker does not " +
      "have the allow_irrevocable_stub_storage compatibility flag enabled.",
  );
}

/** Says of what V8 has no clone of what it is. */
function describe(packing, object) {
  const stream = streamName(object);
  if (stream !== undefined) throw refused(`${stream} can only be serialized for RPC.`);
  const of = values.describedOf(object);
  if (typeof of === "function") {
    if (isStub(of) && restoredOf(hookOf(of)) === undefined) {
      throw refused(
        "RpcStub cannot be serialized in this context because it is not a persistent stub.",
      );
    }
    const { uncalledName } = core.loadExtScript("ext:outboard/loopback.js");
    const uncalled = uncalledName(of);
    if (uncalled !== undefined) {
      throw refused(
        `Could not serialize object of type "${uncalled}". This type does not support ` +
          "serialization.",
      );
    }
    if (
      values.isPlainFunction(of) && !ObjectPrototypeIsPrototypeOf(RpcTarget.prototype, of)
    ) {
      throw refused(`${of} could not be cloned.`);
    }
  }
  return values.describe(packing, { exports: [], stubs: [] }, object);
}

function streamName(object) {
  const { ReadableStream, WritableStream } = core.loadExtScript(
    "ext:deno_web/06_streams.js",
  );
  if (ObjectPrototypeIsPrototypeOf(ReadableStream.prototype, object)) return "ReadableStream";
  if (ObjectPrototypeIsPrototypeOf(WritableStream.prototype, object)) return "WritableStream";
  const { AbortSignal } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
  return ObjectPrototypeIsPrototypeOf(AbortSignal.prototype, object) ? "AbortSignal" : undefined;
}

/** Packs a value; throws a DataCloneError where there is no clone of it. */
function pack(event, value) {
  return packAs(event, value, false).parcel;
}

/** The same, and whether an object may keep all that is in it. */
function packParams(event, value) {
  return packAs(event, value, false);
}

function packAs(event, value, isKept) {
  try {
    return packed(event, value, isKept);
  } catch (error) {
    // V8 knows no clone of a function, or of a proxy: some are services.
    const substitute = values.substitute(value);
    if (substitute === value) throw values.cloneError(error);
    try {
      return packed(event, substitute, isKept);
    } catch (error) {
      throw values.cloneError(error);
    }
  }
}

function packed(event, value, isKept) {
  const packing = new Packing(isKept);
  const parcel = op_parcel_pack(
    event.id,
    value,
    (object) => describe(packing, object),
    packing.found,
  );
  return { parcel, mayBeKept: packing.mayBeKept };
}

/** The value in a parcel, each time a new one. */
function open(parcel) {
  const session = {
    // As parcels were before what is in them said whether it may be kept.
    import(index) {
      const { 0: number, 1: handle } = op_parcel_grant(parcel, index);
      return new BindingHook(number, null, handle, null, true);
    },
    importKept(index) {
      return op_parcel_grant(parcel, index);
    },
  };
  return op_parcel_open(parcel, (description) => values.restore(session, [], description));
}

/** The `env` that whoever loaded the worker gave it. */
function loadedEnv() {
  const parcel = op_parcel_env();
  if (parcel === undefined) throw new TypeError("no env was given");
  return open(parcel);
}

/** A value with services, objects and classes in it, as an object keeps it. */
function keep(event, value) {
  return op_parcel_keep(packAs(event, value, true).parcel);
}

function openKept(bytes) {
  return open(op_parcel_kept(bytes));
}

return { keep, loadedEnv, open, openKept, pack, packParams };
})();
