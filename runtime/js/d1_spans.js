// What streaming tail workers are told of a database's methods.
(function () {
const { core, primordials } = __bootstrap;
const { SafeArrayIterator } = primordials;
const { span } = core.loadExtScript("ext:outboard/spans.js");

const RESPONSE = "cloudflare.d1.response.";

/** What statements add up, in a batch. */
const SUMS = ["rows_read", "rows_written", "changes"];
/** What the last statement says for all of them. */
const LAST = ["size_after", "last_row_id"];
/** What any of them says, the last that does. */
const ANY = ["served_by_region", "served_by_colo", "served_by_primary"];

/**
 * Runs a method as a span.
 * @param {{ getBookmark(): string | null }} session
 * @param {string} text the statements
 * @param {(span: Span | null) => Promise<unknown>} run
 */
function told(name, operation, session, text, run) {
  return span(`d1_${name}`, (span) => {
    span?.set("db.system.name", "cloudflare-d1");
    span?.set("db.operation.name", operation);
    span?.set("db.query.text", text);
    span?.set("cloudflare.binding.type", "D1");
    span?.set("cloudflare.d1.query.bookmark", session.getBookmark());
    return run(span);
  });
}

/** Says where the session is now. */
function tellBookmark(span, session) {
  span?.set(`${RESPONSE}bookmark`, session.getBookmark());
}

function tellNumber(span, name, value) {
  if (typeof value === "number") span.setNumber(RESPONSE + name, value);
}

/** Says what one statement did. */
function tellMeta(span, meta) {
  if (span === null || !meta) return;
  for (const name of new SafeArrayIterator(SUMS)) tellNumber(span, name, meta[name]);
  for (const name of new SafeArrayIterator(LAST)) tellNumber(span, name, meta[name]);
  for (const name of new SafeArrayIterator(ANY)) span.set(RESPONSE + name, meta[name]);
  span.set(`${RESPONSE}changed_db`, meta.changed_db);
  tellNumber(span, "sql_duration_ms", meta.timings?.sql_duration_ms);
  tellNumber(span, "total_attempts", meta.total_attempts);
}

/** Says what statements did together. */
function tellAll(span, results) {
  if (span === null || results.length === 0) return;
  const all = {
    __proto__: null,
    changed_db: false,
    changes: 0,
    last_row_id: 0,
    rows_read: 0,
    rows_written: 0,
    size_after: 0,
  };
  for (const { meta } of new SafeArrayIterator(results)) {
    if (!meta) continue;
    for (const name of new SafeArrayIterator(SUMS)) all[name] += meta[name] ?? 0;
    for (const name of new SafeArrayIterator(LAST)) all[name] = meta[name] ?? 0;
    for (const name of new SafeArrayIterator(ANY)) all[name] = meta[name] || all[name];
    all.changed_db ||= meta.changed_db === true;
    const took = meta.timings?.sql_duration_ms;
    if (took) all.timings = { sql_duration_ms: (all.timings?.sql_duration_ms ?? 0) + took };
    if (meta.total_attempts) {
      all.total_attempts = (all.total_attempts ?? 0) + meta.total_attempts;
    }
  }
  tellMeta(span, all);
}

return { tellAll, tellBookmark, tellMeta, told };
})();
