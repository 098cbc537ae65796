/** Handlers that misbehave in an isolate: each has its own failure, and its next event, and its neighbour, work. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import test, { after, before, suite } from "node:test";
import { until } from "../helpers/processes.ts";
import { Isolates, isolateProcesses, type HookOptions, type IsolatedHook } from "../helpers/isolates.ts";

const fixtures = resolve(import.meta.dirname, "../fixtures");
const HANDLERS = join(fixtures, "handlers");
const ISOLATED = join(fixtures, "isolated-handlers");

const FAILED = "HERMES_HANDLER_FAILED";
const TIMEOUT = "HERMES_HANDLER_TIMEOUT";
const DIED = "HERMES_HANDLER_DIED";
const UNUSABLE = "HERMES_HANDLER_UNUSABLE";

/** What a handler does when told to misbehave: the message of its answer, or the failure of its run. */
type Expected = { readonly answers: RegExp } | { readonly fails: string; readonly because: RegExp };

const answers = (message: RegExp | string): Expected => ({ answers: new RegExp(message) });
const fails = (code: string, because: RegExp): Expected => ({ fails: code, because });
const outOfMemory = fails(DIED, /ran out of memory \(memory_mb is 32\)/);
const tooSlow = fails(TIMEOUT, /did not end within/);

/** Every folder of test/fixtures/handlers. */
const SHARED: Readonly<Record<string, Expected>> = {
  exits: fails(FAILED, /there is no process\.exit \(handler\.ts:4:9\)$/),
  "grows-a-map": outOfMemory,
  "grows-an-array": outOfMemory,
  "grows-buffers": fails(FAILED, /Array buffer allocation failed/),
  "imports-node-fs-later": fails(FAILED, /import\("node:fs"\) is refused in an isolate.*\(handler\.ts:3:\d+\)$/),
  "leaves-a-rejection": answers("^answered$"),
  loops: tooSlow,
  "loops-after-await": tooSlow,
  "loops-in-microtasks": fails(DIED, /memory/),
  "never-settles": tooSlow,
  "prints-json": answers("^null$"),
  recurses: fails(FAILED, /Maximum call stack size exceeded/),
  "rejects-at-once": fails(FAILED, /rejected at once \(handler\.ts:3:9\)$/),
  "replaces-prototypes": answers("^replaced$"),
  "returns-a-bigint": fails(FAILED, /BigInt/),
  "returns-a-circle": fails(FAILED, /circular/),
  "returns-a-function": fails(FAILED, /it answered a function, which is no data/),
  "returns-a-huge-text": outOfMemory,
  "returns-a-proxy": fails(FAILED, /trapped/),
  "returns-a-symbol": fails(FAILED, /it answered a symbol, which is no data/),
  "returns-hostile-json": fails(FAILED, /no JSON of me/),
  "returns-throwing-getters": fails(FAILED, /do not look/),
  throws: fails(FAILED, /thrown on purpose \(handler\.ts:3:9\)$/),
  "throws-a-string": fails(FAILED, /it threw "a bare string"$/),
  "throws-hostile-getters": fails(FAILED, /it threw something that cannot be shown$/),
  "throws-later": answers("^answered$"),
  "throws-null": fails(FAILED, /it threw null$/),
};

/** Of the same folder, those that cannot even be loaded. */
const UNLOADABLE: Readonly<Record<string, Expected>> = {
  "bad-syntax": fails(UNUSABLE, /bad-syntax\/handler\.ts: Expected ',', got 'null' \(handler\.ts:2\)$/),
  "exports-no-handle": fails(UNUSABLE, /it exports no function handle/),
  "imports-its-neighbour": fails(UNUSABLE, /it imports "\.\.\/throws\/handler\.ts", which is refused/),
  "imports-node-fs": fails(UNUSABLE, /it imports "node:fs", which is refused: .*own folder only/),
  "loops-at-top-level": tooSlow,
  "throws-at-top-level": fails(UNUSABLE, /thrown while loaded \(handler\.ts:1:7\)$/),
  "waits-at-top-level": tooSlow,
};

