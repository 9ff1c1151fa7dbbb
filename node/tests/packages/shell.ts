// The workspace of @cloudflare/shell: files in an object's SQL and in R2, and what code that
// a dynamic worker runs makes of them.
import { DurableObject } from "cloudflare:workers";
import { DynamicWorkerExecutor, resolveProvider } from "@cloudflare/codemode";
import { Workspace } from "@cloudflare/shell";
import { stateTools } from "@cloudflare/shell/workers";

export class Shop extends DurableObject {
  changes = [];
  workspace = new Workspace({
    sql: this.ctx.storage.sql,
    r2: this.env.FILES,
    r2Prefix: "shop",
    inlineThreshold: 64,
    onChange: ({ type, path }) => this.changes.push(`${type} ${path}`),
  });

  /** Small files lie in the object's database, large ones in R2. */
  async files() {
    const { workspace } = this;
    await workspace.mkdir("/src/deep", { recursive: true });
    await workspace.writeFile("/src/a.ts", "const a = 1;\n");
    await workspace.appendFile("/src/a.ts", "// more\n");
    await workspace.writeFileBytes("/src/large.bin", new Uint8Array(100).fill(7));
    await workspace.symlink("/src/a.ts", "/link");
    await workspace.cp("/src/a.ts", "/src/deep/b.ts");
    await workspace.mv("/src/deep/b.ts", "/src/c.ts");
    const large = await workspace.readFileBytes("/src/large.bin");
    const { objects } = await this.env.FILES.list();
    return [
      await workspace.readFile("/link"),
      (await workspace.glob("/src/**/*.ts")).map(({ path }) => path),
      large.length,
      objects.map(({ key, size }) => [key, size]),
      await workspace.getWorkspaceInfo(),
      await workspace.diffContent("/src/a.ts", "const a = 2;\n"),
      this.changes.length,
    ];
  }

  /** Code in a worker of its own, whose `state` is the workspace. */
  async run() {
    const executor = new DynamicWorkerExecutor({ loader: this.env.LOADER, timeout: 10_000 });
    const code = `async () => {
      await state.writeJson("/config.json", { debug: true });
      await state.replaceInFile("/src/a.ts", "1", "2");
      const found = await state.searchFiles("/src/*.ts", "const");
      await state.createArchive("/all.tar", ["/src"]);
      const archived = await state.listArchive("/all.tar");
      await state.compressFile("/src/a.ts", "/a.gz");
      await state.decompressFile("/a.gz", "/copy.ts");
      return [
        await state.readFile("/src/a.ts"),
        found.length,
        await state.readJson("/config.json"),
        archived.map(({ path }) => path),
        await state.hashFile("/copy.ts") === await state.hashFile("/src/a.ts"),
      ];
    }`;
    const { result, error } = await executor.execute(code, [
      resolveProvider(stateTools(this.workspace)),
    ]);
    return error ?? result;
  }
}

export default {
  async fetch(request, env) {
    const shop = env.SHOP.getByName("one");
    return Response.json([await shop.files(), await shop.run()]);
  },
};
