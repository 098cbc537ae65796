/** What Python handlers do wrong: each is one failed run with an error that names the hook, and nothing else ends. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import type { HookRun } from "#core/ports/hook";
import type { HookBench } from "../../helpers/gateway-hooks.ts";
import { until } from "../../helpers/poll.ts";
import { askCommand, makePythonBench } from "../../helpers/python-hooks.ts";

/** Fails in the way that `args` names; counts its events. */
const WRONG = `
import ctypes, os, sys, threading, time

events = 0

class Odd(Exception):
    def __str__(self):
        raise ValueError("odd")

def deeper(n):
    return deeper(n + 1)

def loop():
    value = []
    value.append(value)
    return value

def shout():
    while True:
        print("loud" * 10)

WAYS = {
    "raise": lambda: {}["key"],
    "odd": lambda: (_ for _ in ()).throw(Odd()),
    "exit": lambda: sys.exit("enough"),
    "recursion": lambda: deeper(0),
    "nan": lambda: float("nan"),
    "bytes": lambda: {"message": b"x"},
    "object": lambda: object(),
    "cycle": loop,
    "large": lambda: "x" * 10_000_000,
    "surrogate": lambda: {"decision": "handled", "message": "\\udc80"},
    "sleep": lambda: time.sleep(60),
    "crash": lambda: os._exit(7),
    "segfault": lambda: ctypes.string_at(0),
    "shout": lambda: threading.Thread(target=shout, daemon=True).start(),
    "close": lambda: os.closerange(3, 64),
}

def act(event_type, context):
    global events
    events += 1
    way = context.get("args")
    return WAYS[way]() if way else {"decision": "handled", "message": str(events)}
`;
const SYNC = `${WRONG}\nhandle = act\n`;
const ASYNC = `import asyncio\n${WRONG}
async def handle(event_type, context):
    if context.get("args") == "wait":
        await asyncio.sleep(60)
    return act(event_type, context)
`;

const FAILURES: readonly (readonly [way: string, detail: RegExp])[] = [
  ["raise", /^gateway hook "sync" failed at command:sync: KeyError: 'key' \(handler\.py:23\)$/],
  ["odd", /failed at command:sync: Odd: \(ValueError while it was described\)/],
  ["exit", /failed at command:sync: sys\.exit was called \(enough\)/],
  ["recursion", /failed at command:sync: RecursionError: maximum recursion depth exceeded/],
  ["nan", /failed at command:sync: it returned a value that JSON cannot represent: Out of range float/],
  ["bytes", /it returned a value that JSON cannot represent: Object of type bytes is not JSON serializable/],
  ["object", /it returned a value that JSON cannot represent: Object of type object is not JSON serializable/],
  ["cycle", /it returned a value that JSON cannot represent: Circular reference detected/],
  ["large", /it returned 10000002 characters of JSON/],
];

test("what raises or answers nonsense is one failed run, and the process goes on", async (t) => {
  const bench = await loadHooks(t, { sync: SYNC, async: ASYNC }, 30);
  let events = 0;
  for (const [way, detail] of FAILURES) {
    for (const hook of ["sync", "async"]) {
      const run = await runCommand(bench, hook, way);
      assert.equal(run.outcome, "error", way);
      if (hook === "sync") assert.match(run.detail!, detail);
    }
    events += 1;
  }
  // The log has the end of the traceback.
  assert.ok(bench.lines.includes('error sync:     "raise": lambda: {}["key"],'), bench.lines.join("\n"));
  // Nobody looks at answers to other events.
  await bench.run("agent:end", { args: "nan" });
  assert.deepEqual([bench.runs.at(-1)!.outcome, bench.runs.at(-1)!.detail], ["pass", null]);
  await bench.host.drain(10_000);
  events += 1;
  for (const hook of ["sync", "async"]) {
    assert.equal(await askCommand(bench, hook, "surrogate"), "\udc80");
    assert.equal(await askCommand(bench, hook), `${events + 2}`);
  }
  // A context that Python cannot parse, though JSON can be nested as deeply.
  const deep = JSON.parse(`{"args":${"[".repeat(3000)}${"]".repeat(3000)}}`) as Record<string, unknown>;
  await bench.registry.emit_collect("command:sync", deep);
  await until(
    () => bench.runs.at(-1)?.detail?.includes("what it was sent cannot be parsed: maximum recursion") === true,
    "it",
  );
  // A thread that prints for ever is cut off, and holds nobody up.
  await runCommand(bench, "sync", "shout");
  await until(() => bench.lines.some((line) => line.includes("more lines were dropped")), "lines to be dropped");
  assert.equal(await askCommand(bench, "sync"), `${events + 4}`);
});

