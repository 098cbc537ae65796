import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { makeToolbox } from "./toolbox.ts";
import { inGoodTime } from "../../helpers/good-time.ts";
import { until } from "../../helpers/poll.ts";
import { lives } from "../../helpers/processes.ts";

const fixture = (name: string) => join(import.meta.dirname, "..", "..", "fixtures", "commands", name);
const box = makeToolbox({ API_KEY: "secret", DB_PASSWORD: "secret", MY_TOKEN: "shown", PLAIN: "shown" }, ["MY_TOKEN"]);
const run = (command: string, rest: Record<string, unknown> = {}, signal?: AbortSignal) =>
  box.call("terminal", { command, ...rest }, signal);

test("gives output and exit code, both streams in their order", async () => {
  assert.deepEqual(await run("echo one; echo two >&2; echo three; exit 3"), {
    output: "one\ntwo\nthree\n",
    exit_code: 3,
  });
  assert.deepEqual(await run("true"), { output: "", exit_code: 0 });
  assert.partialDeepStrictEqual(await run("kill -9 $$"), { exit_code: 137 });
  assert.partialDeepStrictEqual(await run("no-such-command-here"), { exit_code: 127 });
});

test("runs in the working folder or in workdir", async () => {
  mkdirSync(join(box.project, "below"));
  assert.partialDeepStrictEqual(await run("pwd"), { output: `${box.project}\n` });
  assert.partialDeepStrictEqual(await run("pwd", { workdir: "below" }), { output: `${join(box.project, "below")}\n` });
  assert.partialDeepStrictEqual(await run("pwd", { workdir: "~" }), { output: `${box.user}\n` });
  await assert.rejects(run("pwd", { workdir: "beloww" }), /beloww does not exist\. Did you mean "below"\?/);
  box.write("file", "");
  await assert.rejects(run("pwd", { workdir: "file" }), /file is not a folder/);
});

test("standard input is empty: nothing waits for an answer", async () => {
  assert.deepEqual(await run("cat; read answer || echo nobody"), { output: "nobody\n", exit_code: 0 });
});

test("variables named like secrets are left out, but for those passed through", async () => {
  const { output } = await run("env");
  assert.match(String(output), /^PLAIN=shown$/m);
  assert.match(String(output), /^MY_TOKEN=shown$/m);
  assert.doesNotMatch(String(output), /secret/);
});

test("a command that never ends is stopped at its time-out, its children too", async () => {
  const result = await inGoodTime(async (factor) => {
    const timeout = 0.5 * factor;
    const stopped = await run("sleep 1000 & echo $! > child; echo begun; sleep 1000", { timeout });
    assert.match(String(stopped["error"]), new RegExp(`did not finish within ${timeout} s and was stopped`));
    return stopped["output"] === "" ? undefined : stopped;
  });
  assert.equal(result["output"], "begun\n");
  const child = Number(readFileSync(join(box.project, "child"), "utf8"));
  await until(() => !lives(child), "the child is gone");
});

test("one that ignores TERM is killed", async () => {
  const file = join(box.project, "stubborn");
  const result = await inGoodTime(async (factor) => {
    const stopped = await run(`${fixture("ignores-sigterm.sh")} ${file}`, { timeout: factor });
    return existsSync(file) ? stopped : undefined;
  });
  assert.match(String(result["error"]), /stopped/);
  const pid = Number(readFileSync(file, "utf8"));
  await until(() => !lives(pid), "it is gone");
});

test("an interrupt stops it at once and keeps what it said", async () => {
  const controller = new AbortController();
  const running = run("echo begun; touch ready; sleep 1000", {}, controller.signal);
  await until(() => existsSync(join(box.project, "ready")), "the command has begun");
  controller.abort();
  const result = await running;
  assert.equal(result["output"], "begun\n");
  assert.match(String(result["error"]), /interrupted/);
  assert.match(String((await run("echo x", {}, AbortSignal.abort()))["error"]), /interrupted/);
});

test("of a flood the beginning and the end are kept", async () => {
  const result = await run(fixture("floods.sh"));
  const output = String(result["output"]);
  assert.partialDeepStrictEqual(result, { exit_code: 0, truncated: true });
  assert.ok(output.length < 101_000, `${output.length} characters`);
  assert.match(output, /^first-line\n0000 /);
  assert.match(output, /\n\[… \d+ bytes omitted …\]\n/);
  assert.match(output, /\nlast-line\n$/);
});

test("a child left in the background is not waited for", async () => {
  const result = await run("sleep 1000 & echo $! > left; echo done");
  assert.deepEqual(result, { output: "done\n", exit_code: 0 });
  process.kill(Number(readFileSync(join(box.project, "left"), "utf8")), "SIGKILL");
});

test("bad arguments are errors", async () => {
  await assert.rejects(run(" "), /"command" must not be empty/);
  await assert.rejects(run("true", { timeout: 0 }), /"timeout" must be/);
  await assert.rejects(run("true", { timeout: "5" }), /"timeout" must be/);
  await assert.rejects(box.call("terminal", {}), /"command" is missing/);
  assert.match(String((await run("echo a\0b"))["error"]), /could not be started: NUL/);
});

test("guarded files are off limits", async () => {
  symlinkSync(join(box.home, "config.yaml"), join(box.project, "innocent.yaml"));
  for (const command of ["cat ~/.hermes/config.yaml", "rm -rf $HERMES_HOME", "echo x > innocent.yaml"]) {
    await assert.rejects(run(command), /off limits/, command);
  }
  await assert.rejects(run("ls", { workdir: "~/.hermes/hooks" }), /off limits/);
  await assert.rejects(run("rm config.yaml", { workdir: "~/.hermes" }), /off limits/);
  assert.ok(existsSync(join(box.home, "config.yaml")));
});
