/** Gateway events: what is recorded of their handlers' runs, and what counts as a difference in a replay. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { openRecording } from "#cli/host/recording";
import { HookDispatcher } from "#core/dispatch";
import { HermesError } from "#core/errors";
import { openDatabase } from "#core/home/database";
import type { Config } from "#core/home/config";
import type { Log } from "#core/home/log";
import type { Recording } from "#core/ports/recordings";
import type { Handler, HandlerTier } from "#core/ports/tier";
import type { HookRegistry } from "#core/registry";
import { replayFirings } from "#daemon/recordings/replay";
import { EmbeddedRecordings } from "#daemon/storage/embedded-recordings";
import { makeHookBench, type HookBench } from "../../helpers/gateway-hooks.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

type Run = Handler["run"];

interface Opened {
  readonly bench: HookBench;
  /** What the handler of each folder does. */
  readonly handlers: Map<string, Run>;
}

/** Gateway hooks whose handlers are mere functions. */
async function openHooks(t: TestContext, hooks: Readonly<Record<string, string>>): Promise<Opened> {
  const handlers = new Map<string, Run>();
  const tier: HandlerTier = {
    source: "worker",
    open: ({ name }) => ({
      run: async (event, context) => handlers.get(name)?.(event, context) ?? null,
      close: async () => undefined,
    }),
    [Symbol.asyncDispose]: async () => undefined,
  };
  const bench = makeHookBench(t, { worker: async () => tier });
  for (const [name, events] of Object.entries(hooks)) {
    bench.write(name, { "HOOK.yaml": `events: ${events}\n`, "handler.js": "export function handle() {}\n" });
  }
  await bench.host.load();
  assert.deepEqual(bench.warnings, []);
  return { bench, handlers };
}

/** Records what `fire` does as a process of this kind would, and gives the store. */
async function record(
  t: TestContext,
  { registry, surface = "gateway", events }: { registry: HookRegistry; surface?: string; events: readonly string[] },
  fire: () => Promise<void>,
): Promise<EmbeddedRecordings> {
  const database = openDatabase(join(temporaryFolder(t), "state.db"));
  t.after(() => database.close());
  const redact = (text: string) => text.replaceAll("SECRET", "[redacted]");
  const error = (sentence: string) => assert.fail(sentence);
  const log: Log = { debug() {}, info() {}, warn() {}, error, child: () => log };
  const parts = { database, files: { redact, log }, events: { dispatcher: new HookDispatcher(), registry }, surface };
  await using recording = openRecording(parts);
  await recording.configure({ values: { record: { enabled: true, events } } } as unknown as Config);
  await fire();
  return new EmbeddedRecordings(database);
}

function replay(store: EmbeddedRecordings, registry: HookRegistry, hook?: string) {
  const { signal } = new AbortController();
  const dispatcher = new HookDispatcher();
  const redact = (text: string) => text;
  return replayFirings(store.read({}), { dispatcher, registry, hook, redact, signal, onProgress() {} });
}

const inShort = ({ event, outcome, runs }: Recording) => [
  event,
  outcome,
  runs.map((run) => `${run.source} ${run.name} ${run.outcome}${run.detail === null ? "" : `: ${run.detail}`}`),
];

const throws = (problem: string) => () => {
  throw new Error(problem);
};

test("an event is recorded once, with the runs of all its hooks and their decision", async (t) => {
  const { bench, handlers } = await openHooks(t, {
    slow: "[agent:end, 'command:*']",
    broken: "['agent:*', agent:end]",
  });
  const { registry, host } = bench;
  registry.register("agent:end", async () => throws("plugin broke")(), { name: "own", source: "plugin" });
  registry.register("agent:end", () => undefined, { name: "forwarder" });
  registry.register("command:model", () => ({ decision: "rewrite", command_name: "m" }), {
    name: "own",
    source: "plugin",
  });
  registry.register("command:odd", () => ({ decision: "perhaps" }), { name: "own", source: "plugin" });
  handlers.set("broken", throws("SECRET is wrong"));
  handlers.set("slow", async (event) => (event === "command:deny" ? { decision: "deny", message: "no" } : null));
  const events = ["agent:end", "agent:*", "command:*", "tui:*"];
  const store = await record(t, { registry, events }, async () => {
    registry.emit_sync("agent:end", { session_id: "s1", message: "SECRET" });
    registry.emit_sync("session:end", {});
    assert.equal(registry.listens("tui:nobody"), true);
    await registry.emit("agent:step");
    for (const name of ["model", "deny", "odd"]) await registry.emit_collect(`command:${name}`, {});
    assert.equal(await host.drain(5000), true);
  });
  const recordings = await Array.fromAsync(store.read({}));
  assert.deepEqual(
    recordings.map(inShort).toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
    [
      [
        "agent:end",
        "error",
        ["worker broken error: [redacted] is wrong", "worker slow pass", "plugin own error: plugin broke"],
      ],
      ["agent:step", "error", ["worker broken error: [redacted] is wrong"]],
      ["command:deny", "block", ["worker slow block: no"]],
      ["command:model", "rewrite", ["plugin own rewrite", "worker slow pass"]],
      [
        "command:odd",
        "error",
        ['plugin own error: unknown decision "perhaps"; use deny, handled or rewrite', "worker slow pass"],
      ],
    ],
  );
  const end = recordings.find(({ event }) => event === "agent:end")!;
  assert.deepEqual([end.session_id, end.surface, end.redacted], ["s1", "gateway", true]);
  assert.deepEqual(await store.count({ event: "command:*" }), 3);
  assert.deepEqual(await store.count({ event: "command:deny" }), 1);
  assert.equal(registry.listens("tui:nobody"), false);
});

