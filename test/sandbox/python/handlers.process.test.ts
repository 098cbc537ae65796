/** `handler.py` hooks in the bridge: one Python process for all assertions that leave it alive. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HookBench } from "../../helpers/gateway-hooks.ts";
import { until } from "../../helpers/poll.ts";
import { askCommand, makePythonBench } from "../../helpers/python-hooks.ts";

const STATE = `
import os
from .lib.words import WORD
import beside

count = 0

async def handle(event_type, context):
    global count
    count += 1
    print("first", count)
    print("begun", end="")
    os.write(1, b"raw\\n")
    return {"decision": "handled", "message": f"{event_type} {WORD} {beside.NAME} {count} {context['args']}"}
`;

test("handlers: async and sync, helpers, state, output, answers", async (t) => {
  const bench = await loadHooks(t, {
    async: { "handler.py": STATE, "lib/words.py": 'WORD = "wörd"\n', "beside.py": 'NAME = "beside"\n' },
  });
  assert.deepEqual(bench.warnings, []);
  assert.equal(await askCommand(bench, "async", "a"), "command:async wörd beside 1 a");
  assert.equal(await askCommand(bench, "async", "ü\u2028"), "command:async wörd beside 2 ü\u2028");
  assert.ok(bench.lines.includes("info async: first 2"), bench.lines.join("\n"));
  assert.ok(bench.lines.includes("info async: begun"), bench.lines.join("\n"));
  assert.ok(bench.lines.includes("info async: raw"), bench.lines.join("\n"));
});

/** Hooks by folder, each with its own event `command:<folder>`. */
async function loadHooks(
  t: TestContext,
  hooks: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<HookBench> {
  const bench = await makePythonBench(t);
  for (const [name, files] of Object.entries(hooks))
    bench.write(name, { "HOOK.yaml": `events: [command:${name}, agent:end]\ntimeout_seconds: 30\n`, ...files });
  await bench.host.load();
  return bench;
}

test("a handler that is a link, with the helpers of its own folder", async (t) => {
  const bench = await makePythonBench(t);
  bench.write("linked", { "HOOK.yaml": "events: [command:linked]\n", "words.py": 'WORD = "here"\n' });
  const code = 'from .words import WORD\ndef handle(*_):\n    return {"decision": "handled", "message": WORD}\n';
  writeFileSync(bench.path("elsewhere.py"), code);
  symlinkSync(bench.path("elsewhere.py"), join(bench.folder, "linked/handler.py"));
  await bench.host.load();
  assert.equal(await askCommand(bench, "linked"), "here", bench.lines.join("\n"));
});

test("reload: a broken edit keeps the last good version, also in a process that starts later", async (t) => {
  const handler = `
from .words import WORD
import os, time
runs = 0

def handle(event_type, context):
    global runs
    if context["args"] == "crash":
        os._exit(1)
    if context["args"] == "slow":
        time.sleep(0.3)
    runs += 1
    return {"decision": "handled", "message": f"{WORD} {runs}"}
`;
  const bench = await loadHooks(t, { hook: { "handler.py": handler, "words.py": 'WORD = "one"\n' } });
  assert.equal(await askCommand(bench, "hook"), "one 1");
  const changes = [
    ["words.py", "WORD = (", /words\.py:1: SyntaxError/],
    ["words.py", undefined, /handler\.py:2: it imports "\.words", but there is no such module/],
    ["handler.py", "def handel(): pass\n", /handler\.py does not define a function "handle"/],
  ] as const;
  for (const [index, [file, text, problem]] of changes.entries()) {
    bench.write("hook", { "handler.py": handler, "words.py": 'WORD = "one"\n', [file]: text });
    const { failures } = await bench.host.reload();
    assert.match(failures.join(), problem);
    assert.match(failures.join(), /keeps running/);
    assert.equal(await askCommand(bench, "hook"), `one ${index + 2}`);
  }
  await askCommand(bench, "hook", "crash");
  assert.equal(await askCommand(bench, "hook"), "one 1");

  // An event that runs meanwhile ends in the old version; the next one meets the new one.
  const slow = bench.registry.emit_collect<{ message: string }>("command:hook", { args: "slow" });
  bench.write("hook", { "handler.py": handler, "words.py": 'WORD = "two"\n' });
  assert.deepEqual((await bench.host.reload()).failures, []);
  const next = bench.registry.emit_collect<{ message: string }>("command:hook", { args: "" });
  assert.equal((await slow)[0]!.message, "one 2");
  assert.equal((await next)[0]!.message, "two 1");
});

test("forked processes, threads and programs print in the name of their hook", async (t) => {
  const code = `
import os, subprocess, threading
async def handle(event_type, context):
    thread = threading.Thread(target=lambda: print("from a thread"))
    thread.start()
    thread.join()
    subprocess.run(["sh", "-c", "echo from a program"])
    if os.fork() == 0:
        print("from a fork", flush=True)
        os._exit(0)
    os.wait()
    return {"decision": "handled", "message": "done"}
`;
  const bench = await loadHooks(t, {
    prints: { "handler.py": code },
    other: { "handler.py": "def handle(*_): pass\n" },
  });
  await askCommand(bench, "other");
  assert.equal(await askCommand(bench, "prints"), "done");
  for (const source of ["a thread", "a program", "a fork"])
    await until(() => bench.lines.includes(`info prints: from ${source}`), source, { seen: () => bench.lines });
});

test("a hook that ends the process again and again is off until it is reloaded, and the others go on", async (t) => {
  const bench = await loadHooks(t, {
    crasher: { "handler.py": "import os\ndef handle(*_):\n    os._exit(3)\n" },
    other: { "handler.py": 'async def handle(*_):\n    return {"decision": "handled", "message": "here"}\n' },
  });
  for (let crash = 1; crash <= 6; crash++) {
    await askCommand(bench, "crasher");
    assert.equal(bench.runs.length, crash);
    assert.match(bench.runs.at(-1)!.detail!, /its process exited with code 3/);
  }
  // It gets no more events, which is said once.
  const off = 'gateway hook "crasher" is off: it has ended its Python process more than 5 times within a minute';
  await until(() => bench.warnings.length > 0, "it to be off");
  assert.equal(bench.warnings[0], `${off}. It gets no events until it is reloaded.`);
  await askCommand(bench, "crasher");
  await askCommand(bench, "crasher");
  assert.deepEqual([bench.runs.length, bench.warnings.length], [6, 1]);
  assert.equal(await askCommand(bench, "other"), "here");
  bench.write("crasher", { "handler.py": 'def handle(*_):\n    return {"decision": "handled", "message": "back"}\n' });
  await bench.host.reload();
  assert.equal(await askCommand(bench, "crasher"), "back");
});

test("what cannot be loaded: the reason, and how to install a missing module", async (t) => {
  const good = "def handle(*_):\n    return 1\n";
  const bench = await loadHooks(t, {
    syntax: { "handler.py": "def handle(:\n    pass\n" },
    missing: { "handler.py": `import no_such_module.inside\n${good}` },
    raises: { "handler.py": `${good}\nraise ValueError("at once")\n` },
    exits: { "handler.py": `${good}\nimport sys\nsys.exit(2)\n` },
    nothing: { "handler.py": "handle = 5\n" },
  });
  const reasons = new Map<string, string | null>();
  for (const name of ["syntax", "missing", "raises", "exits", "nothing"]) {
    await askCommand(bench, name);
    reasons.set(name, bench.runs.at(-1)!.detail);
  }
  assert.match(reasons.get("syntax")!, /"syntax" cannot be used: .*handler\.py: SyntaxError: .* \(handler\.py:1\)$/);
  assert.match(
    reasons.get("missing")!,
    /No module named 'no_such_module' \(handler\.py:1\)\. To install it: \/\S+ -m pip install no_such_module$/,
  );
  assert.match(reasons.get("raises")!, /ValueError: at once \(handler\.py:4\)$/);
  assert.match(reasons.get("exits")!, /sys\.exit was called \(2\) \(handler\.py:5\)$/);
  assert.match(reasons.get("nothing")!, /it does not define a function "handle"$/);
});
