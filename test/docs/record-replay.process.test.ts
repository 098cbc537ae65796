/** What docs/record-replay.md shows, as it stands there. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";

const PAGE = "docs/record-replay.md";
const yaml = examplesOf(PAGE, "yaml");
const sh = examplesOf(PAGE, "sh");

test("a guard that is added is tried on what happened before", async (t) => {
  assert.deepEqual([countBlocks(PAGE, "yaml"), countBlocks(PAGE, "sh")], [yaml.size, sh.size]);
  const newcomer = new Newcomer(t);
  mkdirSync(join(newcomer.home, ".hermes"), { mode: 0o700 });
  writeFileSync(join(newcomer.home, ".hermes/config.yaml"), yaml.get("record-config")!);
  await newcomer.run("hermes chat -q 'run `cat .env`'");
  const { code, stdout, stderr } = await newcomer.run(sh.get("record-guard")!);
  assert.equal(code, 1, stderr);
  assert.match(stdout, /pre_tool_call .* terminal +pass +block +no-secrets +leave \.env files alone\n/);
  assert.match(stdout, /\nOf 1 firing, 1 would differ\.\n$/);

  writeFileSync(join(newcomer.home, ".hermes/config.yaml"), yaml.get("record-gateway")!);
  const gateway = await newcomer.run(sh.get("replay-gateway")!);
  assert.deepEqual([gateway.code, gateway.stdout.split(".")[0]], [0, "No recorded firing matches"], gateway.stderr);
});
