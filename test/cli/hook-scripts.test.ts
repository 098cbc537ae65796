import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { parseHookEntries } from "#sandbox/shell/entries";
import { scriptsOf, withInboundScripts } from "#cli/hook-scripts";

const cwd = realpathSync(mkdtempSync(join(tmpdir(), "hermes-scripts-")));
mkdirSync(join(cwd, "bin"));
for (const name of ["a.sh", "b.py", "rules.json", "bin/on-path"])
  writeFileSync(join(cwd, name), "#!/bin/sh\n", { mode: 0o755 });
const place = { cwd, env: { PATH: `${join(cwd, "bin")}:/usr/bin:/bin`, HOME: cwd }, home: join(cwd, ".hermes") };

function scripts(event: string, entry: Readonly<Record<string, unknown>>) {
  const { entries } = parseHookEntries({ [event]: [entry] }, cwd);
  const { all, gates } = scriptsOf(entries, place);
  const short = (paths: readonly string[]) => paths.map((path) => path.slice(cwd.length + 1)).toSorted();
  return { all: short(all), gates: short(gates) };
}

test("every configured hook counts: switched off, broken, of any event, on PATH", () => {
  assert.deepEqual(scripts("post_tool_call", { command: "./a.sh" }), { all: ["a.sh"], gates: [] });
  assert.deepEqual(scripts("pre_tool_call", { command: "./a.sh", enabled: false }).gates, ["a.sh"]);
  assert.deepEqual(scripts("on_session_end", { command: "on-path" }).all, ["bin/on-path"]);
  assert.deepEqual(scripts("pre_tool_call", { command: "./a.sh", sandbox: 5, fail_closed: true }).all, ["a.sh"]);
  assert.deepEqual(scripts("pre_tool_call", { command: "./missing.sh" }).all, ["missing.sh"]);
});

test("arguments that are files count, the system's programs do not", () => {
  assert.deepEqual(scripts("pre_tool_call", { command: "python3 b.py --rules=rules.json a.sh" }).all, [
    "a.sh",
    "b.py",
    "rules.json",
  ]);
  assert.deepEqual(scripts("pre_tool_call", { command: "jq -e ." }).all, []);
});

test("through a shell, words are split at operators and known variables are filled in", () => {
  const command = '"$CLAUDE_PROJECT_DIR"/a.sh && cat rules.json|python3 ~/b.py';
  assert.deepEqual(scripts("pre_tool_call", { command, protocol: "claude" }).all, ["a.sh", "b.py", "rules.json"]);
});

test("the scripts of inbound webhooks count, those of now", () => {
  const hooks = () => scriptsOf([], place);
  let inbound = [{ name: "one", bind: "127.0.0.1:1", script: "~/a.sh" }];
  const all = withInboundScripts(hooks, () => ({ inbound }) as never, place);
  assert.deepEqual(all().all, [join(cwd, "a.sh")]);
  inbound = [];
  assert.deepEqual(all(), hooks());
});
