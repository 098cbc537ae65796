/** `coprocess: true`, with a real script through the dispatcher: what it may do, and every way to do it wrong. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import type { Consent, HookRequest } from "#allowlist/grant";
import { grantExplicitTest } from "#allowlist/decide";
import { HookDispatcher } from "#core/dispatch";
import { EVENTS } from "#core/events";
import type { HookRun } from "#core/ports/hook";
import { parseHookEntries } from "#sandbox/shell/entries";
import { createShellHook, type ShellHook } from "#sandbox/shell/hook";
import { inGoodTime } from "../helpers/good-time.ts";
import { until } from "../helpers/poll.ts";
import { killQuietly, lives } from "../helpers/processes.ts";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

const SCRIPT = resolve(import.meta.dirname, "../fixtures/scripts/coprocess.mjs");

interface Setting {
  readonly entry?: Record<string, unknown>;
  readonly words?: readonly string[];
  readonly decide?: (request: HookRequest) => Consent;
}

/** A hook of `pre_tool_call` with a coprocess of its own copy of the script. */
class Guard {
  readonly folder: string;
  readonly script: string;
  readonly hook: ShellHook;
  readonly runs: HookRun[] = [];
  readonly #dispatcher = new HookDispatcher();

  constructor(context: TestContext, { entry = {}, words = [], decide = grantExplicitTest }: Setting = {}) {
    this.folder = temporaryFolder(context);
    this.script = join(this.folder, "coprocess.mjs");
    copyFileSync(SCRIPT, this.script);
    const command = [process.execPath, this.script, ...words].map((word) => `'${word}'`).join(" ");
    const block = { pre_tool_call: [{ command, coprocess: true, ...entry }] };
    const env = { ...process.env, CHILD_FILE: join(this.folder, "child.pid") };
    this.hook = createShellHook(parseHookEntries(block).entries[0]!, {
      decide,
      shellContext: { cwd: this.folder, home: this.folder, env },
      findScript: () => this.script,
    });
    this.#dispatcher.register(this.hook);
    this.#dispatcher.sinks.add((run) => void this.runs.push(run));
    context.after(() => this.hook.close());
  }

  /** Fires the event with a command; the message of the block, or `undefined` for none. */
  async fire(command: string, signal?: AbortSignal): Promise<string | undefined> {
    const payload = { ...EVENTS.pre_tool_call.sample(), args: { command } };
    const decision = await this.#dispatcher.invoke_hook("pre_tool_call", payload, signal && { signal });
    return decision.kind === "block" ? decision.message : undefined;
  }

  async pid(): Promise<number> {
    return Number(await this.fire("pid"));
  }

  childPid(): number {
    return Number(readFileSync(join(this.folder, "child.pid"), "utf8"));
  }

  detail(): string {
    return this.runs.at(-1)?.detail ?? "";
  }
}

test("one process answers all events, in order, and ends when the hook does", async (context) => {
  const guard = new Guard(context);
  const first = await guard.pid();
  assert.ok(lives(first));
  const commands = Array.from({ length: 20 }, (_, index) => `event ${index} é\n${"x".repeat(index * 5000)}`);
  const answers = await Promise.all(commands.map((command) => guard.fire(command)));
  // Long messages are cut.
  const beginnings = (texts: readonly (string | undefined)[]) => texts.map((text) => text?.slice(0, 100));
  assert.deepEqual(beginnings(answers), beginnings(commands));
  assert.equal(await guard.fire("count"), "22");
  assert.equal(await guard.fire("nothing"), undefined);
  assert.deepEqual([guard.runs.at(-1)?.outcome, guard.runs.at(-1)?.exit_code], ["pass", null]);
  assert.equal(await guard.pid(), first);
  await guard.hook.close();
  assert.equal(lives(first), false);
});

