/** What docs/scaling.md shows, as it stands there: two homes on one real server. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import test from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";
import { BIN } from "../helpers/hermes.ts";
import { PostgresServer } from "../helpers/postgres.ts";

const PAGE = "docs/scaling.md";
const sh = examplesOf(PAGE, "sh");

test("a task that one machine submits runs on the other one", async (t) => {
  assert.deepEqual([...sh.keys()], ["scaling-homes", "scaling-worker", "scaling-task"]);
  assert.equal(countBlocks(PAGE, "sh"), 3);
  const server = await PostgresServer.start();
  t.after(() => server[Symbol.asyncDispose]());
  const newcomer = new Newcomer(t);
  const made = await newcomer.run(sh.get("scaling-homes")!, { env: { DATABASE: await server.createDatabase() } });
  assert.equal(made.code, 0, made.stderr);
  const [program, ...args] = sh.get("scaling-worker")!.trim().split(" ");
  assert.equal(program, "hermes");
  const worker = spawn(process.execPath, [BIN, ...args], {
    cwd: newcomer.home,
    env: { ...process.env, HOME: newcomer.home, HERMES_HOME: join(newcomer.home, "two") },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(worker, "exit");
  t.after(async () => {
    worker.kill("SIGTERM");
    await ended;
  });
  for await (const text of worker.stderr as AsyncIterable<Buffer>) if (text.includes("is ready")) break;
  const { code, stdout, stderr } = await newcomer.run(sh.get("scaling-task")!);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /gpu/, "the worker is listed with its tag");
  assert.match(stdout, new RegExp(String(worker.pid)));
  assert.match(stdout, /succeeded/);
  assert.match(stdout, /say hello/);
});
