/** What a handler does to its own process ends that process only: everything else goes on. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { isHermesError } from "#core/errors";
import type { Handler, GatewayHook } from "#core/ports/tier";
import { createWorkerTier } from "#sandbox/worker/pool";
import { lives } from "../../helpers/processes.ts";
import { until } from "../../helpers/poll.ts";
import { makeGatewayHook } from "../../helpers/gateway-hook.ts";

const COUNTS = "let calls = 0; export const handle = () => [++calls, process.pid];";

interface Opened {
  readonly handler: Handler;
  readonly strays: string[];
  readonly output: string[];
  /** The code and the sentence of the error that a run ends with. */
  fails(event?: string): Promise<{ code: string; message: string }>;
}

function makeTier(t: TestContext) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "hermes-processes-")));
  const tier = createWorkerTier();
  t.after(async () => {
    await tier[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  return function open(name: string, text: string, options: Partial<GatewayHook> = {}): Opened {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "handler.ts"), text);
    const strays: string[] = [];
    const output: string[] = [];
    const hook = makeGatewayHook(name, {
      folder: join(folder, name),
      handler: join(folder, name, "handler.ts"),
      ...options,
    });
    const handler = tier.open(hook, {
      onOutput: (level, line) => void output.push(`${level} ${line}`),
      onStray: (problem) => void strays.push(problem),
    });
    const fails = (event = "a:misbehave") =>
      handler.run(event, {}).then(
        (answer) => assert.fail(`it answered ${JSON.stringify(answer)}`),
        (error: unknown) => {
          assert.ok(isHermesError(error), String(error));
          return { code: error.code, message: error.message };
        },
      );
    return { handler, strays, output, fails };
  };
}

/** A handler that answers, except at `a:misbehave`. */
const misbehaves = (code: string) => `
  import * as fs from "node:fs";
  export function handle(event: string) {
    if (event !== "a:misbehave") return "answered";
    ${code}
    for (;;);
  }`;

/** Misbehaviour, the code of the error, and its sentence. */
const CASES: Readonly<Record<string, readonly [code: string, error: string, sentence: RegExp]>> = {
  "fills an array of 1e9, which V8 cannot interrupt": [
    "Array(1e9).fill(0);",
    "HERMES_HANDLER_DIED",
    /it used \d+ MB \(memory_mb is 128\)$/,
  ],
  "grows shared buffers": [
    "const kept = []; for (let n = 0; n < 60; n++) kept.push(new Uint8Array(new SharedArrayBuffer(10_000_000)).fill(1));",
    "HERMES_HANDLER_DIED",
    /it used \d+ MB \(memory_mb is 128\)$/,
  ],
  "grows shared WebAssembly memory": [
    `const kept = []; for (let n = 0; n < 60; n++) kept.push(new Uint8Array(
       new WebAssembly.Memory({ initial: 160, maximum: 160, shared: true }).buffer).fill(1));`,
    "HERMES_HANDLER_DIED",
    /it used \d+ MB \(memory_mb is 128\)$/,
  ],
  "kills its process": [
    'process.kill(process.pid, "SIGTERM");',
    "HERMES_HANDLER_DIED",
    /its process was killed by SIGTERM$/,
  ],
  aborts: [
    "process.abort = undefined; process.kill(process.pid, 'SIGABRT');",
    "HERMES_HANDLER_DIED",
    /killed by SIGABRT/,
  ],
  "stops its process": ['process.kill(process.pid, "SIGSTOP");', "HERMES_HANDLER_TIMEOUT", /did not finish within 3 s/],
  "closes every descriptor": [
    `for (let fd = 0; fd < 64; fd++) {
       try { fs.closeSync(fd); } catch (error) { if (error.code !== "EBADF") throw error; }
     }`,
    "HERMES_HANDLER_DIED",
    /its process (?:was killed by|exited with|broke)/,
  ],
  "writes to the connection": [
    'fs.writeSync(4, "\\xff".repeat(100)); fs.writeSync(3, "x".repeat(100));',
    "HERMES_HANDLER_DIED",
    /its process broke the protocol/,
  ],
};

