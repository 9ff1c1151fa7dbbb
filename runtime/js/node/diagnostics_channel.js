// node:diagnostics_channel
(function () {
const { core, primordials } = __bootstrap;
const {
  FunctionPrototypeCall,
  ObjectAssign,
  ObjectDefineProperty,
  ObjectGetOwnPropertyDescriptor,
  ObjectGetPrototypeOf,
} = primordials;
const library = core.loadExtScript("ext:deno_node/diagnostics_channel.js").default;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const exports = ObjectAssign({}, library);

/** Before its flag, `hasSubscribers` was a method of each kind of channel. */
function makeMethod(prototype, hasSubscribers) {
  ObjectDefineProperty(prototype, "hasSubscribers", {
    __proto__: null,
    value: hasSubscribers,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}

function makeMethods() {
  const channel = library.channel("outboard");
  const listener = () => {};
  const idle = ObjectGetPrototypeOf(channel);
  channel.subscribe(listener);
  const busy = ObjectGetPrototypeOf(channel);
  channel.unsubscribe(listener);
  for (const prototype of new primordials.SafeArrayIterator([idle, busy])) {
    const { get } = ObjectGetOwnPropertyDescriptor(prototype, "hasSubscribers");
    makeMethod(prototype, function hasSubscribers() {
      return FunctionPrototypeCall(get, this);
    });
  }
  const tracing = ObjectGetPrototypeOf(library.tracingChannel("outboard"));
  makeMethod(tracing, function hasSubscribers() {
    const { asyncEnd, asyncStart, end, error, start } = this;
    return start.hasSubscribers() || end.hasSubscribers() ||
      asyncStart.hasSubscribers() || asyncEnd.hasSubscribers() ||
      error.hasSubscribers();
  });
  exports.hasSubscribers = (name) => library.channel(name).hasSubscribers();
}

if (!has(flag.diagnostics_channel_has_subscribers_getter)) makeMethods();
return { exports };
})();
