// zod: parsing, coercion, transforms, errors and JSON Schema. Its compiled
// parsers need `new Function`, which neither engine has: it finds that out itself.
import { z } from "zod";

const Address = z.object({ street: z.string().min(1), zip: z.string().regex(/^\d{5}$/) }).strict();
const User = z.object({
  name: z.string().trim().min(2),
  mail: z.email(),
  age: z.coerce.number().int().positive().optional(),
  born: z.iso.date().transform((text) => new Date(text).getUTCFullYear()),
  role: z.enum(["admin", "user"]).default("user"),
  tags: z.set(z.string()).or(z.array(z.string())),
  address: Address.nullable(),
  kind: z.discriminatedUnion("type", [
    z.object({ type: z.literal("a"), a: z.bigint() }),
    z.object({ type: z.literal("b"), b: z.instanceof(URL) }),
  ]),
}).refine((user) => user.name !== "root", { path: ["name"], message: "not root" });

const good = {
  name: "  Ann ", mail: "ann@x.test", age: "41", born: "1983-02-01", tags: ["x"], address: null,
  kind: { type: "b", b: new URL("https://x.test/") },
};
const bad = [
  { ...good, mail: "nobody" },
  { ...good, name: "root" },
  { ...good, address: { street: "", zip: "1", more: true } },
  { ...good, kind: { type: "c" } },
  { ...good, age: "much", born: "1983-02-30", tags: 5 },
  null,
];

async function all() {
  const lines = [JSON.stringify(User.parse(good))];
  for (const value of bad) {
    const { error } = User.safeParse(value);
    lines.push(error!.message, z.prettifyError(error!), JSON.stringify(z.treeifyError(error!)));
  }
  const later = z.string().refine(async (text) => (await Promise.resolve(text)) !== "x", "not x");
  lines.push(JSON.stringify(await later.safeParseAsync("x")));
  lines.push(JSON.stringify(z.toJSONSchema(z.object({ a: z.number().min(3), b: z.string().array().max(4).optional() }))));
  const file = z.file().max(4).mime("text/plain");
  lines.push(JSON.stringify(file.safeParse(new File(["12345"], "a.txt", { type: "text/plain" }))));
  const tree: z.ZodType = z.lazy(() => z.object({ left: tree.optional(), right: tree.optional() }));
  lines.push(JSON.stringify(tree.safeParse({ left: { right: { left: 5 } } })));
  return lines.join("\n");
}

export default { fetch: async () => new Response(await all()) };
