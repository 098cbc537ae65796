/** The processes that host isolates: shared, replaced when they end, and gone when they are not needed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import { problemOf } from "#core/errors";
import { lives } from "../helpers/processes.ts";
import { until } from "../helpers/poll.ts";
import { Isolates, isolateProcesses } from "../helpers/isolates.ts";

const fixtures = resolve(import.meta.dirname, "../fixtures");
const skip = process.platform === "linux" ? false : "processes are looked up in /proc";

const COUNTS = `let count = 0; export const handle = () => ({ message: ++count });`;
const WAITS = `
  export async function handle(_event, { wait }, host) {
    if (!wait) return { message: "quick" };
    host.log.info("waiting");
    await new Promise(() => {});
  }`;
const MAP = `
  export function handle(_event, { misbehave }) {
    if (!misbehave) return { message: "fine" };
    const map = new Map();
    for (let index = 0; ; index++) map.set(index, [index]);
  }`;

test("nothing is started before the first event, and hooks share a process", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const hooks = Array.from({ length: 9 }, (_, index) => isolates.open(`hook-${index}`, COUNTS));
  assert.deepEqual(isolateProcesses(), []);
  for (const hook of hooks.slice(0, 8)) assert.equal((await hook.run())?.message, 1);
  assert.equal(isolateProcesses().length, 1, "eight hooks share one");
  assert.equal((await hooks[8]!.run())?.message, 1);
  assert.equal(isolateProcesses().length, 2, "the ninth has no room there");
  assert.equal((await hooks[0]!.run())?.message, 2, "what a module holds lives from event to event");
  await isolates.tier[Symbol.asyncDispose]();
  await until(() => isolateProcesses().length === 0, "they are gone with the tier");
});

test("a process that was started ahead takes the first hooks", { skip }, async (context) => {
  const isolates = new Isolates(context);
  isolates.tier.prepare?.();
  isolates.tier.prepare?.();
  const ahead = isolateProcesses();
  assert.equal(ahead.length, 1);
  const hook = isolates.open("counts", COUNTS);
  assert.equal((await hook.run())?.message, 1);
  assert.deepEqual(isolateProcesses(), ahead, "it is the one in use");
  assert.deepEqual(isolates.log, []);
});

test("whoever ends a process takes the others along, once", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const bystander = isolates.open("bystander", WAITS);
  const idle = isolates.open("idle", COUNTS);
  const hostile = isolates.open("hostile", MAP);
  for (const hook of [bystander, idle, hostile]) await hook.run();
  assert.equal(isolateProcesses().length, 1);

  const waiting = bystander.fails({ wait: true });
  await until(() => bystander.output.length > 0, "the bystander's handler runs");
  assert.match((await hostile.fails({ misbehave: true })).message, /ran out of memory/);
  const { code, message } = await waiting;
  assert.equal(code, "HERMES_HANDLER_DIED");
  assert.match(message, /another hook ended the process that it shares$/);

  assert.equal((await bystander.run())?.message, "quick");
  assert.equal((await idle.run())?.message, 1, "its globals went with the process");
  assert.deepEqual(idle.strays, []);
  assert.equal((await hostile.run())?.message, "fine");
  assert.equal(isolateProcesses().length, 2, "from now on it has a process of its own");
  await hostile.fails({ misbehave: true });
  assert.equal((await idle.run())?.message, 2, "and takes nobody along any more");
  assert.equal(isolates.log.filter((line) => line.includes("ran out of memory")).length, 2);
});

test("an event that had not reached its handler is tried again", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const loads = (module: string) => ({ "handler.ts": `console.log("loading"); ${module}` });
  const slow = isolates.open("slow", loads(`await new Promise(() => {}); ${COUNTS}`));
  const hostile = isolates.open("hostile", MAP);
  await hostile.run();
  const answer = slow.run();
  await until(() => slow.output.length === 1, "it is being loaded");
  // The first loading never ends: the answer can only come from a second one, which finds a module that loads.
  writeFileSync(join(isolates.folder("slow"), "handler.ts"), loads(COUNTS)["handler.ts"]);
  await hostile.fails({ misbehave: true });
  assert.equal((await answer)?.message, 1);
  assert.equal(slow.output.length, 2, "it was loaded a second time");
});

test("a process that does not answer is replaced, and the event goes to the new one", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.open("counts", COUNTS, { timeoutSeconds: 2 });
  await hook.run();
  const [pid = 0] = isolateProcesses();
  process.kill(pid, "SIGSTOP");
  assert.equal((await hook.run())?.message, 1);
  assert.ok(!lives(pid));
});

test("a process that is killed from outside", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.open("waits", WAITS);
  await hook.run();
  const [idle = 0] = isolateProcesses();
  process.kill(idle, "SIGKILL");
  await until(() => !lives(idle), "it is gone");
  assert.equal((await hook.run())?.message, "quick", "an idle one is no failure");

  const failed = hook.fails({ wait: true });
  await until(() => hook.output.length > 0, "its handler runs");
  for (const pid of isolateProcesses()) process.kill(pid, "SIGKILL");
  const { code, message } = await failed;
  assert.equal(code, "HERMES_HANDLER_DIED");
  assert.match(message, /its process was killed by SIGKILL$/);
  assert.equal((await hook.run())?.message, "quick");
});

test("a time-out ends the isolate and leaves the process", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const counts = `let count = 0; export const handle = (_e, { loop }) => { count++; while (loop); return { message: count }; };`;
  const hook = isolates.open("loops", counts, { timeoutSeconds: 2 });
  const neighbour = isolates.open("neighbour", COUNTS);
  await neighbour.run();
  assert.equal((await hook.run())?.message, 1);
  assert.equal((await hook.fails({ loop: true })).code, "HERMES_HANDLER_TIMEOUT");
  assert.equal((await hook.run())?.message, 1, "it was loaded anew");
  assert.equal((await neighbour.run())?.message, 2);
  assert.equal(isolateProcesses().length, 1);
});

test("what can never be stopped costs its process", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const handler = join(fixtures, "isolated-handlers/computes-bigints.ts");
  const hook = isolates.openFile(handler, { timeoutSeconds: 2 });
  await hook.run();
  const [pid = 0] = isolateProcesses();
  assert.equal((await hook.fails({ misbehave: true })).code, "HERMES_HANDLER_TIMEOUT");
  assert.ok(!lives(pid), "it was gone when the run failed");
  assert.equal((await hook.run())?.message, "fine");
});

test("CPU time is bounded apart from the deadline", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.openFile(join(fixtures, "handlers/loops/handler.ts"), { timeoutSeconds: 100 });
  const { code, message } = await hook.fails({ misbehave: true });
  assert.equal(code, "HERMES_HANDLER_DIED");
  assert.match(message, /it used more than 5 s of CPU time in one run$/);
  assert.equal((await hook.run())?.message, "fine");
});

test(
  "memory that V8 does not count is attributed to the hook that takes a little in each run",
  { skip },
  async (context) => {
    const isolates = new Isolates(context);
    const hoards = `const all = [];
    export function handle(_event, { hoard }) {
      for (let index = 0; hoard && index < 100; index++) all.push(new Intl.DateTimeFormat("de"));
      return { message: all.length };
    }`;
    const hoarder = isolates.open("hoarder", hoards);
    const neighbour = isolates.open("neighbour", COUNTS);
    const problems: string[] = [];
    for (let round = 0; round < 2000 && problems.length === 0; round++) {
      for (const hook of [hoarder, neighbour, neighbour]) {
        await hook.run({ hoard: true }).catch((error: unknown) => void problems.push(problemOf(error)));
      }
    }
    assert.equal(problems.length, 1);
    const [problem = ""] = [...problems, ...hoarder.strays];
    assert.match(problem, /used far more memory than its memory_mb|another hook ended/);
    await neighbour.run();
    await hoarder.run();
    assert.equal(isolateProcesses().length, 2, "the hoarder has one of its own from then on");
    assert.match(isolates.log.join("\n"), /far more memory.*"culprit":1\b/, "it came first, so it is the first guest");
  },
);

test("work that continues after the answer ends at the deadline", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const own = join(fixtures, "isolated-handlers");
  const computes = isolates.openFile(join(own, "computes-after-answering.ts"), { timeoutSeconds: 2 });
  // In a process of its own, which the end of the other one cannot take along.
  const ticks = new Isolates(context).openFile(join(own, "ticks-after-answering.ts"), { timeoutSeconds: 2 });
  assert.equal((await computes.run({ misbehave: true }))?.message, "answered");
  assert.equal((await ticks.run({ misbehave: true }))?.message, "answered");
  await until(() => computes.strays.length > 0, "its isolate is ended");
  assert.deepEqual(computes.strays, ["lost its isolate: it was still running at its deadline, after it had answered"]);
  assert.equal((await computes.run())?.message, "fine");

  assert.ok(Number((await ticks.run())?.message) > 0, "it ticked after its answer");
  // Events that come meanwhile give it no more time: at last only their own timers fire.
  await until(async () => (await ticks.run({ during: 50 }))?.message === "0", "it ticks no more");
});

test(
  "an event that finds the last one still computing is served when that has been ended",
  { skip },
  async (context) => {
    const isolates = new Isolates(context);
    const code = `export const handle = (_event, { loop }) => {
    if (loop) setTimeout(() => { console.log("loops"); for (;;); }, 1);
    return { message: "answered" };
  };`;
    const hook = isolates.open("computes-on", code, { timeoutSeconds: 2 });
    await hook.run({ loop: true });
    await until(() => hook.output.length > 0, "it computes on");
    assert.equal((await hook.run())?.message, "answered");
    assert.deepEqual(hook.strays, ["lost its isolate: it was still running at its deadline, after it had answered"]);
  },
);

test("a handler can be closed while it runs, and opened again", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.open("waits", WAITS);
  const failed = hook.fails({ wait: true });
  await until(() => hook.output.length > 0, "its handler runs");
  const [pid = 0] = isolateProcesses();
  await hook.handler.close();
  const { code, message } = await failed;
  assert.equal(code, "HERMES_HANDLER_DIED");
  assert.match(message, /it was closed while it ran$/);
  const again = isolates.open("waits", COUNTS);
  assert.equal((await again.run())?.message, 1);
  assert.deepEqual(isolateProcesses(), [pid], "the process was still there");
  await again.handler.close();
  await until(() => isolateProcesses().length === 0, "one without hooks is ended");
});

test("a handler can be closed while its process starts", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.open("counts", COUNTS);
  const failed = hook.fails();
  await hook.handler.close();
  assert.equal((await failed).code, "HERMES_HANDLER_DIED");
  assert.equal((await hook.fails()).code, "HERMES_HANDLER_DIED");
});

test("the tier can be closed while handlers run", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.open("waits", WAITS);
  const failed = hook.fails({ wait: true });
  await until(() => hook.output.length > 0, "its handler runs");
  await isolates.tier[Symbol.asyncDispose]();
  assert.equal((await failed).code, "HERMES_HANDLER_DIED");
  assert.deepEqual(isolateProcesses(), []);
});

test("a process gets nothing of the environment but what dates and numbers need", { skip }, async (context) => {
  const isolates = new Isolates(context, { ...process.env, TZ: "Asia/Tokyo", MY_API_KEY: "secret", HOME: "/nowhere" });
  const hook = isolates.open("zone", `export const handle = () => ({ message: new Date(0).getHours() });`);
  assert.equal((await hook.run())?.message, 9);
  const [pid = 0] = isolateProcesses();
  const names = readFileSync(`/proc/${pid}/environ`, "latin1")
    .split("\0")
    .map((variable) => variable.split("=")[0]);
  const allowed = new Set(["TZ", "LANG", "LC_ALL", "HERMES_HOOK_RUN", ""]);
  assert.deepEqual(
    names.filter((name) => !allowed.has(name!)),
    [],
  );
});

test("a source that breaks the stripping of types costs nobody else", { skip }, async (context) => {
  const isolates = new Isolates(context);
  const neighbour = isolates.open("neighbour", COUNTS);
  await neighbour.run();
  const deep = isolates.open("deep", `export const handle = ${"(".repeat(50_000)}`);
  const { code, message } = await deep.fails();
  assert.equal(code, "HERMES_HANDLER_UNUSABLE");
  assert.match(message, /too deeply nested/);
  assert.equal((await neighbour.run())?.message, 2);
  assert.equal(
    (await isolates.open("typed", `export const handle = (_: string) => ({ message: "typed" });`).run())?.message,
    "typed",
  );
});

interface Program {
  readonly pid: number;
  readonly ended: Promise<number | null>;
  stdout(): string;
}

/** A program that runs this handler in an isolate. */
function startProgram(context: TestContext, code: string, ...words: string[]): Program {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "hermes-isolates-")));
  const handler = join(folder, "handler.ts");
  writeFileSync(handler, code);
  const child = spawn(process.execPath, [join(fixtures, "programs/hosts-isolates.ts"), handler, ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  context.after(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const ended = new Promise<number | null>((end) => void child.once("close", (status) => end(status)));
  return { pid: child.pid ?? 0, ended, stdout: () => stdout };
}

for (const words of [[], ["closes"]]) {
  test(
    `a program with an idle tier ends ${words.length === 0 ? "by itself" : "when it has closed it"}`,
    { skip },
    async (context) => {
      const program = startProgram(context, `export const handle = () => ({ message: "done" });`, ...words);
      assert.equal(await program.ended, 0);
      assert.match(program.stdout(), /"done"/);
    },
  );
}

const BUSY = `export function handle() { console.log("busy"); for (;;); }`;
for (const stopped of [false, true]) {
  const what = stopped ? "not even one that is stopped" : "nor a busy one";
  test(`kill -9 of the program leaves no process behind, ${what}`, { skip }, async (context) => {
    const program = startProgram(context, BUSY);
    await until(() => program.stdout().includes("busy"), "the handler loops");
    const [pid = 0] = isolateProcesses(program.pid);
    assert.ok(lives(pid));
    if (stopped) process.kill(pid, "SIGSTOP");
    process.kill(program.pid, "SIGKILL");
    await until(() => !lives(pid), "its process is gone");
  });
}
