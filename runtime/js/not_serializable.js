// What structuredClone must refuse, noted until it loads: marking needs the
// message port script, which few workers use.
(function () {
const { primordials } = __bootstrap;
const { ArrayPrototypePush } = primordials;

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

return { markNotSerializable, setMark };
})();
