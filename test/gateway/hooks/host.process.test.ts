/** The host of hook folders with real threads: what it registers, what a reload takes over, what it keeps. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createWorkerTier } from "#sandbox/worker/pool";
import { makeHookBench, type HookBench, type HookBenchOptions } from "../../helpers/gateway-hooks.ts";
import { until } from "../../helpers/poll.ts";

const NOTHING = { changes: [], warnings: [], failures: [] };

/** A handler that writes `<version> <n>` to the file `seen`, once the file `go` is there if it is told to wait. */
const recorder = (version: string) => `
import { appendFileSync, existsSync } from "node:fs";
export async function handle(event: string, context: { n?: unknown; wait?: boolean }) {
  if (context.wait) while (!existsSync("HOOK_BENCH/go")) await new Promise((wake) => setTimeout(wake, 5));
  appendFileSync("HOOK_BENCH/seen", "${version} " + (context.n ?? event) + "\\n");
}
`;

const manifest = (events: string, rest = "") => `events: ${events}\n${rest}`;

async function loaded(t: TestContext, version = "v1", options: HookBenchOptions = {}): Promise<HookBench> {
  const bench = makeHookBench(t, options);
  bench.write("recorder", { "HOOK.yaml": manifest("[agent:step]"), "handler.ts": recorder(version) });
  await bench.host.load();
  assert.deepEqual(bench.warnings, []);
  return bench;
}

const seen = (bench: HookBench) => bench.read("seen").trim().split("\n").filter(Boolean);

test("no hooks folder is nothing at all", async (t) => {
  const { host, warnings, lines } = makeHookBench(t);
  await host.load();
  assert.deepEqual(host.list(), []);
  assert.deepEqual([...warnings, ...lines], []);
});

test("a hook is registered under its name, with its description, its events and its folder", async (t) => {
  const bench = makeHookBench(t);
  const described = 'name: second\ndescription: "Two events"\nevents: [agent:end, "command:*"]\n';
  bench.write("b", { "HOOK.yaml": described, "handler.ts": recorder("b") });
  bench.write("a", { "HOOK.yaml": manifest("[agent:end]"), "handler.mjs": "export function handle() {}" });
  bench.write("off", { "HOOK.yaml": manifest("[agent:end]", "enabled: false"), "handler.ts": "" });
  bench.write("bad", { "HOOK.yaml": "events: 7", "handler.ts": "" });
  await bench.host.load();
  assert.deepEqual(bench.registry.loaded_hooks, [
    { name: "a", description: "", events: ["agent:end"], path: join(bench.folder, "a") },
    { name: "second", description: "Two events", events: ["agent:end", "command:*"], path: join(bench.folder, "b") },
  ]);
  assert.deepEqual(
    bench.host.list().map(({ directory, name, state, reason }) => [directory, name, state, reason]),
    [
      ["a", "a", "loaded", null],
      ["b", "second", "loaded", null],
      ["bad", "bad", "skipped", `${join(bench.folder, "bad/HOOK.yaml")}:1: events is 7; expected a list`],
      ["off", "off", "disabled", null],
    ],
  );
  assert.match(bench.warnings.join(), /The gateway hook hooks\/bad is skipped: .*HOOK\.yaml:1: events is 7/);
  const identities = bench.host.identities();
  assert.deepEqual(identities[2], { source: "worker", name: "second", event: "command:*", command: null, dropped: 0 });
  await bench.registry.emit("agent:end");
  assert.ok(await bench.host.drain(30_000));
  assert.deepEqual(bench.runs.map(({ name }) => name).toSorted(), ["a", "second"]);
});

test("safe mode loads nothing", async (t) => {
  const bench = makeHookBench(t, { safeMode: true });
  bench.write("x", { "HOOK.yaml": manifest("[agent:step]"), "handler.ts": recorder("x") });
  await bench.host.load();
  assert.deepEqual(await bench.host.reload(), NOTHING);
  assert.deepEqual(bench.registry.loaded_hooks, []);
});

test("an event that a hook lists by name and by namespace reaches it once", async (t) => {
  const bench = makeHookBench(t);
  bench.write("x", { "HOOK.yaml": manifest('["agent:*", agent:end]'), "handler.ts": recorder("x") });
  await bench.host.load();
  for (const event of ["agent:end", "agent:start"]) await bench.registry.emit(event);
  assert.ok(await bench.host.drain(30_000));
  assert.deepEqual(seen(bench), ["x agent:end", "x agent:start"]);
});

