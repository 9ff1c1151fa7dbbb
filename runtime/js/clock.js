// The clock that a worker sees: the time at which the turn began, in whole
// milliseconds since 1970, and 0 while the worker starts. It stands still while
// script runs, so that a script cannot time what it shares the machine with,
// and a module's top level runs alike wherever it is loaded.
(function () {
const { core, primordials } = __bootstrap;
const { op_clock } = core.ops;
const {
  Date: RealDate,
  DatePrototypeToString,
  FunctionPrototypeBind,
  ObjectDefineProperty,
  ReflectConstruct,
} = primordials;

function now() {
  return op_clock();
}

/** What `Date` does; V8's own reads a clock that every isolate shares. */
function construct() {
  const target = new.target;
  if (target === undefined) return DatePrototypeToString(new RealDate(op_clock()));
  if (arguments.length !== 0) return ReflectConstruct(RealDate, arguments, target);
  if (target === construct) return new RealDate(op_clock());
  return ReflectConstruct(RealDate, [op_clock()], target);
}
// For `instanceof`, and what `ReflectConstruct` makes.
construct.prototype = RealDate.prototype;

// Bound, it shows itself as native and has no caller or arguments.
const Date = FunctionPrototypeBind(construct, undefined);

function define(target, name, value, writable, configurable) {
  ObjectDefineProperty(target, name, {
    __proto__: null,
    value,
    writable,
    enumerable: false,
    configurable,
  });
}
define(Date, "length", 7, false, true);
define(Date, "name", "Date", false, true);
define(Date, "prototype", RealDate.prototype, false, false);
define(Date, "now", { now: () => op_clock() }.now, true, true);
define(Date, "parse", RealDate.parse, true, true);
define(Date, "UTC", RealDate.UTC, true, true);
define(RealDate.prototype, "constructor", Date, true, true);

return { Date, now };
})();
