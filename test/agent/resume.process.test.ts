import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { openDatabase } from "#core/home/database";
import { createBench } from "../helpers/agent-bench.ts";
import { startModelServer } from "../helpers/model-server.ts";

const FIXTURE = new URL("../fixtures/agent/killed-in-turn.ts", import.meta.url).pathname;

test("after kill -9 in a turn the session resumes with what was complete, in a form that an API accepts", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-resume-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "state.db");
  const child = spawn(process.execPath, [FIXTURE, file], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  child.kill("SIGKILL");
  await once(child, "exit");

  await using server = await startModelServer([{ text: "welcome back" }]);
  const database = openDatabase(file);
  t.after(() => database.close());
  const bench = createBench({ database, model: { provider: "openai-compatible", base_url: server.url, default: "m" } });
  bench.listen();
  const session = bench.sessions.get(line.toString().trim());
  assert.ok(session);
  assert.equal(bench.sessions.list({ platform: "cli" }).length, 2);
  const result = await bench.turn("go on", { session });
  assert.equal(result.text, "welcome back");
  const sent = server.requests[0]?.messages.slice(1) ?? [];
  assert.deepEqual(
    sent.map(({ role }) => role),
    ["user", "assistant", "tool", "tool", "user"],
  );
  assert.equal(sent[2]?.content, '"done"');
  assert.match(String(sent[3]?.content), /^\{"error":"interrupted/);
  assert.ok(!bench.fired.some(({ event }) => event === "on_session_start"), "the session is not new");
});
