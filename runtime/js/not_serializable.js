// Classes of whose objects there is no clone. Marking some needs the message port script,
// which few workers use: those are noted until it loads.
(function () {
const { core, primordials } = __bootstrap;
const { hostObjectBrand } = core;
const {
  ArrayPrototypePush,
  ObjectDefineProperty,
  SafeWeakMap,
  WeakMapPrototypeGet,
  WeakMapPrototypeSet,
} = primordials;

/** @type {object[] | null} null once marks are set at once */
let waiting = [];
let mark = null;

function markNotSerializable(target) {
  if (mark !== null) mark(target);
  else ArrayPrototypePush(waiting, target);
}

/** Called with the real function when it is there. */
function setMark(fn) {
  mark = fn;
  for (let i = 0; i < waiting.length; i++) fn(waiting[i]);
  waiting = null;
}

/** What is said of the objects of a class, by how V8 is asked to clone one. */
const messages = new SafeWeakMap();

/** Lets clones of a class's objects fail, in these words. */
function markUncloneable({ prototype, name }, message = unsupported(name)) {
  const refuse = () => {
    throw cloneError(typeof message === "function" ? message() : message);
  };
  WeakMapPrototypeSet(messages, refuse, message);
  setBrand(prototype, refuse);
}

/** `describe` is asked, as a method, for what V8 is to clone in an object's place. */
function setBrand(prototype, describe) {
  ObjectDefineProperty(prototype, hostObjectBrand, {
    __proto__: null,
    value: describe,
    configurable: true,
  });
}

/** Throws where `object` is of a class that was marked. */
function refuseClone(object) {
  const refuse = object[hostObjectBrand];
  if (typeof refuse === "function" && WeakMapPrototypeGet(messages, refuse) !== undefined) {
    refuse();
  }
}

function unsupported(name) {
  return `Could not serialize object of type "${name}". This type does not support ` +
    "serialization.";
}

function cloneError(message) {
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  return new DOMException(message, "DataCloneError");
}

return {
  cloneError,
  markNotSerializable,
  markUncloneable,
  refuseClone,
  setBrand,
  setMark,
};
})();
