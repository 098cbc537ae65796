/** Recording of firings by the real program (docs/record-replay.md). */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { openDatabase, openToLook } from "#core/home/database";
import type { NewRecording } from "#core/ports/recordings";
import { EmbeddedRecordings } from "#daemon/storage/embedded-recordings";
import { EmbeddedReplays } from "#daemon/storage/embedded-replays";
import { runInProcess } from "../helpers/in-process.ts";
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
  assert.deepEqual([...new Set(recordings.map(({ surface }) => surface))], ["cli"]);
  home.write("config.yaml", "record: { enabled: false }\n");
  await home.run(["chat", "-q", "run `echo again`"]);
  assert.equal((await recordingsOf(home)).length, recordings.length);
});

async function lastReplayOf(home: Home) {
  const database = openToLook(join(home.path, "state.db"));
  assert.ok(database);
  try {
    const replays = new EmbeddedReplays(database);
    return { replay: await replays.last(), changes: await replays.changes({ limit: 10 }) };
  } finally {
    database.close();
  }
}

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

interface Replay {
  readonly firings: number;
  readonly same: number;
  readonly changed: readonly Record<string, unknown>[];
}

test("a changed guard is tried on what was recorded, and nothing else happens", async (context) => {
  const home = new Home(context);
  const guard = (pattern: string) =>
    home.script("guard.sh", `grep -q '${pattern}' && printf '{"action":"block","message":"no ${pattern}"}'; exit 0\n`);
  const config = (rest: string) =>
    home.write(
      "config.yaml",
      `record: { enabled: true, events: [pre_tool_call, post_tool_call] }
hooks: { pre_tool_call: [{ command: ~/.hermes/agent-hooks/guard.sh, name: guard }${rest}] }
`,
    );
  guard("rm -rf");
  config("");
  await runInProcess(home, ["hooks", "allow", "--all"]);
  await home.run(["chat", "-q", "run `echo hello`"]);
  await home.run(["chat", "-q", "run `echo rm -rf`"]);
  const log = home.read("logs/hooks.jsonl");

  const same = await runInProcess(home, ["hooks", "replay", "--json"]);
  assert.deepEqual([same.code, JSON.parse(same.stdout)], [0, { firings: 4, same: 4, changed: [] }]);

  guard("echo hello");
  home.script("other.sh", 'touch "$HERMES_HOME/ran"; printf \'{"action":"block"}\'\n');
  config(", { command: ~/.hermes/agent-hooks/other.sh, name: other }");
  const { code, stdout, stderr } = await runInProcess(home, ["hooks", "replay", "--json", "--since", "2h"]);
  const { firings, same: alike, changed } = JSON.parse(stdout) as Replay;
  assert.deepEqual([code, firings, alike], [1, 4, 2], stderr);
  const facts = { event: "pre_tool_call", tool_name: "terminal", hook: "guard" };
  assert.deepEqual(
    changed.map(({ time, session_id, ...rest }) => {
      assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      assert.match(String(session_id), /^[0-9a-f]{8}_/);
      return rest;
    }),
    [
      { ...facts, recorded: "pass", now: "block", message: "no echo hello" },
      { ...facts, recorded: "block", now: "pass", message: "no rm -rf" },
    ],
  );
  assert.match(stderr, /other\.sh \(pre_tool_call\) is left out, because it is not approved/);
  assert.ok(!home.has("ran"));
  assert.equal(home.read("logs/hooks.jsonl"), log);
  assert.equal((await recordingsOf(home)).length, 4);

  const session = String(changed[0]!["session_id"]);
  const table = await runInProcess(home, [
    "hooks",
    "replay",
    "--session",
    session.slice(0, 6),
    "--event",
    "pre_tool_call",
    "--hook",
    "guard",
  ]);
  assert.equal(table.code, 1);
  assert.match(
    table.stdout,
    /pre_tool_call.*terminal.*pass.*block.*guard.*no echo hello\nOf 1 firing, 1 would differ\.\n$/,
  );
  // The dashboard shows the last one.
  const { replay, changes } = await lastReplayOf(home);
  const counts = { firings: 1, same: 0, changed: 1 };
  const filters = { session, since: null, event: "pre_tool_call", hook: "guard" };
  assert.match(replay?.ran_at ?? "", /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(replay, { ran_at: replay!.ran_at, filters, hooks: { added: [], removed: [] }, ...counts });
  assert.deepEqual(changes, [changed[0]]);
  const later = await runInProcess(home, ["hooks", "replay", "--since", "2999-01-01"]);
  assert.deepEqual([later.code, later.stdout.startsWith("No recorded firing matches.")], [0, true]);

  // A plugin takes the place of the script.
  const blocks = 'String(args.command).includes("rm -rf") ? { action: "block", message: "no rm -rf" } : undefined';
  home.plugin("watch", `export const register = (ctx) => ctx.register_hook("pre_tool_call", ({ args }) => ${blocks});`);
  home.write("config.yaml", "plugins: { enabled: [watch] }\n");
  const moved = await runInProcess(home, ["hooks", "replay", "--json", "--event", "pre_tool_call"]);
  assert.deepEqual([moved.code, JSON.parse(moved.stdout)], [0, { firings: 2, same: 2, changed: [] }]);
});

const RULES = `import { writeFileSync } from "node:fs";
import { join } from "node:path";
export function handle(event_type, context) {
  writeFileSync(join(import.meta.dirname, event_type.replace(":", "-")), context.session_id);
  if (event_type === "command:model") return { decision: "deny", message: "not here" };
  throw new Error("broken");
}
`;

test("a gateway hook is tried on what a gateway recorded", async (context) => {
  const home = new Home(context);
  home.write("hooks/rules/HOOK.yaml", "events: ['command:*', 'agent:*']\n");
  home.write("hooks/rules/handler.js", RULES);
  await recordIn(home, ["s1"], { event: "command:model", surface: "gateway" });
  await recordIn(home, ["s2"], { event: "agent:end", surface: "gateway" });
  await recordIn(home, ["s3"], { event: "agent:start", surface: "cli" });
  // No gateway starts, so its checklist is not worked through.
  home.write("BOOT.md", "say hello\n");
  await recordIn(home, [""], { event: "gateway:startup", surface: "gateway" });
  const { code, stdout, stderr } = await runInProcess(home, ["hooks", "replay", "--json"]);
  const { firings, same, changed } = JSON.parse(stdout) as Replay;
  assert.deepEqual([code, firings, same, stderr], [1, 4, 2, ""]);
  assert.deepEqual(
    changed.map(({ event, now, hook, message }) => [event, now, hook, String(message).includes("broken") || message]),
    [
      ["command:model", "block", "rules", "not here"],
      ["agent:end", "error", "rules", true],
    ],
  );
  assert.deepEqual([home.read("hooks/rules/agent-end"), home.has("hooks/rules/agent-start")], ["s2", false]);
  const others = await runInProcess(home, ["hooks", "replay", "--event", "agent:*", "--hook", "rules", "--safe-mode"]);
  assert.deepEqual([others.code, others.stdout], [2, ""]);
  assert.match(others.stderr, /there is no hook "rules"/);
});

test("replay: options that name nothing", async (context) => {
  const home = new Home(context);
  await recordIn(home, ["abcd1111_x", "abcd2222_x", "abcd2222_x"]);
  const cases = [
    [["--since", "yesterday"], 2, /--since takes a duration such as 30m/],
    [["--event", "pre_toolcall"], 2, /pre_tool_call/],
    [["--event", "agent*"], 2, /no hook event "agent\*"/],
    [["--hook", "gard"], 2, /there is no hook "gard"/],
    [["--session", "abc"], 3, /no session "abc"/],
    [["--session", "abcd"], 2, /Several ids begin with "abcd": abcd1111_x, abcd2222_x\./],
    [["--session", "abcd3"], 3, /no session "abcd3"/],
  ] as const;
  for (const [args, code, message] of cases) {
    const ended = await runInProcess(home, ["hooks", "replay", ...args]);
    assert.deepEqual([ended.code, ended.stdout], [code, ""], args.join(" "));
    assert.match(ended.stderr, message);
  }
  const offered = await home.run(["complete", "--", "hooks", "replay", "--session", "abcd"]);
  assert.match(offered.stdout, /^abcd[12].*firings/m);
  assert.match(offered.stdout, /^abcd2222_x\t2 firings/m);
});

async function recordIn(home: Home, sessions: readonly string[], facts: Partial<NewRecording> = {}): Promise<void> {
  const database = openDatabase(join(home.path, "state.db"));
  const marks = { outcome: "pass", answer: null, redacted: false, truncated: false } as const;
  const fixed = { event: "pre_tool_call", tool_name: null, runs: [], origin: null, surface: null } as const;
  await new EmbeddedRecordings(database).add(
    sessions.map((session_id, at) => {
      const payload = JSON.stringify({ session_id });
      return { ...fixed, ...marks, at, session_id, payload, ...facts };
    }),
  );
  database.close();
}
