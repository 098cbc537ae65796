/** Every example of docs/forwarding.md, run as it stands there; its numbers and names are those of the program. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { MOST_FRAME_BYTES } from "#core/forward/wire-frames";
import { MOST_FRAMES } from "#core/forward/batches";
import { MOST_WAITING } from "#core/forward/outlet";
import { FORWARDED } from "#core/forwarder";
import type { FrameType } from "#core/frames";
import { mirrorFrames, mirrorRetries } from "#core/mirror";
import { HookRegistry } from "#core/registry";
import { countBlocks, examplesOf, Newcomer, readPage } from "../helpers/examples.ts";
import { announce, FakeDashboard } from "../helpers/fake-dashboard.ts";
import { until } from "../helpers/poll.ts";

const PAGE = "docs/forwarding.md";
const commands = examplesOf(PAGE, "bash");
const programs = examplesOf(PAGE, "js");

function newcomer(t: TestContext) {
  const person = new Newcomer(t);
  const home = join(person.home, ".hermes");
  mkdirSync(home, { mode: 0o700 });
  return { person, home };
}

test("every block of the page is an example with a name of its own", () => {
  assert.equal(countBlocks(PAGE, "bash"), commands.size);
  assert.equal(countBlocks(PAGE, "js"), programs.size);
});

test("a one-shot run sends its events, unless the forwarder is switched off", async (t) => {
  const { person, home } = newcomer(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  const quiet = await person.run(commands.get("forwarder-off")!);
  assert.equal(quiet.code, 0, quiet.stderr);
  assert.equal(dashboard.requests.length + dashboard.healthChecks, 0);
  const events = () => dashboard.taken.map(({ event_type }) => event_type);
  // A program gives its last events half a second: on a busy machine one run may be too short for all of them.
  const isComplete = async () => {
    dashboard.taken.length = 0;
    const loud = await person.run(commands.get("forwarder-on")!);
    assert.equal(loud.code, 0, loud.stderr);
    return ["session:start", "agent:start", "tui:message.start", "agent:end", "tui:turn.complete"].every((event) =>
      events().includes(event),
    );
  };
  await until(isComplete, "a run has sent all of its events", { withinMs: 60_000, seen: events });
  assert.ok(dashboard.taken.every(({ src }) => src === "cli"));
});

test("the receiver prints what a conversation does", async (t) => {
  const { person, home } = newcomer(t);
  const program = join(person.home, "receiver.mjs");
  writeFileSync(program, programs.get("receiver")!);
  const receiver = spawn(process.execPath, [program], {
    env: { ...process.env, HERMES_HOME: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => receiver.kill("SIGKILL"));
  let printed = "";
  receiver.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  await until(() => existsSync(join(home, "dashboard.json")), "the receiver is announced");
  const isPrinted = async () => {
    const { code, stderr } = await person.run(commands.get("forwarder-on")!);
    assert.equal(code, 0, stderr);
    return printed.includes("cli tui:turn.complete");
  };
  await until(isPrinted, "the last event of a run", { withinMs: 60_000, seen: () => printed });
  for (const line of ["cli agent:start", "cli tui:message.delta"]) assert.ok(printed.includes(`${line}\n`), printed);
});

test("the page names what is forwarded, and the limits", () => {
  const page = readPage(PAGE);
  for (const pattern of FORWARDED) assert.ok(page.includes(`| \`${pattern}\``), pattern);
  assert.ok(page.includes(`| ${MOST_WAITING.toLocaleString("en")}, including`));
  assert.ok(page.includes(`| ${MOST_FRAMES} frames and 1 MiB`));
  assert.ok(page.includes(`at most ${MOST_FRAME_BYTES / 1024} KiB`));
});

test("the page lists each event of a turn with its payload", () => {
  const registry = new HookRegistry();
  const mirror = mirrorFrames(registry, String);
  const seen = new Map<string, string[]>();
  registry.register("tui:*", (event, { payload }) => seen.set(event, Object.keys(payload as object)));
  const bodies: Record<FrameType, object> = {
    session: { model: "", platform: "", resumed: false },
    text: { delta: "" },
    tool_use: { tool: "", tool_id: "", params: {} },
    tool_result: { tool: "", tool_id: "", content: "", success: true },
    hook: { event: "", source: "shell", name: "", outcome: "pass", duration_ms: 0, detail: null, tool_call_id: null },
    injected: { source_kind: "", source_label: "", content: "" },
    reasoning: { delta: "" },
    assistant: { content: "", finish_reason: "stop" },
    compacted: { summarized: 0, kept: 0, tokens_before: 0, tokens_after: 0 },
    cost: { input_tokens: 0, output_tokens: 0 },
    error: { message: "", code: "HERMES_INTERNAL" },
    result: { completed: true, interrupted: false, duration_ms: 0, exit_code: 0 },
  };
  for (const [type, body] of Object.entries(bodies)) mirror({ type, session_id: "s", ...body } as never);
  mirrorRetries(registry)("s", { problem: "", delay_ms: 0 });
  const rows = [...readPage(PAGE).matchAll(/^\| `(tui:[a-z.]+)` +\| (\S.*?) +\|/gm)];
  const listed = new Map(
    rows.map(([, event, payload]) => [event!, payload === "nothing" ? [] : payload!.split("`")[1]!.split(", ")]),
  );
  assert.deepEqual(listed, seen);
});
