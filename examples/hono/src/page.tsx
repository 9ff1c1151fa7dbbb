/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import { Hono } from "hono";
import { html, raw } from "hono/html";

import { newest } from "./notes";

const style = `
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
  li { margin: .5rem 0; }
  .done { opacity: .6; text-decoration: line-through; }
  code, .tag { font: .85em ui-monospace, monospace; background: color-mix(in srgb, currentColor 10%, transparent); padding: .1em .4em; border-radius: .3em; }
`;

export const page = new Hono().get("/", (c) => {
  const notes = newest(20);
  const document = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>Notes</title>
        <style>{raw(style)}</style>
      </head>
      <body>
        <h1>Notes</h1>
        {notes.length === 0 && (
          <p>
            None yet. <code>POST /api/notes</code> adds one.
          </p>
        )}
        <ul>
          {notes.map((note) => (
            <li class={note.done ? "done" : undefined}>
              {note.text} {note.tags.map((tag) => <span class="tag">{tag}</span>)}
            </li>
          ))}
        </ul>
      </body>
    </html>
  );
  return c.html(html`<!doctype html>${document}`);
});
