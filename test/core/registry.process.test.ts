import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { ROOT } from "../helpers/hermes.ts";

const registry = JSON.stringify(pathToFileURL(join(ROOT, "core/registry.ts")).href);

function run(script: string) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--input-type=module", "-e", `const { HookRegistry } = await import(${registry});\n${script}`],
    { encoding: "utf8" },
  );
  return { status, stdout, warnings: stderr.split("\n").filter((line) => line.startsWith("[hooks]")) };
}

test("an asynchronous handler is left out while the process ends, with one warning that names it", () => {
  for (const ending of ["", "process.exit(0);"]) {
    const { status, stdout, warnings } = run(`
      const registry = new HookRegistry();
      registry.register("evt:x", async () => console.log("async ran"), { name: "lost-writer" });
      registry.register("evt:x", () => console.log("sync ran"));
      process.on("exit", () => {
        registry.emit_sync("evt:x");
        registry.emit_sync("evt:x");
      });
      ${ending}
    `);
    assert.equal(status, 0);
    assert.equal(stdout, "sync ran\nsync ran\n");
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /"lost-writer" of evt:x is asynchronous and cannot run/);
  }
});

test("a function that only turns out to be asynchronous is warned about once, too", () => {
  const { warnings } = run(`
    const registry = new HookRegistry();
    registry.register("evt:x", () => new Promise(() => undefined), { name: "hidden" });
    process.on("exit", () => {
      registry.emit_sync("evt:x");
      registry.emit_sync("evt:x");
    });
  `);
  assert.deepEqual(warnings.length, 1);
  assert.match(warnings[0]!, /"hidden"/);
});

test("a million emissions allocate nothing that stays, and hardly anything at all", () => {
  const { status, stdout } = run(`
    const registry = new HookRegistry();
    let seen = 0;
    for (let number = 0; number < 5; number++) registry.register("agent:step", () => void seen++);
    const context = { session_id: "s" };
    const emit = () => { for (let turn = 0; turn < 1e6; turn++) registry.emit_sync("agent:step", context); };
    emit();
    const before = process.memoryUsage().heapUsed;
    emit();
    console.log(seen, process.memoryUsage().heapUsed - before);
  `);
  assert.equal(status, 0);
  const [seen, grown] = stdout.split(" ").map(Number);
  assert.equal(seen, 10_000_000);
  // A single object per emission would be 16 MB and more, less what was collected.
  assert.ok(grown! < 1_000_000, `${grown} bytes`);
});
