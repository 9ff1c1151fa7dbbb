// drizzle-orm on a D1 database: queries, relations, a batch, an error.
import { count, eq, relations, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { blob, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

const users = sqliteTable("users", {
  id: integer().primaryKey({ autoIncrement: true }),
  name: text().notNull().unique(),
  joined: integer({ mode: "timestamp" }),
  key: blob({ mode: "buffer" }),
});
const notes = sqliteTable("notes", {
  id: integer().primaryKey(),
  author: integer().references(() => users.id),
  tags: text({ mode: "json" }).$type<string[]>(),
});
const userNotes = relations(users, ({ many }) => ({ notes: many(notes) }));
const noteUser = relations(notes, ({ one }) => ({
  user: one(users, { fields: [notes.author], references: [users.id] }),
}));

export default {
  async fetch(request, env) {
    const schema = { users, notes, userNotes, noteUser };
    const db = drizzle(env.DB, { schema });
    await db.run(sql`CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE,
      joined integer, key blob)`);
    await db.run(sql`CREATE TABLE notes (id integer PRIMARY KEY, author integer REFERENCES users (id), tags text)`);
    const [ann] = await db.insert(users)
      .values({ name: "ann", joined: new Date(5000), key: Buffer.from([1, 2]) }).returning();
    const [, counted] = await db.batch([
      db.insert(notes).values([{ author: ann.id, tags: ["a"] }, { author: ann.id }]),
      db.select({ n: count() }).from(notes),
    ]);
    const refused = await db.batch([
      db.insert(users).values({ name: "bob" }),
      db.insert(users).values({ name: "ann" }),
    ]).catch((error) => error.cause?.message ?? error.message);
    await db.update(users).set({ name: "Ann" }).where(eq(users.name, "ann"));
    const found = await db.query.users.findFirst({ with: { notes: true } });
    return Response.json([
      [ann.id, ann.joined.getTime(), [...ann.key]],
      counted,
      refused,
      [found.name, found.notes],
      await db.select({ name: users.name, tags: notes.tags }).from(notes)
        .innerJoin(users, eq(users.id, notes.author)),
      await db.$count(users),
    ]);
  },
};