test("a reload without a change changes nothing; touching a file is none", async (t) => {
  const bench = await loaded(t);
  await bench.run("agent:step");
  const identities = bench.host.identities();
  assert.deepEqual(await bench.host.reload(), NOTHING);
  utimesSync(join(bench.folder, "recorder/handler.ts"), new Date(), new Date());
  // Files that hold no code may be what the handler itself writes.
  bench.write("recorder", { "activity.log": "1", "state.json": "{}" });
  assert.deepEqual(await bench.host.reload(), NOTHING);
  bench.write("recorder", { "activity.log": "1, 2", "state.json": '{"a":1}' });
  assert.deepEqual(await bench.host.reload(), NOTHING);
  assert.equal(bench.host.identities()[0], identities[0]);
  // Unless somebody asks for every file.
  const { changes } = await bench.host.reload({ everyFile: true });
  assert.deepEqual(changes, ['gateway hook "recorder" is reloaded']);
});

test("a change of the handler, of what it imports, and of its manifest is taken over", async (t) => {
  const bench = await loaded(t);
  const anew = { ...NOTHING, changes: ['gateway hook "recorder" is reloaded'] };
  const step = async (expected: string) => {
    await bench.run("agent:step");
    assert.equal(seen(bench).at(-1), expected);
  };
  await step("v1 agent:step");
  const helped = recorder("v1").replace('"v1 "', 'version + messages.hi + " "');
  const imports =
    'import { version } from "./lib/version.ts";\nimport messages from "./messages.json" with { type: "json" };\n';
  bench.write("recorder", {
    "handler.ts": imports + helped,
    "lib/version.ts": 'export const version: string = "v2";',
    "messages.json": '{"hi":"!"}',
  });
  assert.deepEqual(await bench.host.reload(), anew);
  await step("v2! agent:step");
  bench.write("recorder", { "lib/version.ts": 'export const version: string = "v3";' });
  assert.deepEqual(await bench.host.reload(), anew);
  await step("v3! agent:step");
  bench.write("recorder", { "messages.json": '{"hi":"?"}' });
  assert.deepEqual(await bench.host.reload(), anew);
  await step("v3? agent:step");
  bench.write("recorder", { "HOOK.yaml": manifest("[agent:end]") });
  assert.deepEqual(await bench.host.reload(), anew);
  await bench.registry.emit("agent:step");
  assert.equal((await bench.run("agent:end")).event, "agent:end");
  assert.deepEqual(seen(bench).at(-1), "v3? agent:end");
});

test("events in flight end on the old version, the next uses the new one, in order, nothing twice", async (t) => {
  const bench = await loaded(t);
  const { emit } = bench.registry;
  await emit.call(bench.registry, "agent:step", { n: 0 });
  assert.ok(await bench.host.drain(30_000));
  await emit.call(bench.registry, "agent:step", { n: 1, wait: true });
  await emit.call(bench.registry, "agent:step", { n: 2 });
  bench.write("recorder", { "handler.ts": recorder("v2") });
  assert.equal((await bench.host.reload()).changes.length, 1);
  await emit.call(bench.registry, "agent:step", { n: 3 });
  bench.write("recorder", { "handler.ts": recorder("v3") });
  assert.equal((await bench.host.reload()).changes.length, 1);
  await emit.call(bench.registry, "agent:step", { n: 4 });
  assert.equal(await bench.host.drain(20), false);
  writeFileSync(bench.path("go"), "");
  assert.ok(await bench.host.drain(30_000));
  // The second version was replaced before its first event was due; whichever of the two runs it, it runs once.
  assert.deepEqual(
    seen(bench).filter((line) => !line.endsWith(" 3")),
    ["v1 0", "v1 1", "v1 2", "v3 4"],
  );
  assert.match(seen(bench)[3]!, /^v[23] 3$/);
});

test("what waits behind a version that hangs goes to the one that mends it", async (t) => {
  let timeoutSeconds = 0.5;
  const bench = makeHookBench(t, { settings: () => ({ timeoutSeconds }) });
  bench.write("x", {
    "HOOK.yaml": manifest("[agent:step]"),
    "handler.ts": "export const handle = () => new Promise(() => {});",
  });
  await bench.host.load();
  // So many that a slow machine has loaded the new version before all of them have timed out.
  for (let n = 0; n < 200; n++) await bench.registry.emit("agent:step", { n });
  await until(() => bench.runs.length > 0, "the first event timed out");
  timeoutSeconds = 30;
  bench.write("x", { "handler.ts": recorder("mended") });
  await bench.host.reload();
  assert.ok(await bench.host.drain(30_000));
  const mended = seen(bench);
  const hung = bench.runs.filter(({ outcome }) => outcome === "timeout").length;
  assert.equal(hung + mended.length, 200);
  assert.ok(mended.length > 10, `only ${mended.length} of 200 events reached the mended version`);
  assert.deepEqual(
    mended,
    Array.from({ length: mended.length }, (_, index) => `mended ${hung + index}`),
  );
});

