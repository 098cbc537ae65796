/** The last good version of a hook, in threads and isolates that start after its files have changed: the same input in both tiers. */
import test from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTier } from "#cli/tiers";
import { openMemoryDatabase } from "#core/home/database";
import { TIERS, type TierName } from "#core/tiers";
import { makeHookBench, type HookBench } from "../../helpers/gateway-hooks.ts";

/** `loop` runs into the deadline; END, which takes no time, is its tier's own. */
const HANDLER = `
import { version } from "./lib/version.ts";
import { shared } from "./linked/shared.mjs";
import words from "./words.json" with { type: "json" };
let runs = 0;
export function handle(_event: string, context: { args?: string }) {
  if (context.args === "loop") for (;;) runs++;
  if (context.args === "end") END;
  return { decision: "handled", message: [version, shared, words.version, ++runs].join(" ") };
}
`;

/** The changed files; each change leaves the previous version as the last good one. */
const CHANGES: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  "its helper is half-written": { "lib/version.ts": "export const version = ;" },
  "its JSON is half-written": { "words.json": '{"version":' },
  "its handler is empty": { "handler.ts": "" },
  "its helper is gone": { "lib/version.ts": undefined },
  "its manifest is broken": { "HOOK.yaml": "events: 7", "lib/version.ts": 'export const version: string = "new";' },
};

/** The tiers that run scripts; `test/sandbox/python/` has the same in Python. */
type ScriptTier = Exclude<TierName, "python">;

/** Where the link `linked` leads. What an isolate imports is below the hook's folder, links or not. */
const TARGETS: Readonly<Record<ScriptTier, string>> = { worker: "../../elsewhere", isolate: "elsewhere" };
/** What ends the thread or the isolate at once. */
const ENDS: Readonly<Record<ScriptTier, string>> = {
  worker: "process.exit(3)",
  isolate: "for (const kept = []; ; ) kept.push(Array(100_000).fill(runs))",
};
/** A link to remove. To an isolate one between two folders of the hook is read when it is imported. */
const LINKS: Readonly<Record<ScriptTier, string>> = { worker: "linked", isolate: "unused" };

for (const { name: tier } of TIERS) {
  if (tier === "python") continue;
  for (const [number, [change, files]] of Object.entries(CHANGES).entries()) {
    test(`${tier}: when ${change}, a thread that is killed and started again runs the last good version`, async (t) => {
      // One change waits for the deadline, which takes seconds of a processor; the next thread starts in the same way.
      const [end, outcome] = number === 0 ? ["loop", /^timeout$/] : ["end", /^error$/];
      const bench = await open(t, tier, end === "loop" ? 3 : 30);
      assert.equal(await ask(bench), "one shared words 1");
      bench.write("hook", files);
      const { failures } = await bench.host.reload();
      assert.match(failures.join(), /keeps running/);
      assert.equal(await ask(bench), "one shared words 2");
      // The thread or the isolate ends, and what runs next begins afresh.
      assert.equal(await ask(bench, end), undefined);
      assert.match(bench.runs.at(-1)?.outcome ?? "", outcome);
      assert.equal(await ask(bench), "one shared words 1");
      // Once more, and without a reload in between.
      assert.equal(await ask(bench, end), undefined);
      assert.equal(await ask(bench), "one shared words 1");
    });
  }

  test(`${tier}: a version whose files broke before its first event is loaded as it was accepted`, async (t) => {
    const bench = await open(t, tier);
    bench.write("hook", { "words.json": "{", "lib/version.ts": undefined });
    rmSync(join(bench.folder, "hook", LINKS[tier]));
    await bench.host.reload();
    assert.equal(await ask(bench), "one shared words 1");
    bench.write("hook", { "words.json": '{"version":"mended"}', "lib/version.ts": 'export const version = "two";' });
    symlinkSync(TARGETS[tier], join(bench.folder, "hook", LINKS[tier]));
    assert.deepEqual((await bench.host.reload()).failures, []);
    assert.equal(await ask(bench), "two shared mended 1");
  });
}

test("worker: a CommonJS helper and a file that is imported later are of the accepted version, too", async (t) => {
  const bench = makeHookBench(t, { settings: () => ({ timeoutSeconds: 5 }) });
  bench.write("hook", {
    "HOOK.yaml": "events: [command:v]\n",
    "handler.mjs": `
      import helper from "./helper.cjs";
      export async function handle() {
        const { late } = await import("./late.ts?v=1");
        return { decision: "handled", message: helper.name + " " + late };
      }`,
    "helper.cjs": 'const { inner } = require("./inner.cjs");\nexports.name = inner;\n',
    "inner.cjs": 'exports.inner = "old";\n',
    "late.ts": 'export const late: string = "old";',
  });
  await bench.host.load();
  bench.write("hook", { "helper.cjs": "(", "inner.cjs": "(", "late.ts": "(", "handler.mjs": "export const handle =" });
  assert.equal((await bench.host.reload()).failures.length, 1);
  assert.equal(await ask(bench), "old old", bench.lines.join("\n"));
});

const noPython = () => Promise.reject(new Error("no script needs it"));

async function open(t: test.TestContext, tier: ScriptTier, seconds = 30): Promise<HookBench> {
  const database = openMemoryDatabase();
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => log };
  const bench = makeHookBench(t, { worker: (name) => createTier(name, { env: {}, database, log, python: noPython }) });
  const manifest = `events: [command:v]\nisolation: ${tier}\ntimeout_seconds: ${seconds}\nmemory_mb: 64\n`;
  bench.write("hook", {
    "HOOK.yaml": manifest,
    "handler.ts": HANDLER.replace("END", ENDS[tier]),
    "words.json": '{"version":"words"}',
  });
  bench.write("hook", { "lib/version.ts": 'export const version: string = "one";' });
  const shared = join(bench.folder, "hook", TARGETS[tier]);
  mkdirSync(shared);
  writeFileSync(join(shared, "shared.mjs"), 'export const shared = "shared";');
  symlinkSync(TARGETS[tier], join(bench.folder, "hook/linked"));
  if (LINKS[tier] !== "linked") symlinkSync(TARGETS[tier], join(bench.folder, "hook", LINKS[tier]));
  await bench.host.load();
  assert.deepEqual(bench.warnings, []);
  return bench;
}

/** The handler's message; undefined when it decided nothing. */
async function ask(bench: HookBench, args = ""): Promise<unknown> {
  const [answer] = await bench.registry.emit_collect<{ message: string }>("command:v", { command: "v", args });
  await bench.host.drain(30_000);
  return answer?.message;
}
