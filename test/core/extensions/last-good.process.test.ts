/** Both kinds of extension keep their last good version: plugins and gateway hooks, on the same input. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeHookBench } from "../../helpers/gateway-hooks.ts";
import { loadFixtures } from "../../helpers/plugins.ts";

interface Bench {
  /** The folder of the extensions. */
  readonly folder: string;
  readonly entry: string;
  readonly manifest: string;
  /** Reloads; what it says about versions that cannot be used, or null when it reloaded nothing and said nothing. */
  reload(): Promise<readonly string[] | null>;
  /** The version that runs; undefined when none does. */
  running(): Promise<string | undefined>;
}

const KINDS: Readonly<Record<string, (t: TestContext) => Promise<Bench>>> = {
  async plugin(t) {
    const bench = await loadFixtures(t, [], {
      written: { "one/plugin.yaml": "name: one\n", ...codeOf("one", "plugin", "v1") },
      enabled: ["one", "two"],
    });
    return {
      folder: bench.folder,
      entry: "index.ts",
      manifest: "name: one\n",
      async reload() {
        const staged = await bench.host.stage(bench.config);
        staged?.swap();
        return staged === undefined
          ? null
          : staged.problems.filter((sentence) => !sentence.startsWith("plugins.enabled"));
      },
      async running() {
        const decision = (await bench.fire("pre_llm_call")) as { text?: string };
        return decision.text;
      },
    };
  },
  async "gateway hook"(t) {
    const bench = makeHookBench(t);
    bench.write("one", { "HOOK.yaml": "events: [command:v]\n" });
    for (const [file, text] of Object.entries(codeOf("one", "gateway hook", "v1"))) put(join(bench.folder, file), text);
    await bench.host.load();
    return {
      folder: bench.folder,
      entry: "handler.ts",
      manifest: "events: [command:v]\n",
      async reload() {
        const { changes, failures } = await bench.host.reload();
        return changes.length + failures.length === 0 ? null : failures;
      },
      async running() {
        const [answer] = await bench.registry.emit_collect<{ message: string }>("command:v", {});
        return answer?.message;
      },
    };
  },
};

for (const [kind, open] of Object.entries(KINDS)) {
  test(`${kind}: what is broken keeps the last good version with its reason, until it is repaired`, async (t) => {
    const bench = await open(t);
    const helper = join(bench.folder, "one/version.ts");
    assert.equal(await bench.running(), "v1");
    assert.equal(await bench.reload(), null, "nothing has changed");
    put(helper, "export const version = ;\n");
    const [broken, ...others] = (await bench.reload()) ?? [];
    assert.match(broken ?? "", /one.*last valid version|last valid version.*one/s);
    assert.ok(broken?.includes(`${helper}:1`), broken);
    assert.deepEqual(others, []);
    assert.equal(await bench.running(), "v1");
    put(helper, 'export const version: string = "v2";\n');
    assert.deepEqual(await bench.reload(), []);
    assert.equal(await bench.running(), "v2");
    assert.equal(await bench.reload(), null, "the repaired version is not loaded twice");
    put(helper, 'export const version: string = "v2";\n');
    assert.equal(await bench.reload(), null, "the same text again is no change");
  });

  test(`${kind}: a broken manifest keeps it; a folder that is removed does not`, async (t) => {
    const bench = await open(t);
    const manifest = join(bench.folder, "one", bench.entry === "index.ts" ? "plugin.yaml" : "HOOK.yaml");
    put(manifest, "name: [one");
    assert.match((await bench.reload())?.join() ?? "", /last valid version/);
    assert.equal(await bench.running(), "v1");
    put(manifest, bench.manifest);
    await bench.reload();
    assert.equal(await bench.running(), "v1");
    rmSync(join(bench.folder, "one"), { recursive: true });
    assert.deepEqual(await bench.reload(), []);
    assert.equal(await bench.running(), undefined);
  });

  test(`${kind}: a folder with another name is another extension; it runs once`, async (t) => {
    const bench = await open(t);
    renameSync(join(bench.folder, "one"), join(bench.folder, "two"));
    put(join(bench.folder, "two/version.ts"), 'export const version = "v3";\n');
    assert.deepEqual(await bench.reload(), []);
    assert.equal(await bench.running(), "v3");
    // What was good under the old name is nothing to keep under the new one.
    renameSync(join(bench.folder, "two"), join(bench.folder, "one"));
    put(join(bench.folder, "one/version.ts"), "export const version = ;\n");
    await bench.reload();
    assert.equal(await bench.running(), undefined);
  });
}

function codeOf(folder: string, kind: string, version: string): Readonly<Record<string, string>> {
  const entry =
    kind === "plugin"
      ? 'export const register = (ctx: any) => ctx.register_hook("pre_llm_call", () => version);'
      : 'export const handle = () => ({ decision: "handled", message: version });';
  return {
    [`${folder}/${kind === "plugin" ? "index.ts" : "handler.ts"}`]: `import { version } from "./version.ts";\n${entry}\n`,
    [`${folder}/version.ts`]: `export const version: string = "${version}";\n`,
  };
}

function put(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
