/** What a plugin prints, and what it leaves behind, in the real program. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { framesOf, Home, ROOT } from "../helpers/hermes.ts";

function homeWith(t: TestContext, ...names: string[]): Home {
  const home = new Home(t);
  for (const name of names) {
    cpSync(join(ROOT, "test/fixtures/plugins", name), join(home.path, "plugins", name), { recursive: true });
  }
  home.write("config.yaml", `plugins:\n  enabled: [${names.join(", ")}]\n`);
  return home;
}

const logLines = (home: Home) =>
  home
    .read("logs/hermes.log")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("what a plugin prints goes to the log under its name, never to standard output", async (t) => {
  const home = homeWith(t, "prints-to-stdout");
  const ended = await home.run(["chat", "-q", "run `sleep 0.2`", "--output-format", "stream-json"]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(framesOf(ended).at(-1)!["type"], "result");
  assert.doesNotMatch(ended.stdout, /printed/);
  const printed = logLines(home)
    .filter((line) => line["plugin"] === "prints-to-stdout" && line["stream"] === "stdout")
    .map((line) => String(line["msg"]));
  for (const text of ["while imported", "in register", "in a callback", "as a table", "by a timer"]) {
    assert.ok(
      printed.some((line) => line.includes(text)),
      `${text} in ${printed.join("|")}`,
    );
  }
});

test("rejections and throws that a plugin leaves behind are logged under its name and end nothing", async (t) => {
  const home = homeWith(t, "leaves-strays");
  const ended = await home.run(["chat", "-q", "run `sleep 0.2`"]);
  assert.equal(ended.code, 0, ended.stderr);
  const errors = logLines(home)
    .filter((line) => line["plugin"] === "leaves-strays")
    .map((line) => String(line["msg"]));
  assert.deepEqual(errors.toSorted(), [
    'plugin "leaves-strays" left an unhandled rejection: left rejection',
    'plugin "leaves-strays" threw outside its callbacks: thrown by a microtask',
    'plugin "leaves-strays" threw outside its callbacks: thrown by a timer',
  ]);
});

test("an error of the program's own still ends it, with one sentence", async () => {
  const { execFile } = await import("node:child_process");
  const script = `
    import { watchStrays } from ${JSON.stringify(join(ROOT, "plugins/attribution.ts"))};
    watchStrays();
    setTimeout(() => console.log("went on"), 200);
    PLACEHOLDER`;
  for (const failing of ["setTimeout(() => { throw new Error('ours'); });", "Promise.reject(new Error('ours'));"]) {
    const ended = await new Promise<{ code: number | string | null | undefined; stdout: string; stderr: string }>(
      (resolve) => {
        const args = ["--input-type=module", "-e", script.replace("PLACEHOLDER", failing)];
        execFile(process.execPath, args, (error, stdout, stderr) => resolve({ code: error?.code, stdout, stderr }));
      },
    );
    assert.equal(ended.code, 1);
    assert.equal(ended.stderr, "hermes: Something went wrong inside hermes: ours\n");
    assert.equal(ended.stdout, "");
  }
});
