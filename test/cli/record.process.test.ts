/** Recording of firings by the real program (docs/record-replay.md). */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { openToLook } from "#core/home/database";
import { EmbeddedRecordings } from "#daemon/storage/embedded-recordings";
import { Home } from "../helpers/hermes.ts";

async function recordingsOf(home: Home) {
  const database = openToLook(join(home.path, "state.db"));
  assert.ok(database);
  try {
    return await Array.fromAsync(new EmbeddedRecordings(database).read({}));
  } finally {
    database.close();
  }
}

test("the events of the configuration are recorded, and none without it", async (context) => {
  const home = new Home(context);
  home.write("config.yaml", "record: { enabled: true, events: [pre_tool_call, 'agent:*', 'agent:end'] }\n");
  await home.run(["chat", "-q", "run `echo hello`"]);
  const recordings = await recordingsOf(home);
  const events = recordings.map(({ event }) => event);
  for (const event of ["pre_tool_call", "agent:start", "agent:end"]) {
    assert.equal(events.filter((one) => one === event).length, 1, events.join());
  }
  assert.ok(events.every((event) => event === "pre_tool_call" || event.startsWith("agent:")));
  const call = recordings.find(({ event }) => event === "pre_tool_call")!;
  assert.match(call.payload, /echo hello/);
  home.write("config.yaml", "record: { enabled: false }\n");
  await home.run(["chat", "-q", "run `echo again`"]);
  assert.equal((await recordingsOf(home)).length, recordings.length);
});

/** Kills its process once the call before is in the file. */
const KILLER = `import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
export function register(ctx) {
  ctx.register_hook("post_tool_call", async () => {
    const database = new DatabaseSync(join(process.env.HERMES_HOME, "state.db"), { readOnly: true });
    const rows = database.prepare("SELECT COUNT(*) AS amount FROM recordings WHERE event = 'pre_tool_call'");
    while (rows.get().amount === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    process.kill(process.pid, "SIGKILL");
  });
}
`;

test("a process that is killed has written what it fired a moment ago", async (context) => {
  const home = new Home(context);
  home.plugin("killer", KILLER);
  home.write("config.yaml", "plugins: { enabled: [killer] }\nrecord: { enabled: true }\n");
  const { signal } = await home.run(["chat", "-q", "run `echo hello`"]);
  assert.equal(signal, "SIGKILL");
  const events = (await recordingsOf(home)).map(({ event }) => event);
  assert.ok(events.includes("pre_tool_call"), events.join());
  assert.ok(!events.includes("post_tool_call"));
});
