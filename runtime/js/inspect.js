// What console.log shows of the API's own objects. Loaded with the console, so
// that a worker which logs nothing pays nothing.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypePush,
  ObjectDefineProperty,
  ObjectHasOwn,
  ObjectPrototypeIsPrototypeOf,
  SymbolFor,
} = primordials;
const { createFilteredInspectProxy } = core.loadExtScript(
  "ext:deno_web/01_console.js",
);
const { headerList, Headers } = core.loadExtScript("ext:outboard/headers.js");
const { Request } = core.loadExtScript("ext:outboard/request.js");
const { Response } = core.loadExtScript("ext:outboard/response.js");

function show(prototype, describe) {
  ObjectDefineProperty(prototype, SymbolFor("Deno.privateCustomInspect"), {
    __proto__: null,
    value(inspect, options) {
      // The prototype itself has nothing to show.
      return ObjectPrototypeIsPrototypeOf(prototype, this)
        ? describe(this, inspect, options)
        : this.constructor.name;
    },
    configurable: true,
  });
}

/** Not `body`: looking at it would turn a text into a stream. */
function showKeys(prototype, keys) {
  show(prototype, (object, inspect, options) =>
    inspect(
      createFilteredInspectProxy({ object, evaluate: true, keys }),
      options,
    ));
}

showKeys(Request.prototype, ["method", "url", "headers", "redirect", "bodyUsed"]);
showKeys(Response.prototype, [
  "status",
  "statusText",
  "headers",
  "ok",
  "redirected",
  "url",
  "bodyUsed",
]);
show(Headers.prototype, (headers, inspect, options) => {
  const list = headerList(headers);
  const fields = {};
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i];
    const value = list[i + 1];
    if (!ObjectHasOwn(fields, name)) fields[name] = value;
    else if (typeof fields[name] === "string") {
      fields[name] = [fields[name], value];
    } else ArrayPrototypePush(fields[name], value);
  }
  return `Headers ${inspect(fields, options)}`;
});
})();
