/** What becomes of the handlers of test/fixtures that misbehave, when they run in an isolate. */
import type { HookOptions } from "./isolates.ts";

const FAILED = "HERMES_HANDLER_FAILED";
const TIMEOUT = "HERMES_HANDLER_TIMEOUT";
const DIED = "HERMES_HANDLER_DIED";
const UNUSABLE = "HERMES_HANDLER_UNUSABLE";

/** What a handler in an isolate does when told to misbehave: the message of its answer, or the failure of its run. */
export type Expected = (
  | { readonly answers: RegExp; readonly strays?: RegExp }
  | { readonly fails: string; readonly because: RegExp }
) &
  HookOptions;

const answers = (message: string, strays?: RegExp): Expected => ({
  answers: new RegExp(message),
  ...(strays === undefined ? {} : { strays }),
});
const fails = (code: string, because: RegExp): Expected => ({ fails: code, because });
/** With time enough that memory is what ends first. */
const outOfMemory: Expected = { ...fails(DIED, /ran out of memory \(memory_mb is 32\)/), timeoutSeconds: 60 };
const tooSlow = fails(TIMEOUT, /did not finish within/);

/** Every folder of test/fixtures/handlers. */
export const SHARED: Readonly<Record<string, Expected>> = {
  exits: fails(FAILED, /there is no process\.exit \(handler\.ts:4:9\)$/),
  "grows-a-map": outOfMemory,
  "grows-an-array": outOfMemory,
  "grows-buffers": fails(FAILED, /Array buffer allocation failed/),
  "imports-node-fs-later": fails(FAILED, /import\("node:fs"\) is not allowed in an isolate.*\(handler\.ts:3:\d+\)$/),
  "leaves-a-rejection": answers("^answered$", /^left an unhandled rejection: left behind \(handler\.ts:3:\d+\)$/),
  loops: tooSlow,
  "loops-after-await": { ...tooSlow, allow: { kv: true } },
  "loops-in-microtasks": { ...fails(DIED, /ran out of memory|CPU time/), timeoutSeconds: 60 },
  "never-settles": tooSlow,
  "prints-json": answers("^null$"),
  recurses: fails(FAILED, /Maximum call stack size exceeded/),
  "rejects-at-once": fails(FAILED, /rejected at once \(handler\.ts:3:9\)$/),
  "replaces-prototypes": answers("^replaced$"),
  "returns-a-bigint": fails(FAILED, /BigInt/),
  "returns-a-circle": fails(FAILED, /circular/),
  "returns-a-function": fails(FAILED, /it returned a function, which is not plain data/),
  "returns-a-huge-text": outOfMemory,
  "returns-a-proxy": fails(FAILED, /trapped/),
  "returns-a-symbol": fails(FAILED, /it returned a symbol, which is not plain data/),
  "returns-hostile-json": fails(FAILED, /no JSON of me/),
  "returns-throwing-getters": fails(FAILED, /do not look/),
  throws: fails(FAILED, /thrown on purpose \(handler\.ts:3:9\)$/),
  "throws-a-string": fails(FAILED, /it threw "a bare string"$/),
  "throws-hostile-getters": fails(FAILED, /it threw something that cannot be shown$/),
  "throws-later": answers("^answered$", /^threw outside its calls: thrown later \(handler\.ts:4:\d+\)$/),
  "throws-null": fails(FAILED, /it threw null$/),
};

/** Of the same folder, those that cannot even be loaded. */
export const UNLOADABLE: Readonly<Record<string, Expected>> = {
  "bad-syntax": fails(UNUSABLE, /bad-syntax\/handler\.ts: Expected ',', got 'null' \(handler\.ts:2\)$/),
  "exports-no-handle": fails(UNUSABLE, /it does not export a function "handle"/),
  "imports-its-neighbour": fails(UNUSABLE, /it imports "\.\.\/throws\/handler\.ts", which is not allowed/),
  "imports-node-fs": fails(UNUSABLE, /it imports "node:fs", which is not allowed: .*its own folder/),
  "loops-at-top-level": fails(DIED, /CPU time/),
  "throws-at-top-level": fails(UNUSABLE, /thrown while loaded \(handler\.ts:1:7\)$/),
  "waits-at-top-level": tooSlow,
};

/** Every file of test/fixtures/isolated-handlers. */
export const OWN: Readonly<Record<string, Expected>> = {
  "answers-a-deep-array": fails(FAILED, /nested more than 100 levels deep/),
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
    timeoutSeconds: 30,
  },
  "floods-the-log": { ...answers("^flooded$"), timeoutSeconds: 30 },
  "grows-a-text": { ...fails(DIED, /ran out of memory|CPU time/), timeoutSeconds: 60 },
  "grows-outside-the-heap": { ...fails(DIED, /far more memory than its memory_mb/), timeoutSeconds: 60 },
  "grows-resizable-buffers": { ...fails(DIED, /far more memory than its memory_mb/), timeoutSeconds: 60 },
  "hangs-while-it-is-described": tooSlow,
  "looks-for-a-way-out": answers("^$"),
  "loops-in-finally": tooSlow,
  "poisons-everything": { ...answers("^value$"), allow: { kv: true } },
  "rejects-hostile-things": answers("^answered$", /^left an unhandled rejection: it threw null$/),
  "ticks-after-answering": answers("^answered$"),
};
