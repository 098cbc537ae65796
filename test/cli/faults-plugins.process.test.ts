/** Every bad plugin in a real turn: the turn completes with 0, and the plugin is named. */
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { framesOf, Home, ROOT, type Ended } from "../helpers/hermes.ts";

/** Beside the bad plugin there is a good one, which must work all the same. */
const GOOD =
  'export const register = (ctx) => ctx.register_hook("pre_llm_call", () => ({ context: "from the good one" }));';

interface Settings {
  readonly entries?: object;
  /** Short only where the deadline is what is tested: starting a Python plugin takes its time on a busy machine. */
  readonly seconds?: number;
}

async function turnWith(
  t: TestContext,
  plugins: readonly string[],
  { entries = {}, seconds = 30 }: Settings = {},
): Promise<[Ended, Home]> {
  const home = new Home(t);
  for (const name of plugins)
    cpSync(join(ROOT, "test/fixtures/plugins", name), join(home.path, "plugins", name), { recursive: true });
  home.plugin("zz-good", GOOD, { file: "index.js" });
  const section = { enabled: [...plugins, "zz-good"], callback_timeout_seconds: seconds, entries };
  home.write("config.yaml", JSON.stringify({ plugins: section }));
  const args = ["chat", "-q", "run `echo it-ran`", "--output-format", "stream-json"];
  return [await home.run(args), home];
}

function assertCompleted(ended: Ended): void {
  assert.equal(ended.code, 0, ended.stderr);
  // Every line is one of ours: what a plugin prints never comes in between.
  const frames = framesOf(ended);
  assert.equal(frames.at(-1)?.["completed"], true);
  assert.ok(frames.some(({ type, name, outcome }) => type === "hook" && name === "zz-good" && outcome === "context"));
  assert.match(String(frames.find(({ type }) => type === "tool_result")?.["content"]), /it-ran/);
}

/** Plugins by what is wrong with them, and what is said of each; those of one group run in one turn. */
const BAD: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  "have callbacks that fail": {
    throws: /plugin hook "throws" failed at pre_tool_call: broken on purpose/,
    "throws-a-string": /"throws-a-string" failed at pre_tool_call: just a string/,
    "rejects-later": /"rejects-later" failed at pre_tool_call: rejected later/,
    "mutates-its-payload": /"mutates-its-payload" failed at pre_tool_call: Cannot assign to read only property/,
    "returns-functions": /"returns-functions" gave an invalid answer to pre_tool_call/,
  },
  "cannot be loaded": {
    "fails-to-import": /fails-to-import\/index\.ts:3: Cannot find module/,
    "throws-while-imported": /throws-while-imported\/helper\.ts:2: not today/,
    "uses-enum": /uses-enum\/index\.ts:3: TypeScript enum is not supported/,
    "bad-javascript": /bad-javascript\/helper\.js:2: /,
    "register-throws": /register-throws\/index\.mjs:4: /,
    "has-no-register": /has-no-register\/index\.mjs: it has no "register"/,
    "has-no-entry": /has-no-entry has no entry/,
    python: /"python" was not loaded: .*python\/__init__\.py:? ?.*ValueError: broken on purpose/,
  },
  "never settle": { "never-settles": /"never-settles" did not answer pre_tool_call within 1 s/ },
  "block the loop": { "blocks-the-loop": /plugin "blocks-the-loop" blocked the whole program for \d\.\d s/ },
  "never end their register": { "register-never-ends": /register-never-ends.*"register" did not finish within 1 s/ },
};

for (const [wrong, notices] of Object.entries(BAD)) {
  test(`plugins that ${wrong}: the turn completes, and a line names each`, async (t) => {
    const isLate = Object.values(notices).some(({ source }) => source.includes("within 1 s"));
    const [ended] = await turnWith(t, Object.keys(notices), isLate ? { seconds: 1 } : {});
    assertCompleted(ended);
    for (const notice of Object.values(notices)) assert.match(ended.stderr, notice);
    assert.doesNotMatch(ended.stderr, /^\s+at .*:\d+/m, "no stack for people");
  });
}

test("a plugin that prints: standard output stays ours, the log has it under its name", async (t) => {
  const [ended, home] = await turnWith(t, ["prints-to-stdout"]);
  assertCompleted(ended);
  assert.doesNotMatch(ended.stdout + ended.stderr, /printed/);
  assert.match(home.read("logs/hermes.log"), /"plugin":"prints-to-stdout".*printed in register/);
});

test("a plugin that leaves rejections and throws behind: logged under its name, and nothing ends", async (t) => {
  const [ended, home] = await turnWith(t, ["leaves-strays"]);
  assertCompleted(ended);
  for (const stray of ["left rejection", "thrown by a microtask"])
    assert.match(home.read("logs/hermes.log"), new RegExp(`"plugin":"leaves-strays".*${stray}`));
});

test("plugins that ask for each other in a circle: one warning, both work", async (t) => {
  const [ended] = await turnWith(t, ["circular-a", "circular-b"]);
  assertCompleted(ended);
  assert.match(ended.stderr, /in a circle \("circular-a" → "circular-b" → "circular-a"\)/);
});

for (const fixture of ["throws", "never-settles", "returns-functions", "uses-enum"]) {
  test(`a guard with on_error: block that ${fixture} blocks the call, and the turn completes`, async (t) => {
    const [ended] = await turnWith(t, [fixture], {
      entries: { [fixture]: { on_error: "block" } },
      ...(fixture === "never-settles" && { seconds: 1 }),
    });
    assert.equal(ended.code, 0, ended.stderr);
    const result = String(framesOf(ended).find(({ type }) => type === "tool_result")?.["content"]);
    assert.match(result, /^\{"error":/);
    assert.ok(result.includes(fixture), result);
    assert.match(ended.stderr, new RegExp(`hook ${fixture} blocked pre_tool_call`));
  });
}
