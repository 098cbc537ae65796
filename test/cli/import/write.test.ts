/** Imported hooks in config.yaml: added once, comments kept. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test, { type TestContext } from "node:test";
import { parse } from "yaml";
import { addToConfig, withoutConfigured } from "#cli/import/write";
import { writeSettings } from "../../helpers/imports.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const GUARD = { protocol: "claude", matcher: "Bash", command: "guard.sh" };
const HOOKS = { pre_tool_call: [GUARD, { protocol: "claude", command: "'/a b'/x.sh" }], post_llm_call: [GUARD] };

async function added(t: TestContext, text: string): Promise<string> {
  const file = writeSettings(temporaryFolder(t), "config.yaml", text);
  await addToConfig(file, withoutConfigured(HOOKS, (parse(text) as { hooks?: unknown } | null)?.hooks));
  return readFileSync(file, "utf8");
}

const CONFIGS = [
  "",
  "# mine\n",
  "hooks:\n",
  "hooks: {}\n",
  "model: { provider: offline } # kept\n",
  "hooks:\n  pre_tool_call: []\n  post_llm_call:\n",
  "hooks:\n  pre_tool_call: [{command: own.sh}] # kept\n",
];
for (const text of CONFIGS) {
  test(`hooks are added to ${JSON.stringify(text)}`, async (t) => {
    const result = await added(t, text);
    for (const comment of text.match(/#.*/g) ?? []) assert.ok(result.includes(comment), result);
    const { hooks } = parse(result) as { hooks: Record<string, { command: string }[]> };
    assert.deepEqual(hooks["pre_tool_call"]?.slice(-2), HOOKS.pre_tool_call);
    assert.deepEqual(hooks["post_llm_call"], HOOKS.post_llm_call);
    if (text.includes("own.sh")) assert.equal(hooks["pre_tool_call"]?.[0]?.command, "own.sh");
    assert.deepEqual(withoutConfigured(HOOKS, hooks), {}, "a second time, there is nothing to add");
  });
}

test("an entry that the user has changed since is the same hook", () => {
  const block = { pre_tool_call: [{ ...GUARD, timeout: 5, fail_closed: true, name: "mine" }] };
  assert.deepEqual(withoutConfigured({ pre_tool_call: [GUARD] }, block), {});
  const other = { pre_tool_call: [{ ...GUARD, matcher: "Write" }] };
  assert.deepEqual(withoutConfigured({ pre_tool_call: [GUARD] }, other), { pre_tool_call: [GUARD] });
});

test("a block that is none is left alone", async (t) => {
  for (const text of ["hooks: text\n", "hooks:\n  pre_tool_call: { command: x }\n"]) {
    const file = writeSettings(temporaryFolder(t), "config.yaml", text);
    await assert.rejects(addToConfig(file, HOOKS), { code: "HERMES_CONFIG_TYPE" });
    assert.equal(readFileSync(file, "utf8"), text);
  }
});