/** Every file of test/fixtures/isolated-handlers. */
const OWN: Readonly<Record<string, Expected & HookOptions>> = {
  "answers-a-deep-array": fails(FAILED, /nested more than 100 deep/),
  "answers-a-prototype": answers("^answered$"),
  "answers-a-thenable": answers("^first$"),
  backtracks: tooSlow,
  "breaks-promises": { ...answers("^asked nobody$"), allow: { kv: true } },
  "computes-after-answering": answers("^answered$"),
  "computes-bigints": tooSlow,
  "floods-the-host": {
    ...answers(
      "^more than 100 calls of host.kv at a time; more than 100 timers at a time; more than 1000 calls of host.kv in one run$",
    ),
    allow: { kv: true },
    timeoutSeconds: 20,
  },
  "floods-the-log": { ...answers("^flooded$"), timeoutSeconds: 20 },
  "grows-a-text": fails(DIED, /ran out of memory/),
  "grows-outside-the-heap": { ...fails(DIED, /far more memory than its memory_mb/), timeoutSeconds: 60 },
  "grows-resizable-buffers": { ...fails(DIED, /far more memory than its memory_mb/), timeoutSeconds: 60 },
  "hangs-while-it-is-described": tooSlow,
  "looks-for-a-way-out": answers("^$"),
  "loops-in-finally": tooSlow,
  "poisons-everything": { ...answers("^value$"), allow: { kv: true } },
  "rejects-hostile-things": answers("^answered$"),
  "ticks-after-answering": answers("^answered$"),
};

async function misbehaves(hook: IsolatedHook, expected: Expected): Promise<void> {
  if ("answers" in expected) {
    const answer = await hook.run({ misbehave: true });
    assert.match(String(answer === null ? null : answer.message), expected.answers);
  } else {
    const { code, message } = await hook.fails({ misbehave: true });
    assert.deepEqual([code, expected.because.test(message)], [expected.fails, true], message);
  }
}

suite("hostile handlers", () => {
  let isolates: Isolates;
  let neighbour: IsolatedHook;
  const cleanUps: (() => unknown)[] = [];

  before(() => {
    isolates = new Isolates({ after: (clean) => void cleanUps.push(clean as () => unknown) });
    neighbour = isolates.open("neighbour", `export const handle = () => ({ message: "here" });`);
  });
  after(async () => {
    for (const clean of cleanUps) await clean();
    await until(() => isolateProcesses().length === 0, "no process is left");
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });

  test("every fixture stands in a table", () => {
    const shared = { ...SHARED, ...UNLOADABLE };
    assert.deepEqual(Object.keys(shared).toSorted(), readdirSync(HANDLERS).toSorted());
    const files = readdirSync(ISOLATED).filter((file) => file.endsWith(".ts"));
    assert.deepEqual(
      Object.keys(OWN).map((name) => `${name}.ts`),
      files.toSorted(),
    );
  });

  for (const [name, expected] of Object.entries(SHARED)) {
    test(name, async () => {
      const allow = { kv: name === "loops-after-await" };
      const hook = isolates.openFile(join(HANDLERS, name, "handler.ts"), { name, allow, timeoutSeconds: 2 });
      await works(hook);
      await misbehaves(hook, expected);
      await works(hook);
      await hook.handler.close();
      assert.equal((await neighbour.run())?.message, "here");
    });
  }

  for (const [name, expected] of Object.entries(UNLOADABLE)) {
    test(name, async () => {
      const hook = isolates.openFile(join(HANDLERS, name, "handler.ts"), { name, timeoutSeconds: 2 });
      await misbehaves(hook, expected);
      // It is tried again at the next event.
      await misbehaves(hook, expected);
      await hook.handler.close();
      assert.equal((await neighbour.run())?.message, "here");
    });
  }

  for (const [name, { timeoutSeconds = 2, allow = {}, ...expected }] of Object.entries(OWN)) {
    test(name, async () => {
      const hook = isolates.openFile(join(ISOLATED, `${name}.ts`), { name, allow, timeoutSeconds });
      await works(hook);
      await misbehaves(hook, expected);
      await works(hook);
      await hook.handler.close();
      assert.equal((await neighbour.run())?.message, "here");
    });
  }

  async function works(hook: IsolatedHook): Promise<void> {
    assert.match(String((await hook.run())?.message), /^(?:fine|\d+)$/);
  }
});