/** A guard whose process has answered with its pid, within a deadline that is long enough for its start. */
async function answering(context: TestContext, entry: Record<string, unknown>, isLate: boolean) {
  return inGoodTime(async (timeout) => {
    const guard = new Guard(context, { entry: isLate ? { ...entry, timeout } : entry });
    const pid = await guard.pid();
    return Number.isInteger(pid) ? { guard, pid } : undefined;
  });
}

/** What each command does wrong; `isLate` if it is found by its deadline. */
const FAULTS: readonly (readonly [command: string, detail: RegExp, isLate?: boolean])[] = [
  ["garbage", /its answer is not one JSON object: hello$/],
  ["array", /its answer is an array, not one JSON object$/],
  ["empty", /its answer is empty, not one JSON object$/],
  ["two", /it answered with more than one line$/],
  ["huge", /more than 1 MiB of output and was killed/],
  ["huge errors", /more than 1 MiB of output and was killed/],
  ["dies", /it exited with code 3: oh no$/],
  ["keeps stdout", /it exited with code 0$/],
  ["unended", /did not answer .* end each answer with a newline and flush/, true],
  ["hangs", /did not answer pre_tool_call within \d+ s/, true],
];

for (const [command, detail, isLate = false] of FAULTS) {
  test(`${command}: a failed run, and another process for the next event`, async (context) => {
    const { guard, pid: first } = await answering(context, { fail_closed: true }, isLate);
    assert.match((await guard.fire(command)) ?? "", /^Blocked because a guard failed/);
    assert.match(guard.detail(), detail);
    assert.equal(lives(first), false);
    if (command === "keeps stdout") await until(() => !lives(guard.childPid()), "its child has ended");
    const second = await until(async () => (await guard.pid()) || undefined, "another process answers");
    assert.notEqual(second, first);
    assert.equal(guard.runs.at(-1)?.cause, null);
  });
}

test("without fail_closed a failed run lets the call through", async (context) => {
  const guard = new Guard(context);
  assert.equal(await guard.fire("garbage"), undefined);
  assert.equal(guard.runs.at(-1)?.outcome, "error");
});

test("a process that ended between two events is replaced", async (context) => {
  const guard = new Guard(context, { entry: { fail_closed: true } });
  const first = await guard.pid();
  assert.equal(await guard.fire("answers and dies"), undefined);
  await until(() => !lives(first), "it has ended");
  const second = await guard.pid();
  assert.notEqual(second, first);
  // Of a process that ends, its closed input may be noticed before its exit code.
  assert.match(guard.detail(), /Its process was started again: it (exited with code 3|closed its standard input)\./);

  assert.equal(await guard.fire("closes stdin"), undefined);
  await until(() => !readsInput(second), "it has closed its standard input");
  const third = await guard.pid();
  assert.notEqual(third, second);
  assert.equal(lives(second), false);

  assert.equal(await guard.fire("late"), undefined);
  // An answer to no event ends it, so that it is no answer to the next one.
  await until(() => !lives(third), "it was ended for the late line");
  assert.notEqual(await guard.pid(), third);
  assert.match(guard.detail(), /it wrote output that no event had asked for/);
});

