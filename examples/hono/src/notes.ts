import { zValidator } from "@hono/zod-validator";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ValidationTargets } from "hono";
import { z } from "zod";

const MOST_NOTES = 1000; // they live in the isolate's memory

const NewNote = z.object({
  text: z.string().trim().min(1).max(2000),
  tags: z.array(z.string().regex(/^[a-z0-9-]{1,20}$/, "a tag is 1 to 20 of a-z, 0-9 and -")).max(5).default([]),
});
const Changes = z
  .object({ text: NewNote.shape.text, tags: NewNote.shape.tags.removeDefault(), done: z.boolean() })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, "name at least one of text, tags, done");
const Filter = z.object({
  tag: z.string().optional(),
  done: z.enum(["true", "false"]).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});
const Id = z.object({ id: z.coerce.number().int().positive() });

export interface Note {
  id: number;
  text: string;
  tags: string[];
  done: boolean;
  created: string;
}

const stored = new Map<number, Note>();
let lastId = 0;

export function newest(limit: number, wanted: (note: Note) => boolean = () => true): Note[] {
  return [...stored.values()].reverse().filter(wanted).slice(0, limit);
}

export const notes = new Hono()
  .get("/", validated("query", Filter), (c) => {
    const { tag, done, limit } = c.req.valid("query");
    return c.json({
      notes: newest(limit, (note) => (!tag || note.tags.includes(tag)) && (!done || String(note.done) === done)),
    });
  })

  .post("/", validated("json", NewNote), (c) => {
    if (stored.size >= MOST_NOTES) {
      throw new HTTPException(507, { message: `There are ${MOST_NOTES} notes already; delete some.` });
    }
    const note: Note = { id: ++lastId, ...c.req.valid("json"), done: false, created: new Date().toISOString() };
    stored.set(note.id, note);
    return c.json(note, 201, { location: `/api/notes/${note.id}` });
  })

  .get("/:id", validated("param", Id), (c) => c.json(find(c.req.valid("param").id)))

  .patch("/:id", validated("param", Id), validated("json", Changes), (c) => {
    const note = Object.assign(find(c.req.valid("param").id), c.req.valid("json"));
    return c.json(note);
  })

  .delete("/:id", validated("param", Id), (c) => {
    stored.delete(find(c.req.valid("param").id).id);
    return c.body(null, 204);
  });

function find(id: number): Note {
  const note = stored.get(id);
  if (!note) {
    throw new HTTPException(404, { message: `There is no note ${id}.` });
  }
  return note;
}

// Every refusal has the same shape: which part of the request, which field, what is wrong with it.
function validated<Target extends keyof ValidationTargets, Schema extends z.ZodType>(target: Target, schema: Schema) {
  return zValidator(target, schema, (result, c) => {
    if (!result.success) {
      const issues = result.error.issues.map((issue) => ({ field: issue.path.join("."), message: issue.message }));
      return c.json({ error: { message: `The ${target} is not valid.`, issues } }, 400);
    }
  });
}
