// ext:deno_node/internal/streams/duplex.js
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { core, primordials } = __bootstrap;
  const _mod1 = core.loadExtScript("ext:deno_node/internal/streams/legacy.js").default;
  const Readable = core.loadExtScript(
    "ext:deno_node/internal/streams/readable.js"
  ).default;
  const Writable = core.loadExtScript(
    "ext:deno_node/internal/streams/writable.js"
  ).default;
  const { addAbortSignal } = core.loadExtScript(
    "ext:deno_node/internal/streams/add-abort-signal.js"
  );
  const destroyImpl = core.loadExtScript("ext:deno_node/internal/streams/destroy.js").default;
  const { kOnConstructed } = core.loadExtScript(
    "ext:deno_node/internal/streams/utils.js"
  );
  const webStreamsAdaptersSpecifier = "ext:deno_node/internal/webstreams/adapters.js";
  const lazyDuplexify = core.createLazyLoader(
    "ext:deno_node/internal/streams/duplexify.js"
  );
  const Stream = _mod1.Stream;
  const {
    ObjectDefineProperties,
    ObjectGetOwnPropertyDescriptor,
    ObjectKeys,
    ObjectSetPrototypeOf
  } = primordials;
  ObjectSetPrototypeOf(Duplex.prototype, Readable.prototype);
  ObjectSetPrototypeOf(Duplex, Readable);
  {
    const keys = ObjectKeys(Writable.prototype);
    for (let i = 0; i < keys.length; i++) {
      const method = keys[i];
      Duplex.prototype[method] ||= Writable.prototype[method];
    }
  }
  Duplex.prototype.destroy = Writable.prototype.destroy;
  function Duplex(options) {
    if (!(this instanceof Duplex)) {
      return new Duplex(options);
    }
    this._events ??= {
      close: void 0,
      error: void 0,
      prefinish: void 0,
      finish: void 0,
      drain: void 0,
      data: void 0,
      end: void 0,
      readable: void 0
      // Skip uncommon events...
      // pause: undefined,
      // resume: undefined,
      // pipe: undefined,
      // unpipe: undefined,
      // [destroyImpl.kConstruct]: undefined,
      // [destroyImpl.kDestroy]: undefined,
    };
    this._readableState = new Readable.ReadableState(options, this, true);
    this._writableState = new Writable.WritableState(options, this, true);
    if (options) {
      this.allowHalfOpen = options.allowHalfOpen !== false;
      if (options.readable === false) {
        this._readableState.readable = false;
        this._readableState.ended = true;
        this._readableState.endEmitted = true;
      }
      if (options.writable === false) {
        this._writableState.writable = false;
        this._writableState.ending = true;
        this._writableState.ended = true;
        this._writableState.finished = true;
      }
      if (typeof options.read === "function") {
        this._read = options.read;
      }
      if (typeof options.write === "function") {
        this._write = options.write;
      }
      if (typeof options.writev === "function") {
        this._writev = options.writev;
      }
      if (typeof options.destroy === "function") {
        this._destroy = options.destroy;
      }
      if (typeof options.final === "function") {
        this._final = options.final;
      }
      if (typeof options.construct === "function") {
        this._construct = options.construct;
      }
      if (options.signal) {
        addAbortSignal(options.signal, this);
      }
    } else {
      this.allowHalfOpen = true;
    }
    Stream.call(this, options);
    if (this._construct != null) {
      destroyImpl.construct(this, () => {
        this._readableState[kOnConstructed](this);
        this._writableState[kOnConstructed](this);
      });
    }
  }
  ObjectDefineProperties(Duplex.prototype, {
    writable: {
      __proto__: null,
      ...ObjectGetOwnPropertyDescriptor(Writable.prototype, "writable")
    },
    writableHighWaterMark: {
      __proto__: null,
      ...ObjectGetOwnPropertyDescriptor(
        Writable.prototype,
        "writableHighWaterMark"
      )
    },
    writableObjectMode: {
      __proto__: null,
      ...ObjectGetOwnPropertyDescriptor(Writable.prototype, "writableObjectMode")
    },
    writableBuffer: {
      __proto__: null,
      ...ObjectGetOwnPropertyDescriptor(Writable.prototype, "writableBuffer")
    },
    writableLength: {
      __proto__: null,
      ...ObjectGetOwnPropertyDescriptor(Writable.prototype, "writableLength")
    },
    writableFinished: {
      __proto__: null,
      ...ObjectGetOwnPropertyDescriptor(Writable.prototype, "writableFinished")
    },
    writableCorked: {
      __proto__: null,
      ...ObjectGetOwnPropertyDescriptor(Writable.prototype, "writableCorked")
    },
    writableEnded: {
      __proto__: null,
      ...ObjectGetOwnPropertyDescriptor(Writable.prototype, "writableEnded")
    },
    writableNeedDrain: {
      __proto__: null,
      ...ObjectGetOwnPropertyDescriptor(Writable.prototype, "writableNeedDrain")
    },
    destroyed: {
      __proto__: null,
      get() {
        if (this._readableState === void 0 || this._writableState === void 0) {
          return false;
        }
        return this._readableState.destroyed && this._writableState.destroyed;
      },
      set(value) {
        if (this._readableState && this._writableState) {
          this._readableState.destroyed = value;
          this._writableState.destroyed = value;
        }
      }
    }
  });
  let webStreamsAdapters;
  function lazyWebStreams() {
    if (webStreamsAdapters === void 0) {
      webStreamsAdapters = core.loadExtScript(webStreamsAdaptersSpecifier);
    }
    return webStreamsAdapters;
  }
  Duplex.fromWeb = function(pair, options) {
    return lazyWebStreams().newStreamDuplexFromReadableWritablePair(
      pair,
      options
    );
  };
  Duplex.toWeb = function(duplex, options) {
    return lazyWebStreams().newReadableWritablePairFromDuplex(duplex, options);
  };
  let duplexify;
  Duplex.from = function(body) {
    duplexify ??= lazyDuplexify().default;
    return duplexify(body, "body");
  };
  return { default: Duplex, Duplex };
})();