test("a bad manifest, a half-written handler and a second one keep the last good version, and say so", async (t) => {
  const bench = await loaded(t);
  await bench.run("agent:step");
  const stay = async (files: Record<string, string | undefined>, reason: RegExp) => {
    bench.write("recorder", files);
    const { changes, failures } = await bench.host.reload();
    assert.deepEqual(changes, []);
    assert.equal(failures.length, 1);
    assert.match(failures[0]!, reason);
    assert.match(failures[0]!, /The last valid version of the gateway hook "recorder" keeps running\.$/);
    assert.deepEqual(await bench.host.reload(), { ...NOTHING, failures });
    const [listing] = bench.host.list();
    assert.equal(listing?.state, "kept");
    assert.match(listing?.reason ?? "", reason);
    await bench.run("agent:step");
    assert.equal(seen(bench).at(-1), "v1 agent:step");
  };
  await stay({ "HOOK.yaml": "events: [agent:" }, /HOOK\.yaml:1: not valid YAML/);
  await stay({ "HOOK.yaml": "" }, /HOOK\.yaml:1: expected keys/);
  await stay({ "HOOK.yaml": manifest("[agent:step]"), "handler.ts": "export function handle(" }, /handler\.ts:1: .*/);
  await stay({ "handler.ts": "" }, /handler\.ts is empty/);
  await stay(
    { "handler.ts": 'import { appendFileSync } from "node:fs";\nexpor' },
    /handler\.ts does not export a function "handle"/,
  );
  await stay(
    { "handler.ts": `import "./lib/late.ts";\n${recorder("v1")}` },
    /imports "\.\/lib\/late\.ts", but there is no such file/,
  );
  await stay({ "lib/late.ts": "export const late = {" }, /lib\/late\.ts:1: /);
  bench.write("recorder", { "lib/late.ts": undefined });
  await stay({ "handler.ts": recorder("v1"), "handler.js": "x" }, /there are several handlers/);
  bench.write("recorder", { "handler.js": undefined });
  // What was there before is there again: nothing has changed.
  assert.deepEqual(await bench.host.reload(), NOTHING);
  bench.write("recorder", { "handler.ts": recorder("v2") });
  assert.equal((await bench.host.reload()).changes.length, 1);
  await bench.run("agent:step");
  assert.equal(seen(bench).at(-1), "v2 agent:step");
  assert.equal(bench.host.list()[0]?.state, "loaded");
});

test("folders come, go, are switched off, and the whole of hooks/ is deleted and made again", async (t) => {
  const bench = await loaded(t);
  bench.write("other", { "HOOK.yaml": manifest("[agent:end]"), "handler.ts": recorder("other") });
  assert.deepEqual((await bench.host.reload()).changes, ['gateway hook "other" is loaded']);
  bench.write("other", { "HOOK.yaml": manifest("[agent:end]", "enabled: false") });
  assert.deepEqual((await bench.host.reload()).changes, ['gateway hook "other" is no longer loaded']);
  bench.write("other", { "HOOK.yaml": manifest("[agent:end]") });
  assert.deepEqual((await bench.host.reload()).changes, ['gateway hook "other" is loaded']);
  bench.write("other", { "HOOK.yaml": undefined });
  const { changes, warnings, failures } = await bench.host.reload();
  assert.deepEqual(changes, ['gateway hook "other" is no longer loaded']);
  assert.deepEqual(failures, []);
  assert.match(warnings.join(), /hooks\/other is skipped: .* has no HOOK\.yaml/);
  renameSync(bench.folder, bench.path("aside"));
  assert.deepEqual((await bench.host.reload()).changes, ['gateway hook "recorder" is no longer loaded']);
  assert.deepEqual(bench.registry.loaded_hooks, []);
  await bench.registry.emit("agent:step");
  symlinkSync(bench.folder, bench.folder);
  assert.match((await bench.host.reload()).warnings.join(), /cannot be read, so there are no gateway hooks: ELOOP/);
  rmSync(bench.folder);
  mkdirSync(bench.folder);
  renameSync(join(bench.path("aside"), "recorder"), join(bench.folder, "recorder"));
  assert.deepEqual((await bench.host.reload()).changes, ['gateway hook "recorder" is loaded']);
  await bench.run("agent:step");
  assert.deepEqual(seen(bench), ["v1 agent:step"]);
});

