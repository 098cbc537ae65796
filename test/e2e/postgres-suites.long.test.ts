/** The tests of tasks, webhooks, daemons and services hold as well when their homes keep them in PostgreSQL. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import test from "node:test";
import { ROOT } from "../helpers/hermes.ts";
import { PostgresServer } from "../helpers/postgres.ts";

const SUITES = [
  "test/cli/{daemon,inbound,serve}*.process.test.ts",
  "test/daemon/**/*.process.test.ts",
  "test/e2e/{api-server,gateway,task,webhook,worker}*.process.test.ts",
];
/** These start a server of their own. */
const OWN_SERVER = ["test/daemon/storage/**", "test/daemon/daemons-elsewhere.process.test.ts"];
const SHOWN_BYTES = 20_000;

test("the tests of tasks, webhooks, daemons and services pass with HERMES_DATABASE_URL", async (t) => {
  await using server = await PostgresServer.start({ settings: ["max_connections=300"] });
  const files = globSync(SUITES, { cwd: ROOT, exclude: OWN_SERVER });
  const env: NodeJS.ProcessEnv = { ...process.env, HERMES_DATABASE_URL: await server.createDatabase() };
  // With it, node:test takes the runner for a file of this run, and starts nothing.
  delete env["NODE_TEST_CONTEXT"];
  const runner = spawn(process.execPath, ["test/run.ts", "process", ...files], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => runner.kill());
  let output = "";
  runner.stdout.setEncoding("utf8").on("data", (text: string) => (output = `${output}${text}`.slice(-SHOWN_BYTES)));
  const [code] = (await once(runner, "close")) as [number | null];
  assert.equal(code, 0, output);
  const [, passed] = /^ℹ pass (\d+)$/m.exec(output) ?? assert.fail(output);
  assert.ok(Number(passed) >= files.length, output);
});
