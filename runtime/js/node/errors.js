// Errors that more than one node: module throws.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, SafeArrayIterator } = primordials;
const library = core.loadExtScript("ext:deno_node/internal/errors.ts");
const { NodeError, NodeSyntaxError, NodeTypeError } = library;

/** Error classes by their codes: the library's, and what it does not have. */
const codes = { __proto__: library };

function add(code, message, Base = NodeError) {
  codes[code] = class extends Base {
    constructor() {
      super(code, message);
    }
  };
}
add("ERR_INVALID_ADDRESS", "Invalid address");
codes.ERR_INVALID_IP_ADDRESS = class extends NodeTypeError {
  constructor(address) {
    super("ERR_INVALID_IP_ADDRESS", `Invalid IP address: ${address}`);
  }
};
add("ERR_TLS_CERT_ALTNAME_FORMAT", "Invalid subject alternative name string", NodeSyntaxError);

/** What cp() refuses, told as a failed call of the system's. */
for (
  const [code, message] of new SafeArrayIterator([
    ["ERR_FS_CP_DIR_TO_NON_DIR", "Cannot overwrite directory with non-directory"],
    ["ERR_FS_CP_EEXIST", "Target already exists"],
    ["ERR_FS_CP_EINVAL", "Invalid src or dest"],
    ["ERR_FS_CP_NON_DIR_TO_DIR", "Cannot overwrite non-directory with directory"],
    ["ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY", "Cannot overwrite symlink in subdirectory of self"],
    ["ERR_FS_EISDIR", "Path is a directory"],
  ])
) {
  codes[code] = class extends NodeError {
    /** @param {{code, dest, errno, message, path, syscall}} context */
    constructor(context) {
      const { dest, path } = context;
      super(
        code,
        `${message}: ${context.syscall} returned ${context.code} ` +
          `(${context.message})` + (path === undefined ? "" : ` ${path}`) +
          (dest === undefined ? "" : ` => ${dest}`),
      );
      this.name = "SystemError";
      this.info = context;
      this.errno = context.errno;
      this.syscall = context.syscall;
      if (path !== undefined) this.path = path;
      if (dest !== undefined) this.dest = dest;
    }
  };
}

class ERR_METHOD_NOT_IMPLEMENTED extends NodeError {
  constructor(name) {
    super(
      "ERR_METHOD_NOT_IMPLEMENTED",
      `The ${name} method is not implemented`,
    );
  }
}

class ERR_OPTION_NOT_IMPLEMENTED extends NodeError {
  constructor(name) {
    super(
      "ERR_OPTION_NOT_IMPLEMENTED",
      `The ${name} option is not implemented`,
    );
  }
}

/** A function that is there to be named, and throws when called. */
function notImplemented(name) {
  const short = name.slice(name.lastIndexOf(".") + 1);
  return {
    [short]() {
      throw new ERR_METHOD_NOT_IMPLEMENTED(name);
    },
  }[short];
}

/** Functions by their names, that all throw; `prefix` is said in the error. */
function notImplementedAll(names, prefix = "") {
  const all = {};
  for (const name of new SafeArrayIterator(names)) {
    all[name] = notImplemented(prefix + name);
  }
  return all;
}

/** A class that is there to be named and looked at, and cannot be made. */
function notImplementedClass(name, methods = [], Base = undefined) {
  const made = Base === undefined
    ? class {
      constructor() {
        throw new ERR_METHOD_NOT_IMPLEMENTED(name);
      }
    }
    : class extends Base {
      constructor() {
        super();
        throw new ERR_METHOD_NOT_IMPLEMENTED(name);
      }
    };
  ObjectDefineProperty(made, "name", {
    __proto__: null,
    value: name.slice(name.lastIndexOf(".") + 1),
    configurable: true,
  });
  return withMethods(made, methods, notImplemented);
}

/** Gives a class methods of these names, each made by `make(name)`. */
function withMethods(made, methods, make) {
  for (const method of new SafeArrayIterator(methods)) {
    ObjectDefineProperty(made.prototype, method, {
      __proto__: null,
      value: make(method),
      writable: true,
      configurable: true,
    });
  }
  return made;
}

return {
  codes,
  ERR_METHOD_NOT_IMPLEMENTED,
  ERR_OPTION_NOT_IMPLEMENTED,
  notImplemented,
  notImplementedAll,
  notImplementedClass,
  withMethods,
};
})();
