/** `handler.py` hooks in the bridge: one Python process for all assertions that leave it alive. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import type { HookBench } from "../../helpers/gateway-hooks.ts";
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
    bench.write(name, { "HOOK.yaml": `events: [command:${name}, agent:end]\ntimeout_seconds: 2\n`, ...files });
  await bench.host.load();
  return bench;
}
