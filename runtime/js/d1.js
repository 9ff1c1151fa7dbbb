// D1: SQL databases. What a method does is a request to whoever keeps the
// database, in D1's own protocol: `POST /query` and `POST /execute` with one query
// or a list of them. With the flag `d1_binding_jsrpc` it is a call of its `query`.
(function () {
const { core, primordials } = __bootstrap;
const { op_resources_take_calls } = core.ops;
const {
  ArrayIsArray,
  ArrayPrototypeEvery,
  ArrayPrototypeFind,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  Error,
  JSONParse,
  JSONStringify,
  ObjectDefineProperty,
  ObjectKeys,
  StringPrototypeLocaleCompare,
  StringPrototypeSplit,
  StringPrototypeStartsWith,
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
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { tellAll, tellBookmark, tellMeta, told } = core.loadExtScript(
  "ext:outboard/d1_spans.js",
);
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { fetchAsSpan } = core.loadExtScript("ext:outboard/fetch.js");
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
/** Whether databases are asked by calls. */
const calls = has(flag.d1_binding_jsrpc);
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

/** Sends what JSON says to a database, with a bookmark or constraint. */
function post(service, token, path, body) {
  const headers = { "content-type": "application/json" };
  if (token) headers[TOKEN_HEADER] = token;
  const request = new Request(`http://d1${path}`, { method: "POST", headers, body });
  return fetchAsSpan(requireEvent(), service, request);
}

function tokenOf(response) {
  return findHeader(headerList(response.headers), TOKEN_HEADER);
}

/** Sends what JSON says to the session's database; gives what it answers. */
async function exchange(session, path, body) {
  const response = await post(session[kService], session[kToken], path, body);
  const token = tokenOf(response);
  if (token) session[kNewer](token);
  return response;
}

async function answerOf(response) {
  const text = await bodyState(response).text();
  try {
    return JSONParse(text);
  } catch {
    throw new Error(`Failed to parse body as JSON, got: ${text}`);
  }
}

/**
 * @param {"/query" | "/execute"} path
 * @param {object | object[]} queries `{ sql, params }`, or a list of them
 * @param {"ROWS_AND_COLUMNS" | "NONE"} format
 */
async function send(session, path, queries, format, span) {
  const response = await exchange(
    session,
    `${path}?resultsFormat=${format}`,
    JSONStringify(queries),
  );
  try {
    const answer = await answerOf(response);
    return ArrayIsArray(answer) ? ArrayPrototypeMap(answer, resultOf) : resultOf(answer);
  } catch (error) {
    const message = error?.cause?.message || error?.message || "Something went wrong";
    span?.set("error.type", message);
    throw fault("D1_ERROR", message);
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

async function sendOrThrow(session, path, queries, format, span) {
  const results = await send(session, path, queries, format, span);
  const first = firstOf(results);
  if (!first.success) {
    span?.set("error.type", first.error);
    throw fault("D1_ERROR", first.error);
  }
  return results;
}

/**
 * What a database answers to a call of its `query`. One of the node's own takes
 * requests alone: the call becomes one.
 * @param {{ queries: { sql: string, params?: unknown[] }[], bookmark?: string }} request
 */
async function callQuery(service, request) {
  if (op_resources_take_calls()) {
    const { BindingHook } = core.loadExtScript("ext:outboard/rpc_hooks.js");
    return await new BindingHook(service, null).call(["query"], [request]).pull();
  }
  const body = JSONStringify(request.queries);
  const path = "/query?resultsFormat=ROWS_AND_COLUMNS";
  const response = await post(service, request.bookmark, path, body);
  const answer = await answerOf(response);
  const failed = ArrayIsArray(answer) ? ArrayPrototypeFind(answer, ({ error }) => error) : answer;
  if (failed !== undefined) return { success: false, error: new Error(failed.error) };
  const queryResults = ArrayPrototypeMap(
    answer,
    ({ meta, results }) => ({ meta, data: { kind: "raw", ...results } }),
  );
  return { success: true, results: { bookmark: tokenOf(response) ?? undefined, queryResults } };
}

/** As `send`, by a call. */
async function call(session, queries, span) {
  try {
    const token = session[kToken];
    const request = token ? { queries, bookmark: token } : { queries };
    const { success, error, results } = await callQuery(session[kService], request);
    if (!success) return [{ success: false, error: error.message }];
    if (results.bookmark) session[kNewer](results.bookmark);
    return ArrayPrototypeMap(results.queryResults, rowsOf);
  } catch (error) {
    if (StringPrototypeStartsWith(`${error?.message}`, "D1_ERROR:")) throw error;
    const message = `${error}`;
    span?.set("error.type", message);
    throw new Error(`D1_ERROR: ${message}`, { cause: error });
  }
}

function rowsOf({ meta, data: { kind, columns, rows } }) {
  if (kind !== "raw") throw new Error(`D1_ERROR: Unsupported D1 query result kind: ${kind}`);
  return { success: true, meta, results: { columns, rows } };
}

async function callOrThrow(session, queries, span) {
  const results = await call(session, queries, span);
  const failed = ArrayPrototypeFind(results, ({ success }) => !success);
  if (failed !== undefined) {
    span?.set("error.type", failed.error);
    throw new Error(`D1_ERROR: ${failed.error}`);
  }
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
    const text = ArrayPrototypeJoin(ArrayPrototypeMap(queries, ({ sql }) => sql), "\n");
    return await told("batch", "batch", this, text, async (span) => {
      span?.setNumber("db.operation.batch.size", queries.length);
      const results = calls
        ? await callOrThrow(this, queries, span)
        : await sendOrThrow(this, "/query", queries, "ROWS_AND_COLUMNS", span);
      if (!ArrayIsArray(results)) throw new TypeError("D1 answered a batch with one result");
      tellBookmark(span, this);
      tellAll(span, results);
      return ArrayPrototypeMap(results, withObjects);
    });
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
    return await told("exec", "exec", this, sql, async (span) => {
      const answer = calls
        ? await call(this, queries, span)
        : await send(this, "/execute", queries, "NONE", span);
      const results = ArrayIsArray(answer) ? answer : [answer];
      let duration = 0;
      for (let i = 0; i < results.length; i++) {
        const { success, error, meta } = results[i];
        if (!success) throw execFault(i, lines[i], error || "Something went wrong", span);
        duration += meta.duration;
      }
      tellAll(span, results);
      return { count: results.length, duration };
    });
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

/** A call's answer does not say which line it was. */
function execFault(index, line, message, span) {
  if (calls) {
    span?.set("error.type", message);
    return new Error(`D1_EXEC_ERROR: ${message}`);
  }
  const place = `Error in line ${index + 1}`;
  span?.set("error.type", place);
  return fault("D1_EXEC_ERROR", `${place}: ${line}: ${message}`);
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
    return await this[kAsk]("first", "first", (result, span) => {
      const { results } = withObjects(result);
      if (results.length === 0) return null;
      const row = results[0];
      if (column === undefined) return row;
      if (row[column] === undefined) {
        span?.set("error.type", "Column not found");
        throw new Error(`D1_COLUMN_NOTFOUND: Column not found (${column})`, {
          cause: new Error("Column not found"),
        });
      }
      return row[column];
    });
  }

  async run() {
    return await this[kAsk]("run", "run", (result) => calls ? withObjects(result) : result);
  }

  async all() {
    return await this[kAsk]("all", "all", withObjects);
  }

  async raw(options = undefined) {
    return await this[kAsk]("all", "raw", ({ results }) => {
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
    });
  }

  /**
   * Runs it as a span of this name; gives what `use` makes of the result.
   * @param {(result: object, span: Span | null) => unknown} use
   */
  [kAsk](name, operation, use) {
    const session = this[kSession];
    const query = { sql: this.statement, params: this.params };
    return told(name, operation, session, query.sql, async (span) => {
      let results;
      if (calls) results = await callOrThrow(session, [query], span);
      else if (operation !== "run") {
        results = await sendOrThrow(session, "/query", query, "ROWS_AND_COLUMNS", span);
      } else results = await sendOrThrow(session, "/execute", query, "NONE", span);
      const result = firstOf(results);
      tellBookmark(span, session);
      tellMeta(span, result.meta);
      return use(result, span);
    });
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

  async query(request) {
    if (!calls) {
      throw new Error(
        "D1_ERROR: D1Database.query() requires the d1_binding_jsrpc compatibility flag. " +
          "Enable d1_binding_jsrpc before calling query().",
      );
    }
    return await callQuery(this[kSession][kService], request);
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
