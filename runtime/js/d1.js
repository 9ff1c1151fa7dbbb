// D1: SQL databases. What a method does is a request to whoever keeps the
// database, in D1's own protocol: `POST /query` and `POST /execute` with one query
// or a list of them.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIsArray,
  ArrayPrototypeEvery,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  Error,
  JSONParse,
  JSONStringify,
  ObjectDefineProperty,
  ObjectKeys,
  StringPrototypeLocaleCompare,
  StringPrototypeSplit,
  StringPrototypeTrim,
  Symbol,
  SymbolToStringTag,
  TypeError,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetLength,
  Uint8Array,
} = primordials;
const { rowObject } = core.loadExtScript("ext:outboard/sql_rows.js");
const { bodyState } = core.loadExtScript("ext:outboard/body.js");
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { fetchFrom } = core.loadExtScript("ext:outboard/fetch.js");
const { findHeader, headerList } = core.loadExtScript("ext:outboard/headers.js");
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
const { Request } = core.loadExtScript("ext:outboard/request.js");

const kOwn = Symbol("made here");
/** Symbols and not private names: tools wrap databases in proxies. */
const kService = Symbol("the host's number for the database");
const kSession = Symbol("session");
const kToken = Symbol("bookmark or constraint");
const kNewer = Symbol("takes a bookmark that came");
const kAsk = Symbol("sends the statement");

const FIRST_PRIMARY = "first-primary";
const FIRST_UNCONSTRAINED = "first-unconstrained";
/** Carries a session's bookmark, or at first its constraint, both ways. */
const TOKEN_HEADER = "x-cf-d1-session-commit-token";

function requireOwn(key) {
  if (key !== kOwn) throw new TypeError("Illegal constructor");
}

/** `PREFIX: message`, with the bare message as its cause. */
function fault(prefix, message) {
  return new Error(`${prefix}: ${message}`, { cause: new Error(message) });
}

function trimmed(text) {
  if (typeof text !== "string") throw new TypeError("D1 takes a string");
  return StringPrototypeTrim(text);
}

function firstOf(results) {
  return ArrayIsArray(results) ? results[0] : results;
}

/** Sends what JSON says to the session's database; gives what it answers. */
async function exchange(session, path, body) {
  const headers = { "content-type": "application/json" };
  const sent = session[kToken];
  if (sent) headers[TOKEN_HEADER] = sent;
  const request = new Request(`http://d1${path}`, { method: "POST", headers, body });
  const response = await fetchFrom(requireEvent(), session[kService], request);
  const token = findHeader(headerList(response.headers), TOKEN_HEADER);
  if (token) session[kNewer](token);
  return response;
}

/**
 * @param {"/query" | "/execute"} path
 * @param {object | object[]} queries `{ sql, params }`, or a list of them
 * @param {"ROWS_AND_COLUMNS" | "NONE"} format
 */
async function send(session, path, queries, format) {
  const response = await exchange(
    session,
    `${path}?resultsFormat=${format}`,
    JSONStringify(queries),
  );
  try {
    const text = await bodyState(response).text();
    let answer;
    try {
      answer = JSONParse(text);
    } catch {
      throw new Error(`Failed to parse body as JSON, got: ${text}`);
    }
    return ArrayIsArray(answer) ? ArrayPrototypeMap(answer, resultOf) : resultOf(answer);
  } catch (error) {
    throw fault("D1_ERROR", error?.cause?.message || error?.message || "Something went wrong");
  }
}

/** That there is an error is all that tells a failure. */
function resultOf(result) {
  if (result.error) return { success: false, error: result.error };
  const { meta } = result;
  return "results" in result
    ? { success: true, meta, results: result.results }
    : { success: true, meta };
}

async function sendOrThrow(session, path, queries, format) {
  const results = await send(session, path, queries, format);
  const first = firstOf(results);
  if (!first.success) throw fault("D1_ERROR", first.error);
  return results;
}

/** A result whose rows are objects; of columns of one name the last one stays. */
function withObjects(result) {
  const { results } = result;
  if (results === undefined) return { ...result, results: [] };
  if (ArrayIsArray(results)) return { ...result, results };
  const { columns, rows } = results;
  const objects = ArrayPrototypeMap(rows, (row) => rowObject(columns, row));
  return { ...result, results: objects };
}

class D1DatabaseSession {
  constructor(key, service, token) {
    requireOwn(key);
    this[kService] = service;
    this[kToken] = token;
  }

  prepare(sql) {
    return new D1PreparedStatement(kOwn, this, sql, []);
  }

  async batch(statements) {
    if (!ArrayIsArray(statements)) throw new TypeError("D1's batch() takes a list of statements");
    const queries = ArrayPrototypeMap(statements, ({ statement, params }) => ({
      sql: statement,
      params,
    }));
    const results = await sendOrThrow(this, "/query", queries, "ROWS_AND_COLUMNS");
    if (!ArrayIsArray(results)) throw new TypeError("D1 answered a batch with one result");
    return ArrayPrototypeMap(results, withObjects);
  }

  /** The newest one that came; a constraint is none. */
  getBookmark() {
    const token = this[kToken];
    return token === FIRST_PRIMARY || token === FIRST_UNCONSTRAINED ? null : token;
  }

  /** Queries run side by side: an older bookmark may come after a newer one. */
  [kNewer](token) {
    token = StringPrototypeTrim(token);
    const current = this.getBookmark();
    if (token && (current === null || StringPrototypeLocaleCompare(current, token) < 0)) {
      this[kToken] = token;
    }
  }
}