for (const [name, [code, error, sentence]] of Object.entries(CASES)) {
  test(`a handler that ${name}: ${error}; its next event and other hooks are served`, async (t) => {
    const open = makeTier(t);
    const bystander = open("bystander", COUNTS);
    const [, pid] = (await bystander.handler.run("a:b", {})) as [number, number];
    const hook = open("hostile", misbehaves(code), { timeoutSeconds: name.startsWith("stops") ? 3 : 30 });
    const ended = hook.fails();
    assert.deepEqual(await bystander.handler.run("a:b", {}), [2, pid], "while it runs");
    const { code: found, message } = await ended;
    assert.equal(found, error, message);
    assert.match(message, sentence);
    assert.equal(await hook.handler.run("a:b", {}), "answered");
    assert.deepEqual(await bystander.handler.run("a:b", {}), [3, pid], "its thread is the same");
    assert.deepEqual(bystander.strays, []);
  });
}

test("code that V8 cannot interrupt is stopped at its deadline", async (t) => {
  const open = makeTier(t);
  // Enough memory, so that the deadline comes first.
  const hook = open("fills", misbehaves("Array(1e8).fill(0); return 1;"), { timeoutSeconds: 1, memoryMb: 4096 });
  await hook.handler.run("a:b", {});
  assert.equal((await hook.fails()).code, "HERMES_HANDLER_TIMEOUT");
  assert.equal(await hook.handler.run("a:b", {}), "answered");
  assert.deepEqual(hook.strays, [], "nothing of it is left running");
});

test("what bypasses the streams of the thread is logged too", async (t) => {
  const hook = makeTier(t)(
    "prints",
    `import { spawnSync } from "node:child_process";
     import { writeSync } from "node:fs";
     export function handle() {
       writeSync(1, "written to 1\\n");
       spawnSync("sh", ["-c", "echo from a program >&2"], { stdio: "inherit" });
       return process.ppid;
     }`,
  );
  assert.equal(await hook.handler.run("a:b", {}), process.pid);
  await until(() => hook.output.length >= 2, "both lines were logged", { seen: () => hook.output });
  assert.deepEqual(hook.output.toSorted(), ["info written to 1", "warn from a program"]);
});

test("contexts and answers of a megabyte arrive whole", async (t) => {
  const hook = makeTier(t)("echoes", "export const handle = (_: string, { text }: { text: string }) => text;");
  const text = "é💡x".repeat(200_000);
  assert.equal(await hook.handler.run("command:x", { text }), text);
  assert.equal(await hook.handler.run("command:x", { text: "short" }), "short");
});

test("a process that cannot be started fails its event, and the next one tries again", async (t) => {
  const hook = makeTier(t)("counts", COUNTS);
  const { execPath } = process;
  t.after(() => (process.execPath = execPath));
  process.execPath = "/nowhere/node";
  const { code, message } = await hook.fails();
  assert.equal(code, "HERMES_HANDLER_DIED");
  assert.match(message, /its process cannot be started: spawn \/nowhere\/node ENOENT$/);
  process.execPath = execPath;
  const [calls] = (await hook.handler.run("a:b", {})) as [number];
  assert.equal(calls, 1);
  assert.deepEqual(hook.strays, []);
});

const skip = process.platform === "linux" ? false : "processes are looked up in /proc";

test("a process is gone when its handler is closed, whatever it does", { skip }, async (t) => {
  const open = makeTier(t);
  const hook = open("fills", misbehaves("Array(3e8).fill(0);"), { memoryMb: 4096 });
  await open("counts", COUNTS).handler.run("a:b", {});
  await hook.handler.run("a:b", {});
  assert.equal(children().length, 2);
  const failed = hook.fails();
  await hook.handler.close();
  assert.equal((await failed).code, "HERMES_HANDLER_DIED");
  assert.equal(children().length, 1);
});

function children(): readonly number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && lives(pid) && isHandlerProcess(pid));
}

function isHandlerProcess(pid: number): boolean {
  try {
    const parent = Number(
      readFileSync(`/proc/${pid}/stat`, "latin1")
        .replace(/^.*\) /s, "")
        .split(" ")[1],
    );
    return parent === process.pid && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("worker/process-entry");
  } catch {
    // It has ended meanwhile.
    return false;
  }
}
