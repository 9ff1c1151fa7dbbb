// A session of calls: what was asked and answered, and what each side holds of the
// other's. A message is an array, a number first:
//
//   [CALL, question, target, path, args]  args undefined: look at the property.
//       target: 0 what the session is with; n an export of the receiver's; -n the
//       result of the sender's question n, which need not be there yet
//   [RETURN, question, value, disposer]   disposer: an export, 0 where there is none
//   [THROW, question, error]
//   [FINISH, question]                    its result is not called any more
//   [RELEASE, export]
//
// Messages arrive in order, and calls of one target are made in that order.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_rpc_close,
  op_rpc_close_sent,
  op_rpc_grant,
  op_rpc_idle,
  op_rpc_is_within,
  op_rpc_receive,
  op_rpc_send,
  op_rpc_take,
  op_trace_call,
  op_trace_return,
  op_traced,
} = core.ops;
const {
  ArrayPrototypeConcat,
  ArrayPrototypeJoin,
  ArrayPrototypePush,
  Error,
  MapPrototypeDelete,
  MapPrototypeForEach,
  MapPrototypeGet,
  MapPrototypeSet,
  ObjectGetPrototypeOf,
  ObjectPrototype,
  PromisePrototypeThen,
  PromiseReject,
  PromiseResolve,
  SafeMap,
  SymbolDispose,
  TypeError,
} = primordials;
const { getAsyncContext, refOpPromise, setAsyncContext, unrefOpPromise } = core;
const { failed, Import, ImportHook, makeDisposable, Question } = core.loadExtScript(
  "ext:outboard/rpc_hooks.js",
);
const values = core.loadExtScript("ext:outboard/rpc_values.js");
const serve = core.loadExtScript("ext:outboard/rpc_serve.js");
const { has, flag } = core.loadExtScript("ext:outboard/compatibility.js");

const CALL = 0;
const RETURN = 1;
const THROW = 2;
const FINISH = 3;
const RELEASE = 4;

/** Whether tail workers are told of what is called. */
const traced = op_traced() !== 0;

const GONE = "The execution context which hosts this callback is no longer running.";

class Session {
  #rid;
  /** What the other side may call by 0; of a session that was begun here undefined. */
  #root;
  /** Called when the session has ended. */
  #ended;
  /** It carries calls: what it carries may be for them alone. */
  isCall = true;
  /** Called when it ended with an error. */
  onFault = undefined;
  /** What the script of this side runs in, when it is called back. */
  #context = getAsyncContext();
  /** Whether it is an object's, and so what its input gate is for. */
  #oneAtATime;
  /** Whether the other side is another event of this isolate. */
  #isWithin;
  /** Of a side that is called: whether it is there for what the other holds alone. */
  #isIdle = false;
  #closed = false;
  /** Why it ended. */
  #fault = null;
  #last = 0;
  /** @type {SafeMap<number, Question>} */
  #questions = new SafeMap();
  /** Results that may still be called, and stubs of this side's that they hold.
   * @type {SafeMap<number, { promise, stubs: object[], asked: number, finished: boolean }>} */
  #answers = new SafeMap();
  /** @type {SafeMap<number, { value?: unknown, hook?: object, close?: Function }>} */
  #exports = new SafeMap();
  /** How many of the other side's things are held here. */
  #imports = 0;
  /** Streams of this side that the other reads or writes. */
  #streams = 0;
  /** Calls of the other side that run here. */
  #running = 0;
  /** Answers whose stubs are kept until they are not called any more. */
  #lent = 0;
  #receiving = null;
  /** What in the message that is being sent outlives the session. */
  #found = [];
  /** What the message that is being read brought: hooks to be disposed after. */
  #brought = [];
  #restore = (description) => values.restore(this, this.#brought, description);

  /**
   * @param {object | null} [root] undefined where it was begun here
   * @param {() => void} [ended]
   */
  constructor(rid, event, root = undefined, ended = undefined) {
    this.#rid = rid;
    this.event = event;
    this.#oneAtATime = event.blocked !== undefined;
    this.#root = root;
    this.#isWithin = op_rpc_is_within(rid);
    this.#ended = ended;
  }

