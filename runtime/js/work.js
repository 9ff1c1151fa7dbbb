// Whose work a script's time is: an event pays for what it uses, and nothing more is done for
// one that was stopped.
//
// V8 carries the event across awaits, but not to what the host brings. So each promise of an
// op is noted with the event that waits for it, and what several ops bring at once is had
// one after another, with all that each leads to.
(function () {
const { core, primordials } = __bootstrap;
const {
  Int32Array,
  MapPrototypeDelete,
  MapPrototypeGet,
  MapPrototypeSet,
  ReflectApply,
  SafeMap,
  SymbolFor,
} = primordials;
const { getAsyncContext, runNextTicks } = core;

const PROMISE = SymbolFor("Deno.core.internalPromiseId");

/** Events by the promises that they wait for. @type {SafeMap<number, EventContext>} */
const waiting = new SafeMap();

/** An op whose promises are noted. */
function noted(op) {
  return function (...args) {
    const promise = ReflectApply(op, this, args);
    // One that was done at once has no number.
    const number = promise[PROMISE];
    if (number !== undefined) {
      const event = getAsyncContext()?.event;
      if (event !== undefined) MapPrototypeSet(waiting, number, event);
    }
    return promise;
  };
}

/** Has the promises of these members of `object` noted. */
function note(object, names) {
  for (let i = 0; i < names.length; i++) object[names[i]] = noted(object[names[i]]);
}

/** Work that no event is known for. */
const UNKNOWN = -1;

/** The number of the event that the turn's work is for; 0 until something has said which
 * it is. The host has it too. */
const current = new Int32Array(1);

/** Once in each isolate. */
function share() {
  core.ops.op_work_share(current);
}

/** What comes is the work of `event`; of nobody that is known where there is none. */
function workFor(event) {
  const id = event === undefined ? UNKNOWN : event.id;
  if (current[0] === id) return;
  if (current[0] === 0) current[0] = id;
  // Not kept: an isolate may get a faster one after it has started.
  else core.ops.op_work_for(id);
}

/** The engine's own, that settles the promises of ops. */
let settle;

/** What the engine calls with `promise, isOk, result` of each op that is done. */
function eventLoopTick() {
  const { length } = arguments;
  for (let i = 0; i < length; i += 3) {
    const number = arguments[i];
    const event = MapPrototypeGet(waiting, number);
    if (event !== undefined) {
      MapPrototypeDelete(waiting, number);
      if (event.stopped) continue;
    }
    workFor(event);
    settle(number, arguments[i + 1], arguments[i + 2]);
    if (i + 3 < length) runNextTicks();
  }
}

/**
 * Gives what the engine is to have in place of its own core, which is frozen.
 * @param {string[]} asyncOps the names of all ops that give promises
 */
function watch(engine, asyncOps) {
  note(core.ops, asyncOps);
  note(core, ["read", "readAll", "shutdown", "write", "writeAll"]);
  settle = engine.__eventLoopTick;
  const { setUpAsyncStub } = engine;
  return {
    __proto__: engine,
    __eventLoopTick: eventLoopTick,
    // For ops that it makes anew when an isolate has started.
    setUpAsyncStub: (...args) => noted(ReflectApply(setUpAsyncStub, undefined, args)),
  };
}

return { share, watch, workFor };
})();