test("hooks keep the order of their folders, whichever changes", async (t) => {
  const bench = makeHookBench(t);
  const named = (name: string) => ({
    "HOOK.yaml": manifest('["command:*"]'),
    "handler.ts": `export const handle = () => ({ decision: "handled", message: "${name}" });`,
  });
  for (const name of ["a", "c"]) bench.write(name, named(name));
  await bench.host.load();
  bench.write("b", named("b"));
  bench.write("a", named("a2"));
  await bench.host.reload();
  const messages = await bench.registry.emit_collect("command:x");
  assert.deepEqual(
    messages.map((answer) => (answer as { message: string }).message),
    ["a2", "b", "c"],
  );
});

test("a timeout of the configuration that changes is taken over", async (t) => {
  let seconds = 30;
  const bench = await loaded(t, "v1", { settings: () => ({ timeoutSeconds: seconds }) });
  assert.equal(bench.host.list()[0]?.hook?.timeoutSeconds, 30);
  seconds = 5;
  assert.equal((await bench.host.reload()).changes.length, 1);
  assert.equal(bench.host.list()[0]?.hook?.timeoutSeconds, 5);
});

test("what a slow hook drops is counted for its events and noted in the log", async (t) => {
  const bench = await loaded(t);
  await bench.registry.emit("agent:step", { n: 0, wait: true });
  await new Promise((wake) => setImmediate(wake));
  for (let n = 1; n <= 1030; n++) void bench.registry.emit("agent:step", { n });
  assert.equal(bench.host.identities()[0]?.dropped, 6);
  assert.match(
    bench.lines.join("\n"),
    /warn gateway hook "recorder" cannot keep up: its full queue has dropped 1 event so far/,
  );
  writeFileSync(bench.path("go"), "");
  assert.ok(await bench.host.drain(60_000));
  assert.equal(seen(bench).length, 1025);
});

test("a tier that cannot be made is an error of the run, and is made at the next event", async (t) => {
  let turns = 0;
  const bench = makeHookBench(t, {
    worker: () => (turns++ === 0 ? Promise.reject(new Error("no threads")) : Promise.resolve(createWorkerTier())),
  });
  bench.write("recorder", { "HOOK.yaml": manifest("[agent:step]"), "handler.ts": recorder("v1") });
  await bench.host.load();
  const failed = await bench.run("agent:step");
  assert.deepEqual([failed.outcome, failed.detail], ["error", "no threads"]);
  assert.equal((await bench.run("agent:step")).outcome, "pass");
});

test("closing ends what runs at once, and nothing is left in the registry", async (t) => {
  const bench = makeHookBench(t);
  bench.write("x", {
    "HOOK.yaml": manifest('[agent:step, "command:*"]'),
    "handler.ts": "export const handle = () => { for (;;); };",
  });
  await bench.host.load();
  await bench.registry.emit("agent:step");
  const decision = bench.registry.emit_collect("command:x");
  await bench.host[Symbol.asyncDispose]();
  assert.deepEqual(await decision, []);
  assert.deepEqual(bench.registry.loaded_hooks, []);
  assert.deepEqual(await bench.host.reload(), NOTHING);
});

test("what a handler leaves uncaught at every event is logged once a minute, each kind separately", async (t) => {
  const bench = makeHookBench(t);
  bench.write("careless", {
    "HOOK.yaml": "events: [a:b]\n",
    "handler.ts": `export function handle() {
      void Promise.reject(new Error("left behind"));
      setTimeout(() => { throw new Error("thrown later"); });
      return new Promise((end) => setTimeout(end, 5));
    }`,
  });
  await bench.host.load();
  for (let turn = 0; turn < 4; turn++) assert.equal((await bench.run("a:b", {})).outcome, "pass");
  assert.deepEqual(bench.lines.map((line) => line.replace(/ \(.*\)$/, "")).toSorted(), [
    'error gateway hook "careless" left an unhandled rejection: left behind',
    'error gateway hook "careless" threw outside its calls: thrown later',
  ]);
});