  /**
   * Asks the other side; the answer is the question's.
   * @param {Question | null} of the question whose result is asked
   */
  ask(target, path, args, of = null) {
    if (this.#closed) return failed(this.#gone());
    const number = ++this.#last;
    const question = new Question(this, number);
    if (of !== null) question.follows(of, path, args);
    const transfer = args !== undefined && !has(flag.rpc_params_dup_stubs);
    try {
      const stubs = this.#send([CALL, number, target, path, args], args);
      if (transfer) disposeAll(stubs);
    } catch (error) {
      // Nothing was asked: a session that was begun for this has no more to do.
      this.#closeIfDone();
      return failed(error);
    }
    MapPrototypeSet(this.#questions, number, question);
    this.listen();
    this.#mark();
    return question;
  }

  #gone() {
    return this.#fault ?? new Error(GONE);
  }

  /**
   * @param {unknown} value what of the message is the script's
   * @returns {object[]} hooks of the stubs in it
   */
  #send(message, value) {
    const isCall = message[0] === CALL;
    const sent = { exports: [], stubs: [], isArguments: isCall };
    const describe = (object) => values.describe(this, sent, object);
    const place = isCall ? 4 : 2;
    this.#found = [];
    try {
      // V8 knows no clone of a function, or of a proxy. Where one is in plain sight it
      // is not asked first.
      const isKnown = isCall ? holdsFunction(value) : typeof value === "function";
      if (isKnown) message[place] = values.substitute(value);
      try {
        op_rpc_send(this.#rid, message, describe, this.#found);
      } catch (error) {
        const substitute = isKnown ? value : values.substitute(value);
        if (substitute === value) throw values.cloneError(error);
        this.#forget(sent);
        message[place] = substitute;
        try {
          op_rpc_send(this.#rid, message, describe, this.#found);
        } catch (error) {
          throw values.cloneError(error);
        }
      }
    } catch (error) {
      this.#forget(sent);
      throw error;
    }
    return sent.stubs;
  }

  /** What was exported for a message that was not sent. */
  #forget(sent) {
    for (let i = 0; i < sent.exports.length; i++) {
      const number = sent.exports[i];
      const { hook, forget, isStream } = MapPrototypeGet(this.#exports, number);
      MapPrototypeDelete(this.#exports, number);
      if (isStream) this.#streams--;
      hook?.dispose();
      forget?.();
    }
    sent.exports = [];
    sent.stubs = [];
    this.#found = [];
  }

  #tell(message) {
    if (this.#closed) return;
    try {
      op_rpc_send(this.#rid, message, refuse, undefined);
    } catch {
      // The other side reads nothing, or is gone: so is all that it holds.
      this.close();
    }
  }

  /** Lets the other side call something of this one's. */
  export(entry) {
    const number = ++this.#last;
    MapPrototypeSet(this.#exports, number, entry);
    if (entry.isStream) this.#streams++;
    if (this.#root !== undefined) this.listen();
    this.#mark();
    return number;
  }

  /** Has the other side hold what the session is with until it releases it. */
  lendRoot(close) {
    MapPrototypeSet(this.#exports, 0, { close });
  }

  /** What outlives the session: the host's number and name for it. */
  exportKept(service, target) {
    ArrayPrototypePush(this.#found, service, target);
    return this.#found.length / 2 - 1;
  }

  /** `[number, handle]` of such a thing in the message that is read. */
  importKept(index) {
    return op_rpc_grant(this.#rid, index);
  }

  /** A hook to what the other side exported. */
  import(number) {
    this.#imports++;
    return new ImportHook(new Import(this, number));
  }

  /** Gives back what the other side exported. */
  release(number) {
    if (this.#closed) return;
    this.#imports--;
    this.#tell([RELEASE, number]);
    this.#closeIfDone();
  }

  #closeIfDone() {
    if (
      this.#root === undefined && this.#questions.size === 0 &&
      this.#imports === 0 && this.#streams === 0
    ) {
      this.close();
    }
  }

  close() {
    if (this.#closed) return;
    op_rpc_close(this.#rid);
    this.#end(null);
  }

  /**
   * Ends it where the side that is called has answered, and neither side has anything
   * of the other's: then nothing more can come that matters.
   */
  #closeIfQuiet() {
    if (
      this.#closed || this.#ended === undefined || this.#running > 0 ||
      this.#exports.size > 0 || this.#imports > 0 || this.#questions.size > 0 ||
      this.#lent > 0
    ) return;
    if (op_rpc_close_sent(this.#rid)) this.#end(null);
  }

  /** Ends it from the side that is called: what runs fails with `reason`. */
  abort(reason) {
    MapPrototypeForEach(this.#answers, (_answer, number) => this.#throw(number, reason));
    this.close();
  }

  /** Begins to wait for more. */
  listen() {
    if (this.#receiving !== null || this.#closed) return;
    this.#receiving = op_rpc_receive(this.#rid);
    this.#mark();
    PromisePrototypeThen(this.#receiving, (more) => {
      this.#receiving = null;
      if (this.#closed) return;
      if (!more) {
        this.#end(null);
        return;
      }
      this.serve();
      this.listen();
    }, (error) => {
      this.#receiving = null;
      this.#end(error);
    });
  }

  /**
   * A side that owes an answer, waits for none, and has nothing that the other could
   * call meanwhile, does not keep its isolate busy: where nothing else does, the answer
   * never comes. Nor does a session of two events of the isolate, unless the one
   * that is called asks the other.
   */
  #mark() {
    if (this.#receiving === null) return;
    const asks = this.#root !== undefined && this.#questions.size > 0;
    if (this.#isWithin && !asks) {
      unrefOpPromise(this.#receiving);
      const isIdle = this.#root !== undefined && this.#running === 0 && this.#exports.size > 0;
      if (isIdle !== this.#isIdle) {
        this.#isIdle = isIdle;
        op_rpc_idle(this.#rid, isIdle);
      }
    } else if (
      this.#running > 0 && this.#questions.size === 0 && this.#exports.size === 0
    ) {
      unrefOpPromise(this.#receiving);
    } else {
      refOpPromise(this.#receiving);
    }
  }

  /** Does what the other side has asked so far. */
  serve() {
    const outer = getAsyncContext();
    setAsyncContext(this.#context);
    try {
      while (!this.#closed) {
        this.#brought = [];
        let message;
        try {
          message = op_rpc_take(this.#rid, this.#restore);
        } catch (error) {
          op_rpc_close(this.#rid);
          this.#end(error);
          return;
        }
        if (message === undefined) break;
        this.#hear(message, this.#brought);
        // Each is a result of its own to the object, and comes when the one before
        // has led to what it leads to.
        if (this.#oneAtATime && message[0] <= THROW) break;
      }
    } finally {
      setAsyncContext(outer);
    }
  }

  #hear(message, brought) {
    switch (message[0]) {
      case CALL:
        this.#called(message[1], message[2], message[3], message[4], brought);
        break;
      case RETURN: {
        const question = this.#answeredQuestion(message[1]);
        if (message[3] !== 0) this.#imports++;
        makeDisposable(message[2], brought, this, message[3]);
        question?.resolve(message[2]);
        this.#finish(message[1]);
        break;
      }
      case THROW:
        this.#answeredQuestion(message[1])?.reject(message[2]);
        this.#finish(message[1]);
        break;
      case FINISH:
        this.#finished(message[1]);
        break;
      case RELEASE:
        this.#released(message[1]);
        break;
    }
  }

  #answeredQuestion(number) {
    const question = MapPrototypeGet(this.#questions, number);
    MapPrototypeDelete(this.#questions, number);
    this.#mark();
    return question;
  }

  /** What was asked of a result from now on is asked of what is here. */
  #finish(number) {
    this.#closeIfDone();
    this.#tell([FINISH, number]);
  }

  #finished(number) {
    const answer = MapPrototypeGet(this.#answers, number);
    MapPrototypeDelete(this.#answers, number);
    if (answer === undefined) return;
    answer.finished = true;
    if (answer.stubs.length > 0) this.#lent--;
    disposeIfFinished(answer);
  }

  #released(number) {
    const entry = MapPrototypeGet(this.#exports, number);
    if (entry === undefined) return;
    MapPrototypeDelete(this.#exports, number);
    this.#mark();
    this.#drop(entry);
    if (!entry.isStream) return;
    this.#streams--;
    this.#closeIfDone();
  }

  /** The other side holds it no more: who made it hears of that. */
  #drop(entry) {
    if (entry.hook !== undefined) {
      entry.hook.dispose();
    } else if (entry.close !== undefined) {
      entry.close();
    } else {
      const { value } = entry;
      PromisePrototypeThen(PromiseResolve(), () => value[SymbolDispose]?.());
    }
  }

  #called(number, target, path, args, brought) {
    this.#running++;
    let result;
    if (target < 0) {
      const before = MapPrototypeGet(this.#answers, -target);
      result = before === undefined
        ? PromiseReject(new TypeError("There is no such RPC promise."))
        : this.#asked(before, path, args);
    } else {
      try {
        result = PromiseResolve(this.#begin(target, path, args));
      } catch (error) {
        result = PromiseReject(error);
      }
    }
    const answer = { promise: undefined, stubs: [], asked: 0, finished: false };
    // What is asked of the result waits until the result could be sent.
    answer.promise = PromisePrototypeThen(result, (value) => {
      try {
        answer.stubs = this.#return(number, value);
        if (traced && target === 0) op_trace_return(this.#root.event);
      } catch (error) {
        this.#throw(number, error);
        this.#done(brought);
        throw error;
      }
      if (answer.stubs.length === 0) {
        this.#done(brought);
        this.#closeIfQuiet();
      } else {
        this.#lent++;
        // One of them may be the result, or in it, and be called yet.
        answer.stubs = ArrayPrototypeConcat(answer.stubs, brought);
        this.#done([]);
      }
      return value;
    }, (error) => {
      this.#throw(number, error);
      this.#done(brought);
      this.#closeIfQuiet();
      throw error;
    });
    PromisePrototypeThen(answer.promise, undefined, () => {});
    MapPrototypeSet(this.#answers, number, answer);
  }

  /** Asks something of a result, once it is there. */
  #asked(answer, path, args) {
    answer.asked++;
    return PromisePrototypeThen(answer.promise, (value) => {
      try {
        return serve.ofResult(value, path, args);
      } finally {
        answer.asked--;
        disposeIfFinished(answer);
      }
    });
  }

  #begin(target, path, args) {
    if (target === 0) {
      if (traced) op_trace_call(this.#root.event, ArrayPrototypeJoin(path, "."));
      return serve.ofRoot(this.#root, path, args);
    }
    const entry = MapPrototypeGet(this.#exports, target);
    if (entry === undefined) throw new Error("There is no such RPC target.");
    if (entry.hook !== undefined) return serve.ofHook(entry.hook, path, args);
    return serve.ofResult(entry.value, path, args);
  }

  /** Stubs among the arguments were lent for the call. */
  #done(brought) {
    disposeAll(brought);
    this.#running--;
    this.#mark();
  }

  /** @returns {object[]} stubs that are the caller's now */
  #return(number, value) {
    if (this.#closed) return [];
    const disposer = isDisposable(value)
      ? this.export({ value: () => {}, close: () => disposeLater(value) })
      : 0;
    try {
      return this.#send([RETURN, number, value, disposer], value);
    } catch (error) {
      if (disposer !== 0) MapPrototypeDelete(this.#exports, disposer);
      throw error;
    }
  }

  #throw(number, error) {
    if (this.#closed) return;
    try {
      const thrown = values.thrown(error, this.#root?.objectId);
      this.#send([THROW, number, thrown], thrown);
      return;
    } catch {
      // It, or something of it, has no clone.
    }
    try {
      this.#send([THROW, number, values.bare(error)], undefined);
    } catch {
      this.close();
    }
  }

  #end(fault) {
    if (this.#closed) return;
    this.#closed = true;
    this.#fault = fault;
    if (fault !== null) this.onFault?.(fault);
    const outer = getAsyncContext();
    setAsyncContext(this.#context);
    try {
      const questions = this.#questions;
      this.#questions = new SafeMap();
      if (questions.size > 0) {
        const error = this.#gone();
        MapPrototypeForEach(questions, (question) => question.abandon(error));
      }
      // Later calls hear only that it is gone.
      this.#fault = null;
      const exports = this.#exports;
      this.#exports = new SafeMap();
      MapPrototypeForEach(exports, (entry) => this.#drop(entry));
      const answers = this.#answers;
      this.#answers = new SafeMap();
      MapPrototypeForEach(answers, ({ stubs }) => disposeAll(stubs));
    } finally {
      setAsyncContext(outer);
    }
    this.#ended?.();
  }
}

/** Whether one of a call's arguments is a function. */
function holdsFunction(args) {
  if (args === undefined) return false;
  for (let i = 0; i < args.length; i++) {
    if (typeof args[i] === "function") return true;
  }
  return false;
}

/** Of messages that hold nothing of a script's. */
function refuse() {
  throw new TypeError("not for RPC");
}

/** Whether a result wants to know when its caller is done with it. */
function isDisposable(value) {
  return typeof value === "object" && value !== null &&
    ObjectGetPrototypeOf(value) === ObjectPrototype &&
    typeof value[SymbolDispose] === "function";
}

function disposeIfFinished(answer) {
  if (answer.finished && answer.asked === 0) disposeAll(answer.stubs);
}

function disposeAll(hooks) {
  for (let i = 0; i < hooks.length; i++) hooks[i].dispose();
}

function disposeLater(value) {
  PromisePrototypeThen(PromiseResolve(), () => value[SymbolDispose]());
}

return { Session };
})();