test("a coroutine that waits too long is cancelled; everything else ends with the process", async (t) => {
  const bench = await loadHooks(t, { sync: SYNC, async: ASYNC });
  assert.deepEqual([await askCommand(bench, "sync"), await askCommand(bench, "async")], ["1", "1"]);
  const waited = await runCommand(bench, "async", "wait");
  assert.equal(waited.outcome, "timeout");
  assert.match(waited.detail!, /"async" did not finish within 2 s at command:async and was stopped/);
  // The same process: both still count.
  assert.deepEqual([await askCommand(bench, "sync"), await askCommand(bench, "async")], ["2", "2"]);

  // The sleeper blocks its thread only, and the other hook answers meanwhile.
  const sleeps = runCommand(bench, "sync", "sleep");
  assert.equal(
    await Promise.race([sleeps, bench.registry.emit_collect("command:async", {}).then(String)]),
    "[object Object]",
  );
  assert.equal((await sleeps).outcome, "timeout");
  assert.deepEqual([await askCommand(bench, "sync"), await askCommand(bench, "async")], ["1", "1"]);

  // It blocks the loop: the coroutine of the other hook has not begun, and runs in the next process.
  const blocks = runCommand(bench, "async", "sleep");
  assert.equal((await blocks).outcome, "timeout");
  assert.equal(await askCommand(bench, "async"), "1");

  for (const [way, detail] of [
    ["crash", /ended its thread or process at command:sync: its process exited with code 7$/],
    ["segfault", /ended its thread or process at command:sync: its process was killed by SIGSEGV/],
    [
      "close",
      /ended its thread or process at command:sync: its process exited with code 1: Error: a hook has closed the connection/,
    ],
  ] as const) {
    const { outcome, detail: said } = await runCommand(bench, "sync", way);
    assert.equal(outcome, "error");
    assert.match(said!, detail);
    assert.equal(await askCommand(bench, "sync"), "1");
  }
});

test("a handler that holds the interpreter, and an import that hangs, cost the others a restart at most", async (t) => {
  const bench = await loadHooks(t, {
    holds: `import re\ndef handle(*_):\n    re.match(r"(a+)+$", "a" * 64 + "b")\n`,
    hangs: "import time\nprint('importing')\ntime.sleep(600)\nasync def handle(*_):\n    return 1\n",
    async: ASYNC,
    sync: SYNC,
  });
  const held = runCommand(bench, "holds", "");
  assert.equal((await held).outcome, "timeout");
  assert.equal(await askCommand(bench, "async"), "1");
  // Importing blocks the main thread. The event of the other coroutine waits for its end, that of the function does not.
  const hung = runCommand(bench, "hangs", "");
  await until(() => bench.lines.includes("info hangs: importing"), "the import to begin");
  const waits = runCommand(bench, "async", "");
  assert.equal((await runCommand(bench, "sync", "")).outcome, "skip");
  const { outcome, detail } = await hung;
  assert.equal(outcome, "timeout");
  assert.match(detail!, /"hangs" did not finish within 10 s/);
  // It ran, though nobody waited for its decision any more.
  assert.match((await waits).detail!, /decided about command:async more than 2 s after it arrived/);
});

/** Hooks by folder, each with its own event `command:<folder>`, and `agent:end`. */
async function loadHooks(t: TestContext, hooks: Readonly<Record<string, string>>, seconds = 2): Promise<HookBench> {
  const bench = await makePythonBench(t);
  for (const [name, code] of Object.entries(hooks)) {
    const manifest = `events: [command:${name}, agent:end]\ntimeout_seconds: ${seconds}\n`;
    bench.write(name, { "HOOK.yaml": manifest, "handler.py": code });
  }
  await bench.host.load();
  assert.deepEqual(bench.warnings, []);
  return bench;
}

/** The run of one hook's command. */
async function runCommand(bench: HookBench, name: string, args: string): Promise<HookRun> {
  const before = bench.runs.length;
  await bench.registry.emit_collect(`command:${name}`, { command: name, args });
  const found = () => bench.runs.slice(before).find(({ event }) => event === `command:${name}`);
  await until(() => found() !== undefined, `a run of ${name}`, { withinMs: 60_000, seen: () => bench.lines });
  return found()!;
}