function readsInput(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/fdinfo/0`, "utf8") !== "";
  } catch {
    // Closed; where there is no /proc, the next event finds out.
    return false;
  }
}

test("what it prints at its start is taken for the answer, so it fails", async (context) => {
  const guard = new Guard(context, { words: ["ready!"], entry: { fail_closed: true } });
  // Its answer to the event may arrive together with that.
  assert.match((await guard.fire("count")) ?? "", /its answer is not one JSON object: ready!|more than one line/);
});

test("repeated failures are started again later", async (context) => {
  const guard = new Guard(context, { entry: { fail_closed: true } });
  for (let turn = 0; turn < 3; turn++) assert.match((await guard.fire("dies")) ?? "", /exited with code 3/);
  assert.match((await guard.fire("count")) ?? "", /it failed 3 times in a row, and is not started again for 1 s/);
  const answer = await until(async () => {
    const message = await guard.fire("count");
    return message?.startsWith("Blocked because") ? undefined : message;
  }, "it is started again");
  assert.equal(answer, "1");
});

test("a revoked approval is not used, and ends the process", async (context) => {
  let granted = true;
  const decide = (request: HookRequest): Consent =>
    granted ? grantExplicitTest(request) : { granted: false, reason: "it is not approved" };
  const guard = new Guard(context, { decide });
  const first = await guard.pid();
  granted = false;
  assert.equal(await guard.fire("pid"), undefined);
  assert.equal(guard.runs.length, 1);
  await until(() => !lives(first), "it has ended");
  granted = true;
  assert.notEqual(await guard.pid(), first);
});

test("a changed script and a reload restart it", async (context) => {
  const guard = new Guard(context);
  const first = await guard.pid();
  copyFileSync(SCRIPT, guard.script);
  const second = await guard.pid();
  assert.notEqual(second, first);
  assert.equal(lives(first), false);
  guard.hook.restart();
  await until(() => !lives(second), "it has ended");
  assert.notEqual(await guard.pid(), second);
});

test("an interrupted event ends it, one that waits leaves it alone", async (context) => {
  const guard = new Guard(context);
  const first = await guard.pid();
  const [running, waiting] = [new AbortController(), new AbortController()];
  const hanging = guard.fire("hangs", running.signal);
  const given = guard.fire("count", waiting.signal);
  waiting.abort();
  assert.equal(await given, undefined);
  assert.match(guard.detail(), /was interrupted/);
  assert.ok(lives(first));
  running.abort();
  await hanging;
  assert.equal(lives(first), false);
  assert.notEqual(await guard.pid(), first);
});

test("a child outside of its group is killed with it", { skip: process.platform !== "linux" }, async (context) => {
  const { guard } = await answering(context, {}, true);
  await guard.fire("escapes");
  assert.match(guard.detail(), /left its process group; killed/);
  await until(() => !lives(guard.childPid()), "its child has ended");
});

const HOST = `
import { grantExplicitTest } from "#allowlist/decide";
import { parseHookEntries } from "#sandbox/shell/entries";
import { createShellHook } from "#sandbox/shell/hook";
import { HookDispatcher } from "#core/dispatch";
import { EVENTS } from "#core/events";
const [command, last] = process.argv.slice(1);
const [entry] = parseHookEntries({ pre_tool_call: [{ command, coprocess: true }] }).entries;
const shellContext = { cwd: process.cwd(), home: "/", env: process.env };
const dispatcher = new HookDispatcher();
dispatcher.register(createShellHook(entry, { decide: grantExplicitTest, shellContext }));
const fire = (command) => dispatcher.invoke_hook("pre_tool_call", { ...EVENTS.pre_tool_call.sample(), args: { command } });
const { message } = await fire("pid");
await fire("closes stdin");
console.log(message);
if (last === "stays") setInterval(() => undefined, 1000);
`;

for (const last of ["ends", "stays"]) {
  const what = last === "ends" ? "an idle coprocess lets the program end, and ends with it" : "kill -9 leaves nothing";
  test(what, { skip: process.platform !== "linux" }, async (context) => {
    const command = `'${process.execPath}' '${SCRIPT}'`;
    const args = ["--input-type=module-typescript", "--eval", HOST, command, last];
    const host = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    context.after(() => host.kill("SIGKILL"));
    const exited = new Promise<[number | null, string | null]>((done) => {
      host.once("exit", (...how) => done(how));
    });
    const pid = Number(await new Promise<Buffer>((done) => host.stdout.once("data", done)));
    context.after(() => killQuietly(pid));
    if (last === "stays") host.kill("SIGKILL");
    assert.deepEqual(await exited, last === "stays" ? [null, "SIGKILL"] : [0, null]);
    await until(() => !lives(pid), "the coprocess has ended");
  });
}
