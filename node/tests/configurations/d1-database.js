// A database that is called, and gives back what it was asked.
export default {
  query({ queries, bookmark }) {
    if (queries.some(({ sql }) => sql === "bad")) {
      return { success: false, error: new Error("no such thing") };
    }
    const queryResults = queries.map(({ sql, params }, at) => ({
      meta: {
        duration: 0.5,
        changes: 1,
        changed_db: at > 0,
        last_row_id: at,
        rows_read: 2,
        rows_written: 3,
        size_after: 4096 * (at + 1),
        served_by_region: "WEUR",
        timings: { sql_duration_ms: 0.25 },
      },
      data: { kind: "raw", columns: ["sql", "params"], rows: [[sql, `${params}`]] },
    }));
    const results = { queryResults };
    if (bookmark !== undefined) results.bookmark = `after ${bookmark}`;
    return { success: true, results };
  },
};
