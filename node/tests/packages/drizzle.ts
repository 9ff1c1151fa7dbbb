// drizzle-orm on an object's SQL: migrations, queries, a transaction that throws.
import { DurableObject } from "cloudflare:workers";
import { count, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/durable-sqlite";
import { migrate } from "drizzle-orm/durable-sqlite/migrator";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

const notes = sqliteTable("notes", {
  id: integer().primaryKey({ autoIncrement: true }),
  body: text().notNull(),
  tags: text({ mode: "json" }).$type<string[]>(),
});

const migrations = {
  journal: { entries: [{ idx: 0, when: 1, tag: "0000_notes", breakpoints: true }] },
  migrations: {
    m0000:
      "CREATE TABLE notes (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, body text NOT NULL, tags text)",
  },
};

export class Box extends DurableObject {
  db = drizzle(this.ctx.storage, { logger: false });

  constructor(ctx, env) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(() => migrate(this.db, migrations));
  }

  async fetch() {
    const { db } = this;
    await db.insert(notes).values([{ body: "one", tags: ["a", "b"] }, { body: "two" }]);
    await db.update(notes).set({ body: "TWO" }).where(eq(notes.body, "two"));
    let failed;
    try {
      db.transaction((inner) => {
        inner.insert(notes).values({ body: "three" }).run();
        throw new Error("undo");
      });
    } catch (error) {
      failed = error.message;
    }
    return Response.json([
      await db.select().from(notes),
      failed,
      await db.select({ n: count() }).from(notes),
      db.get(sql`select max(id) as last from notes`),
    ]);
  }
}

export default {
  fetch: (request, env) => env.BOX.getByName("x").fetch(request),
};