/** What a database is outside sessions: nothing is kept of bookmarks. */
class D1DatabaseSessionAlwaysPrimary extends D1DatabaseSession {
  constructor(key, service) {
    super(key, service, null);
  }

  getBookmark() {
    return null;
  }

  [kNewer]() {}

  /** A line is a query. */
  async exec(sql) {
    const lines = StringPrototypeSplit(trimmed(sql), "\n");
    const queries = ArrayPrototypeMap(lines, (sql) => ({ sql }));
    const answer = await send(this, "/execute", queries, "NONE");
    const results = ArrayIsArray(answer) ? answer : [answer];
    let duration = 0;
    for (let i = 0; i < results.length; i++) {
      const { success, error, meta } = results[i];
      if (!success) {
        const message = error || "Something went wrong";
        throw fault("D1_EXEC_ERROR", `Error in line ${i + 1}: ${lines[i]}: ${message}`);
      }
      duration += meta.duration;
    }
    return { count: results.length, duration };
  }

  async dump() {
    const response = await exchange(this, "/dump", undefined);
    const state = bodyState(response);
    if (response.status === 200) return TypedArrayPrototypeGetBuffer(await state.bytes());
    let message;
    try {
      ({ error: message } = JSONParse(await state.text()));
    } catch {
      message = `Status ${response.status}`;
    }
    throw fault("D1_DUMP_ERROR", message);
  }
}

class D1PreparedStatement {
  constructor(key, session, statement, params) {
    requireOwn(key);
    ObjectDefineProperty(this, kSession, { __proto__: null, value: session });
    this.statement = statement;
    this.params = params;
  }

  bind(...values) {
    const params = ArrayPrototypeMap(values, parameter);
    return new D1PreparedStatement(kOwn, this[kSession], this.statement, params);
  }

  async first(column = undefined) {
    const { results } = withObjects(await this[kAsk]("/query", "ROWS_AND_COLUMNS"));
    if (results.length === 0) return null;
    const row = results[0];
    if (column === undefined) return row;
    if (row[column] === undefined) {
      throw new Error(`D1_COLUMN_NOTFOUND: Column not found (${column})`, {
        cause: new Error("Column not found"),
      });
    }
    return row[column];
  }

  async run() {
    return await this[kAsk]("/execute", "NONE");
  }

  async all() {
    return withObjects(await this[kAsk]("/query", "ROWS_AND_COLUMNS"));
  }

  async raw(options = undefined) {
    const { results } = await this[kAsk]("/query", "ROWS_AND_COLUMNS");
    if (results === undefined) return [];
    let { columns, rows } = results;
    if (ArrayIsArray(results)) {
      columns = results.length === 0 ? undefined : ObjectKeys(results[0]);
      rows = ArrayPrototypeMap(
        results,
        (row) => ArrayPrototypeMap(ObjectKeys(row), (name) => row[name]),
      );
    }
    if (!options?.columnNames || columns === undefined) return rows;
    const all = [columns];
    for (let i = 0; i < rows.length; i++) ArrayPrototypePush(all, rows[i]);
    return all;
  }

  async [kAsk](path, format) {
    const query = { sql: this.statement, params: this.params };
    return firstOf(await sendOrThrow(this[kSession], path, query, format));
  }
}

/** A value as the protocol has it: bytes are a list of numbers. */
function parameter(value) {
  switch (typeof value) {
    case "number":
    case "string":
      return value;
    case "boolean":
      return value ? 1 : 0;
    case "object":
      if (value === null) return value;
      if (ArrayIsArray(value) && ArrayPrototypeEvery(value, isByte)) return value;
      if (core.isArrayBuffer(value)) return listOf(new Uint8Array(value));
      if (core.isTypedArray(value)) return listOf(value);
      // As workerd has it, which looks for elements.
      if (core.isDataView(value)) return [];
  }
  const message = `Type '${typeof value}' not supported for value '${value}'`;
  throw fault("D1_TYPE_ERROR", message);
}

function isByte(value) {
  return typeof value === "number" && value >= 0 && value < 256;
}

function listOf(view) {
  const length = TypedArrayPrototypeGetLength(view);
  const list = [];
  for (let i = 0; i < length; i++) ArrayPrototypePush(list, view[i]);
  return list;
}

class D1Database {
  constructor(key, service) {
    requireOwn(key);
    ObjectDefineProperty(this, kSession, {
      __proto__: null,
      value: new D1DatabaseSessionAlwaysPrimary(kOwn, service),
    });
  }

  prepare(sql) {
    return new D1PreparedStatement(kOwn, this[kSession], sql, []);
  }

  async batch(statements) {
    return await this[kSession].batch(statements);
  }

  async exec(sql) {
    return await this[kSession].exec(sql);
  }

  withSession(constraintOrBookmark = undefined) {
    const token = constraintOrBookmark === undefined || constraintOrBookmark === null
      ? ""
      : trimmed(constraintOrBookmark);
    const { [kService]: service } = this[kSession];
    return new D1DatabaseSession(kOwn, service, token || FIRST_UNCONSTRAINED);
  }

  async query(_request) {
    throw new Error(
      "D1_ERROR: D1Database.query() requires the d1_binding_jsrpc compatibility flag. " +
        "Enable d1_binding_jsrpc before calling query().",
    );
  }

  async dump() {
    return await this[kSession].dump();
  }
}

markUncloneable(D1Database, "ServiceStub cannot be serialized in this context.");
ObjectDefineProperty(D1Database.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "WrappedBinding",
  configurable: true,
});

return { bindingOf: (service) => new D1Database(kOwn, service) };
})();
