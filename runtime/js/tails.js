// How a tail worker is told of other workers' events: `tail()` after them, and
// `tailStream()` while they go on.
(function () {
const { core, primordials } = __bootstrap;
const { op_base64_decode, op_event_done, op_tail_next, op_tail_traces } = core.ops;
const {
  ArrayPrototypeMap,
  BigInt,
  Date,
  JSONParse,
  MapPrototypeGet,
  MapPrototypeSet,
  ObjectDefineProperty,
  ObjectKeys,
  PromisePrototypeThen,
  PromiseResolve,
  ReflectApply,
  SafeMap,
  StringPrototypeIncludes,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { EventContext, failEvent, runInEvent } = core.loadExtScript(
  "ext:outboard/event.js",
);

/** Only this script makes what handlers get. */
const kOwn = Symbol("a trace");

/** @type {SafeMap<string, Function>} */
const classes = new SafeMap();

function named(name) {
  const Class = {
    [name]: class {
      constructor(key) {
        if (key !== kOwn) throw new TypeError("Illegal constructor");
      }
    },
  }[name];
  ObjectDefineProperty(Class.prototype, SymbolToStringTag, {
    __proto__: null,
    value: name,
    configurable: true,
  });
  MapPrototypeSet(classes, name, Class);
  return Class;
}

/** An object of the class `name` that has `fields`. */
function make(name, fields) {
  const object = new (MapPrototypeGet(classes, name) ?? named(name))(kOwn);
  const keys = ObjectKeys(fields);
  for (let i = 0; i < keys.length; i++) {
    ObjectDefineProperty(object, keys[i], {
      __proto__: null,
      value: fields[keys[i]],
      enumerable: true,
    });
  }
  return object;
}

/** The traced value of an optional text. */
const optional = (value) => value ?? undefined;

function traceItem(trace) {
  return make("TraceItem", {
    event: eventInfo(trace),
    eventTimestamp: trace.eventTimestamp,
    logs: ArrayPrototypeMap(trace.logs, traceLog),
    exceptions: ArrayPrototypeMap(trace.exceptions, traceException),
    diagnosticsChannelEvents: ArrayPrototypeMap(trace.messages, channelEvent),
    scriptName: trace.scriptName,
    entrypoint: optional(trace.entrypoint),
    scriptVersion: undefined,
    dispatchNamespace: undefined,
    scriptTags: undefined,
    tailAttributes: undefined,
    preview: undefined,
    durableObjectId: optional(trace.durableObjectId),
    outcome: trace.outcome,
    executionModel: trace.executionModel,
    truncated: trace.truncated,
    cpuTime: trace.cpuTime,
    wallTime: trace.wallTime,
  });
}

function traceLog({ timestamp, level, message, errorInfo }) {
  return make("TraceLog", {
    timestamp,
    level,
    message: JSONParse(message),
    errorInfo: parsed(errorInfo),
  });
}

function traceException({ timestamp, message, name, stack }) {
  return make("TraceException", { timestamp, message, name, stack: optional(stack) });
}

function channelEvent({ timestamp, channel, message }) {
  return make("TraceDiagnosticChannelEvent", {
    timestamp,
    channel,
    message: message === "" ? undefined : deserialize(message),
  });
}

function parsed(text) {
  return text === undefined || text === null ? undefined : JSONParse(text);
}

function deserialize(base64) {
  return core.deserialize(op_base64_decode(base64));
}

function eventInfo(trace) {
  const { event } = trace;
  switch (event.type) {
    case "fetch":
      return make("FetchEventInfo", {
        response: trace.response === null
          ? undefined
          : make("Response", { status: trace.response }),
        request: request(event, trace.redactedUrl ?? event.url, /* redacted */ true),
      });
    case "jsrpc":
      return make("JsRpcEventInfo", { rpcMethod: trace.rpcMethod ?? "" });
    case "scheduled":
      return make("ScheduledEventInfo", {
        scheduledTime: event.scheduledTime,
        cron: event.cron,
      });
    case "alarm":
      return make("AlarmEventInfo", { scheduledTime: new Date(event.scheduledTime) });
    case "queue":
      return make("QueueEventInfo", {
        queue: event.queueName,
        batchSize: event.batchSize,
      });
    case "trace":
      return make("TailEventInfo", {
        consumedEvents: ArrayPrototypeMap(
          event.traces,
          (scriptName) => make("TailItem", { scriptName }),
        ),
      });
    case "hibernatableWebSocket": {
      const { type: webSocketEventType, ...rest } = event.info;
      const name = KINDS[webSocketEventType];
      return make("HibernatableWebSocketEventInfo", {
        getWebSocketEvent: make(name, { webSocketEventType, ...rest }),
      });
    }
    default:
      return make("CustomEventInfo", {});
  }
}

/** Classes of what a hibernating socket heard. */
const KINDS = { __proto__: null, message: "Message", close: "Close", error: "Error" };

/** Parts of names of headers whose values are not shown. */
const SECRET = ["auth", "jwt", "key", "secret", "token"];

function isSecret(name) {
  if (name === "cookie" || name === "set-cookie") return true;
  for (let i = 0; i < SECRET.length; i++) {
    if (StringPrototypeIncludes(name, SECRET[i])) return true;
  }
  return false;
}

function request(event, url, redacted) {
  const headers = {};
  for (let i = 0; i < event.headers.length; i++) {
    const { name, value } = event.headers[i];
    ObjectDefineProperty(headers, name, {
      __proto__: null,
      value: redacted && isSecret(name) ? "REDACTED" : value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  const made = make("Request", {
    cf: parsed(event.cfJson),
    headers,
    method: event.method,
    url,
  });
  ObjectDefineProperty(made, "getUnredacted", {
    __proto__: null,
    value: () => request(event, event.url, /* redacted */ false),
  });
  return made;
}

/** What `tailStream` and its handlers get. */
function tailEvent(text) {
  const told = JSONParse(text);
  told.timestamp = new Date(told.timestamp);
  const { event } = told;
  switch (event.type) {
    case "onset":
      if (event.info.scheduledTime !== undefined) {
        event.info.scheduledTime = new Date(event.info.scheduledTime);
      }
      if (event.info.cfJson !== undefined) event.info.cfJson = JSONParse(event.info.cfJson);
      break;
    case "log":
      if (!event.truncated) event.message = JSONParse(event.message);
      if (event.errorInfo !== undefined) event.errorInfo = JSONParse(event.errorInfo);
      break;
    case "attributes":
      event.info = ArrayPrototypeMap(
        JSONParse(event.info),
        ({ name, value, integer }) => ({
          name,
          value: integer === undefined ? value : BigInt(integer),
        }),
      );
      break;
    case "spanUpdate":
      event.info = JSONParse(event.info);
      break;
    case "diagnosticChannel":
      event.message = deserialize(event.message);
      break;
  }
  return told;
}

/** Follows one event until it has ended. */
async function follow(event, call, within) {
  let handler;
  let begun = false;
  for (;;) {
    const texts = await op_tail_next(event.id);
    if (texts === null) return;
    for (let i = 0; i < texts.length; i++) {
      const told = tailEvent(texts[i]);
      if (begun) {
        within(() => tell(event, handler, told));
        continue;
      }
      begun = true;
      handler = await call(event, "tailStream", told);
      // It does not want to know more.
      if (handler === undefined || handler === null) return;
      if (typeof handler !== "function" && typeof handler !== "object") {
        throw new TypeError(
          "The tailStream handler must return either a function or an object.",
        );
      }
    }
  }
}

function tell(event, handler, told) {
  const { type } = told.event;
  const name = type === "streamDiagnostic" ? "streamDiagEvent" : type;
  const method = typeof handler === "function" ? handler : handler[name];
  if (typeof method !== "function") return;
  const result = ReflectApply(method, handler, [told]);
  if (typeof result?.then === "function") event.waitUntil(result);
}

/**
 * Runs the handler of what event `id` brought.
 * @param {SafeMap<number, EventContext>} table of open events
 * @param {(event, name, argument) => unknown} call runs the handler
 * @param {(fn: () => void) => void} within runs what the handler gave, as a part of what
 *   it is a part of
 */
function tail(id, table, call, within = (fn) => fn()) {
  const event = new EventContext(id, table);
  MapPrototypeSet(table, id, event);
  runInEvent(event, () => {
    let result;
    try {
      const traces = op_tail_traces(id);
      result = traces === null ? follow(event, call, within) : call(
        event,
        "tail",
        ArrayPrototypeMap(traces, (text) => traceItem(JSONParse(text))),
      );
    } catch (error) {
      failEvent(event, error);
      return;
    }
    PromisePrototypeThen(PromiseResolve(result), () => {
      op_event_done(id);
      event.releaseHandler();
    }, (error) => failEvent(event, error));
  });
}

return { tail };
})();
