// Errors that nobody caught, on their way to the log. A worker that listens for
// them (js/global_scope.js) hears of them first and may keep them out of it.
(function () {
const { core } = __bootstrap;
const { op_unhandled } = core.ops;
const { currentEvent } = core.loadExtScript("ext:outboard/event.js");

/** Set by the global scope once it can have listeners. */
const listeners = { __proto__: null, error: null, rejection: null };

function unhandled(error) {
  op_unhandled(currentEvent()?.id ?? 0, error);
}

/** While listeners hear of an error: what they throw is only for the log. */
let reporting = false;

/** https://html.spec.whatwg.org/#report-the-exception */
function reportException(error) {
  if (listeners.error === null || reporting) {
    unhandled(error);
    return;
  }
  reporting = true;
  let unheard;
  try {
    unheard = listeners.error(error);
  } finally {
    reporting = false;
  }
  if (unheard) unhandled(error);
}

function reportRejection(promise, reason) {
  // A stream that nobody reads any more fails its writer, who has no use for
  // being told: the client left.
  if (currentEvent()?.abandoned) return true;
  if (listeners.rejection === null || listeners.rejection(promise, reason)) {
    unhandled(reason);
  }
  return true;
}

return { listeners, reportException, reportRejection };
})();
