/** A handler's thread: what lives in it, what it may import, what bounds it, and how many there are. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { HandlerReport, GatewayHook } from "#core/ports/tier";
import { createWorkerTier } from "#sandbox/worker/pool";
import { until } from "../../helpers/poll.ts";
import { killQuietly, pidIn } from "../../helpers/processes.ts";
import { makeGatewayHook } from "../../helpers/gateway-hook.ts";

interface Bench {
  readonly folder: string;
  readonly output: string[];
  readonly strays: string[];
  /** Opens the handler of a file that `files` has. */
  open(name: string, files: Readonly<Record<string, string>>, options?: Partial<GatewayHook>): ReturnType<Tier["open"]>;
}

type Tier = ReturnType<typeof createWorkerTier>;

function makeBench(t: TestContext, options: { mostThreads?: number } = {}): Bench {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "hermes-threads-")));
  const tier = createWorkerTier(options);
  t.after(async () => {
    await tier[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  const output: string[] = [];
  const strays: string[] = [];
  const report: HandlerReport = {
    onOutput: (level, text) => void output.push(`${level} ${text}`),
    onStray: (problem) => void strays.push(problem),
  };
  return {
    folder,
    output,
    strays,
    open(name, files, rest = {}) {
      for (const [path, text] of Object.entries(files)) {
        const file = join(folder, name, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
      const [handler = ""] = Object.keys(files);
      const hook = { folder: join(folder, name), handler: join(folder, name, handler), ...rest };
      return tier.open(makeGatewayHook(name, hook), report);
    },
  };
}

/** Answers how often it was called in the life of its thread. */
const COUNTER = "let calls = 0; export const handle = () => ++calls;";

test("what a handler keeps in its module lives from event to event; another opening starts afresh", async (t) => {
  const bench = makeBench(t);
  const first = bench.open("counter", { "handler.ts": COUNTER });
  assert.deepEqual([await first.run("a:b", {}), await first.run("a:b", {}), await first.run("a:b", {})], [1, 2, 3]);
  await first.close();
  assert.equal(await bench.open("counter", { "handler.ts": COUNTER }).run("a:b", {}), 1);
  await assert.rejects(first.run("a:b", {}), /its hook was closed/);
});

test("the first event does not pay for the start of its thread and for the load of its module", async (t) => {
  const text = `
    await new Promise((resolve) => setTimeout(resolve, 1500));
    export const handle = () => "loaded";`;
  const handler = makeBench(t).open("slow", { "handler.ts": text }, { timeoutSeconds: 1 });
  assert.equal(await handler.run("a:b", {}), "loaded");
});

test("a handler's timers continue between events", async (t) => {
  const { open, output } = makeBench(t);
  const text = `
    let ticks = 0;
    const tick = () => (++ticks < 3 ? setTimeout(tick, 1) : console.log("the third tick"));
    export const handle = () => (ticks === 0 ? void setTimeout(tick, 1) : ticks);`;
  const handler = open("ticks", { "handler.ts": text });
  assert.equal(await handler.run("a:b", {}), null);
  await until(() => output.includes("info the third tick"), "it ticks without an event");
  assert.equal(await handler.run("a:b", {}), 3);
});

test("TypeScript, JavaScript without a package.json, helpers, JSON and packages beside the handler", async (t) => {
  const bench = makeBench(t);
  const answer = (name: string, files: Readonly<Record<string, string>>) =>
    bench.open(name, files).run("command:x", { a: 1 });
  const helper = { "lib/helper.ts": "export const add = (a: number, b: number): number => a + b;" };
  const sum = "export function handle(_, { a }) { return { sum: add(a, 2) }; }";
  assert.deepEqual(
    await answer("ts", {
      "handler.ts": `import { add } from "./lib/helper.ts";\n${sum.replace("_, { a })", "_: unknown, { a }: any)")}`,
      ...helper,
    }),
    { sum: 3 },
  );
  assert.deepEqual(
    await answer("mts", { "handler.mts": "export const handle = async (type: string) => ({ type });" }),
    { type: "command:x" },
  );
  assert.deepEqual(
    await answer("js", {
      "handler.js": `import { add } from "./add.js";\n${sum}`,
      "add.js": "export const add = (a, b) => a + b;",
    }),
    { sum: 3 },
  );
  assert.deepEqual(
    await answer("json", {
      "handler.mjs": 'import data from "./data.json" with { type: "json" };\nexport const handle = () => data;',
      "data.json": '{"from":"json"}',
    }),
    { from: "json" },
  );
  assert.deepEqual(
    await answer("package", {
      "handler.ts": 'import { name } from "pack";\nexport const handle = () => ({ name });',
      "node_modules/pack/package.json": '{"name":"pack","main":"index.js"}',
      "node_modules/pack/index.js": 'exports.name = "common";',
    }),
    { name: "common" },
  );
  assert.deepEqual(bench.output, []);
});

test("an error says where it is, in the handler's own words", async (t) => {
  const { open } = makeBench(t);
  const problem = (name: string, files: Readonly<Record<string, string>>) =>
    open(name, files)
      .run("a:b", {})
      .then(
        () => "none",
        (error: unknown) => (error as Error).message,
      );
  assert.match(
    await problem("helper", {
      "handler.ts": 'import { fail } from "./lib/fail.ts";\nexport const handle = fail;',
      "lib/fail.ts": "export function fail() {\n  throw new TypeError('no');\n}",
    }),
    /failed at a:b: no \(lib\/fail\.ts:2\)$/,
  );
  assert.match(
    await problem("missing", { "handler.ts": 'import "./nowhere.ts";' }),
    /cannot be used: .*handler\.ts: Cannot find module '.*nowhere\.ts'/,
  );
  assert.match(
    await problem("js", { "handler.js": "export function handle() {\n  let a; let a;\n}" }),
    /cannot be used: .*handler\.js: Identifier 'a' has already been declared/,
  );
  assert.match(await problem("js2", { "handler.js": "\n\nexport const x = ;" }), /handler\.js:3: Expression expected$/);
  assert.match(
    await problem("enum", { "handler.ts": "enum A {}" }),
    /handler\.ts:1\) \(types are stripped, not compiled/,
  );
});

test("a module that could not be loaded is tried again in another thread", async (t) => {
  const bench = makeBench(t);
  const text = `
    import { existsSync } from "node:fs";
    if (!existsSync(${JSON.stringify(join(bench.folder, "ready"))})) throw new Error("not ready");
    export const handle = () => "ready";
  `;
  const handler = bench.open("later", { "handler.ts": text });
  await assert.rejects(handler.run("a:b", {}), /cannot be used: .*not ready/);
  writeFileSync(join(bench.folder, "ready"), "");
  assert.equal(await handler.run("a:b", {}), "ready");
});

test("the environment is the program's, without what only the start of threads needs", async (t) => {
  const { open } = makeBench(t);
  const before = { ...process.env };
  t.after(() => (process.env = before));
  process.env["HERMES_TEST_VALUE"] = "seen";
  const text =
    "export const handle = () => [process.env.HERMES_TEST_VALUE, process.env.NODE_COMPILE_CACHE ?? null, process.env.HERMES_HOOK_RUN ?? null, process.execArgv];";
  process.env["NODE_COMPILE_CACHE"] = "/dev/null/the user's own";
  assert.deepEqual(await open("env", { "handler.ts": text }).run("a:b", {}), [
    "seen",
    "/dev/null/the user's own",
    null,
    [],
  ]);
  delete process.env["NODE_COMPILE_CACHE"];
  // The hook of another hermes started this one.
  process.env["HERMES_HOOK_RUN"] = "0".repeat(32);
  assert.deepEqual(await open("own", { "handler.ts": text }).run("a:b", {}), ["seen", null, "0".repeat(32), []]);
});

test("what is printed comes in lines with their level, the last one also without its end", async (t) => {
  const { open, output } = makeBench(t);
  const text = `
    import { Console } from "node:console";
    export function handle() {
      console.debug("a debug %d", 1);
      console.info("two\\nlines");
      console.table([{ a: 1 }]);
      new Console(process.stdout).log("own console");
      process.emitWarning("careful");
      process.stdout.write("half ");
      process.stdout.write("a line");
      return new Promise((end) => process.stderr.write("written\\n", end));
    }`;
  await open("prints", { "handler.ts": text }).run("a:b", {});
  assert.deepEqual(output.slice(0, 3), ["debug a debug 1", "info two", "info lines"]);
  for (const line of ["info own console", "warn Warning: careful", "info half a line", "warn written"]) {
    assert.ok(output.includes(line), `${line} in ${output.join("\n")}`);
  }
});

test("printing without end is bounded, and says how much was left out", async (t) => {
  const { open, output } = makeBench(t);
  const text = `
    export async function handle(event: string) {
      if (event === "a:flood") for (let line = 0; line < 100_000; line++) console.log("line " + line + "x".repeat(5000));
      else console.log("later");
    }`;
  const handler = open("floods", { "handler.ts": text });
  await handler.run("a:flood", {});
  assert.ok(output.length > 0 && output.length < 5_000, `${output.length} lines`);
  assert.ok(output.every((line) => line.length < 5000));
  const isLater = async () => {
    await handler.run("a:later", {});
    return output.at(-1) === "info later";
  };
  await until(isLater, "lines are taken again", { seen: () => output.slice(-2) });
  assert.match(output.at(-2) ?? "", /^warn … \d+ more lines were dropped$/);
});

test("garbage does not end a thread; retained memory does", async (t) => {
  const { open } = makeBench(t);
  // Longer than a thread may exceed its limit.
  const little = "export const handle = () => new Promise((end) => setTimeout(() => end(true), 1200));";
  assert.equal(await open("little", { "handler.ts": little }, { memoryMb: 16 }).run("a:b", {}), true);
  const garbage = `
    export function handle() {
      const end = performance.now() + 1500;
      let sum = 0;
      while (performance.now() < end) sum += JSON.parse(JSON.stringify(Array.from({ length: 2000 }, (_, a) => ({ a })))).length;
      return sum > 0;
    }`;
  assert.equal(await open("garbage", { "handler.ts": garbage }, { memoryMb: 64 }).run("a:b", {}), true);
  const kept = `
    const kept: unknown[] = [];
    export async function handle() {
      for (let index = 0; index < 100; index++) kept.push(new Uint8Array(1_000_000).fill(1));
      await new Promise(() => {});
    }`;
  await assert.rejects(
    open("keeps", { "handler.ts": kept }, { memoryMb: 64 }).run("a:b", {}),
    /it used \d+ MB \(memory_mb is 64\)/,
  );
});

test("a thread that ends between two events is reported, and the next event gets another one", async (t) => {
  const { open, strays } = makeBench(t);
  const text = `export const handle = (event: string) => { if (event === "a:exit") setTimeout(() => process.exit(3), 5); return event; };`;
  const handler = open("exits", { "handler.ts": text });
  await handler.run("a:exit", {});
  await until(() => strays.length > 0, "the end was reported");
  assert.deepEqual(strays, ["ended its thread between two events: process.exit was called (3)"]);
  assert.equal(await handler.run("a:b", {}), "a:b");
});

test("a thread that a call of the system holds is killed, and the next event gets another one", async (t) => {
  const { open, strays, folder } = makeBench(t);
  const file = join(folder, "pid");
  const text = `
    import { execFileSync } from "node:child_process";
    const call = () => execFileSync("sh", ["-c", 'echo $$ >"$0"; exec sleep 1000', ${JSON.stringify(file)}]);
    export const handle = (event: string) => (event === "a:call" ? void call() : event);`;
  const handler = open("held", { "handler.ts": text }, { timeoutSeconds: 3 });
  const called = handler.run("a:call", {});
  const pid = await pidIn(file);
  t.after(() => killQuietly(pid));
  await assert.rejects(called, /did not finish within 3 s/);
  assert.equal(await handler.run("a:b", {}), "a:b");
  assert.deepEqual(strays, []);
});

test("of more hooks than there may be threads the longest idle one gives way, and hooks run side by side", async (t) => {
  const { open } = makeBench(t, { mostThreads: 2 });
  const handlers = ["a", "b", "c"].map((name) => open(name, { "handler.ts": COUNTER }));
  const [a, b, c] = handlers;
  assert.equal(await a!.run("x:y", {}), 1);
  assert.equal(await b!.run("x:y", {}), 1);
  assert.equal(await a!.run("x:y", {}), 2);
  assert.equal(await c!.run("x:y", {}), 1);
  assert.equal(await a!.run("x:y", {}), 3, "the thread of a was used later than that of b");
  assert.equal(await b!.run("x:y", {}), 1, "b began afresh");
});

test("hooks that wait for a thread all get one, although every thread is busy", async (t) => {
  const { open } = makeBench(t, { mostThreads: 2 });
  const busy = "export const handle = (_: string, { n }: any) => new Promise((end) => setTimeout(() => end(n), 20));";
  const handlers = Array.from({ length: 6 }, (_, index) => open(`busy-${index}`, { "handler.ts": busy }));
  const answers = await Promise.all(
    handlers.map(async (handler, index) => {
      const given: unknown[] = [];
      for (let turn = 0; turn < 3; turn++) given.push(await handler.run("a:b", { n: index * 10 + turn }));
      return given;
    }),
  );
  assert.deepEqual(
    answers,
    Array.from({ length: 6 }, (_, index) => [index * 10, index * 10 + 1, index * 10 + 2]),
  );
});