test("changed handlers of recorded events make a difference; a decision of another text does for a rewrite", async (t) => {
  const { bench, handlers } = await openHooks(t, { rules: "['command:*']", watch: "['agent:*']" });
  const { registry, host } = bench;
  const rewritten = (name: string) => ({ decision: "rewrite", command_name: name, raw_args: "x" });
  handlers.set("rules", async (event) => (event === "command:r" ? rewritten("one") : null));
  const fire = async () => {
    for (const name of ["r", "d"]) await registry.emit_collect(`command:${name}`, { session_id: "s" });
    await registry.emit("agent:end", {});
    await host.drain(5000);
  };
  const events = ["command:*", "agent:*"];
  const store = await record(t, { registry, events }, fire);
  const hooks = { added: [], removed: [] };
  assert.deepEqual(await replay(store, registry), { firings: 3, same: 3, changed: [], hooks });

  handlers.set("rules", async (event) =>
    event === "command:r" ? rewritten("two") : { decision: "deny", message: "not any more" },
  );
  handlers.set("watch", async () => {
    throw new HermesError("HERMES_HANDLER_TIMEOUT", { name: "watch", event: "agent:end", seconds: 1 });
  });
  const changes = async (hook?: string) =>
    (await replay(store, registry, hook)).changed.map((one) => [
      one.event,
      one.recorded,
      one.now,
      one.hook,
      one.message,
    ]);
  const [rewrite, deny, end] = await changes();
  assert.deepEqual(rewrite, ["command:r", "rewrite", "rewrite", "rules", "The text differs."]);
  assert.deepEqual(deny, ["command:d", "pass", "block", "rules", "not any more"]);
  assert.deepEqual(end!.slice(0, 4), ["agent:end", "pass", "timeout", "watch"]);
  assert.deepEqual((await changes("watch")).length, 1);

  // Chat does not load gateway hooks, so what chat recorded does not reach them.
  const fromChat = await record(t, { registry, surface: "cli", events: ["agent:*"] }, async () => {
    await registry.emit("agent:end", {});
    await host.drain(5000);
  });
  const ran = bench.runs.length;
  await replay(fromChat, registry);
  assert.equal(bench.runs.length, ran);
});

test("what a handler emits in a replay reaches no gateway hook, and an interrupted replay does not wait", async (t) => {
  const { bench, handlers } = await openHooks(t, { watch: "['agent:*', 'own:*']" });
  const { registry } = bench;
  const seen: string[] = [];
  handlers.set("watch", async (event) => void seen.push(event));
  const emits = () => registry.emit("own:event", {});
  registry.register("agent:end", emits, { name: "own", source: "plugin" });
  const store = await record(t, { registry, events: ["agent:*"] }, async () => {
    await registry.emit("agent:end", {});
    assert.equal(await bench.host.drain(5000), true);
  });
  assert.deepEqual(seen.splice(0).toSorted(), ["agent:end", "own:event"]);
  assert.equal((await replay(store, registry)).same, 1);
  assert.deepEqual(seen, ["agent:end"]);

  const stop = new AbortController();
  const hanging = Promise.withResolvers<void>();
  handlers.set("watch", () => {
    stop.abort();
    return hanging.promise;
  });
  const options = { dispatcher: new HookDispatcher(), registry, redact: String, signal: stop.signal, onProgress() {} };
  await assert.rejects(replayFirings(store.read({}), options), { code: "HERMES_INTERRUPTED" });
  hanging.resolve();
});
