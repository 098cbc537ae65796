/** `hermes hooks events`: the catalogue, and examples that run as they are printed (CONTRACT §6). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import test, { type TestContext } from "node:test";
import { exampleOf } from "#cli/commands/hooks/example";
import { EVENT_NAMES, EVENTS, type EventName } from "#core/events";
import { homePaths } from "#core/home/paths";
import { runInProcess } from "../helpers/in-process.ts";
import { Home, framesOf } from "../helpers/hermes.ts";

const BLOCKED = { action: "block", message: "rm -r / is not allowed" };
const skip = spawnSync("jq", ["--version"]).error !== undefined && "there is no jq here";

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

test("the catalogue names every event with its kind and sentence", async (context) => {
  const home = new Home(context);
  const { stdout, code } = await runInProcess(home, ["hooks", "events", "--json"]);
  assert.equal(code, 0);
  const { events } = JSON.parse(stdout) as { events: { event: EventName; kind: string; sentence: string }[] };
  assert.deepEqual(
    events,
    EVENT_NAMES.map((event) => ({ event, kind: EVENTS[event].kind, sentence: EVENTS[event].sentence })),
  );
  const text = (await runInProcess(home, ["hooks", "events"])).stdout;
  for (const event of EVENT_NAMES) assert.match(text, new RegExp(`^${event} +${EVENTS[event].kind}`, "m"));
});

test("one event as JSON: exactly event, kind, schema and sample, and the sample is of the schema", async (context) => {
  const home = new Home(context);
  const { stdout } = await runInProcess(home, ["hooks", "events", "post_tool_call", "--json"]);
  const document = JSON.parse(stdout) as { schema: { required: string[]; properties: object }; sample: object };
  assert.deepEqual(Object.keys(document), ["event", "kind", "schema", "sample"]);
  assert.deepEqual(Object.keys(document.sample).toSorted(), document.schema.required.toSorted());
  assert.deepEqual(document.sample, EVENTS.post_tool_call.sample());
});

test("one event as text: when it fires, its fields, what may be answered", async (context) => {
  const home = new Home(context);
  const { stdout } = await runInProcess(home, ["hooks", "events", "pre_gateway_dispatch"]);
  assert.match(stdout, /^pre_gateway_dispatch \(gate/);
  assert.match(stdout, /always fails open/);
  assert.match(stdout, /event\.source\.thread_id +string or null/);
  assert.match(stdout, /"action":"rewrite"/);
  assert.match((await runInProcess(home, ["hooks", "events", "on_session_end"])).stdout, /Answers are ignored/);
});

test("an unknown event is 2 with a hint, an example of none is 2", async (context) => {
  const home = new Home(context);
  const mistyped = await runInProcess(home, ["hooks", "events", "pre_tool_cal", "--json"]);
  assert.equal(mistyped.code, 2);
  assert.equal(JSON.parse(mistyped.stdout).error.code, "HERMES_EVENT_UNKNOWN");
  assert.match(mistyped.stderr, /Did you mean "pre_tool_call"\?/);
  assert.match((await runInProcess(home, ["hooks", "events", "gateway:startup"])).stderr, /gateway hooks/);
  assert.equal((await runInProcess(home, ["hooks", "events", "--example"])).code, 2);
});

test("--example prints what the examples here are", async (context) => {
  const home = new Home(context);
  const example = exampleOf("pre_llm_call", homePaths(home.path), dirname(home.path));
  const { stdout } = await runInProcess(home, ["hooks", "events", "pre_llm_call", "--example"]);
  for (const text of [example.script.text, example.config, example.plugin.text]) assert.ok(stdout.includes(text));
  const json = await runInProcess(home, ["hooks", "events", "pre_llm_call", "--example", "--json"]);
  assert.deepEqual(JSON.parse(json.stdout), { event: "pre_llm_call", ...example });
});

/** A home with every example in it, as its text says. */
function withExamples(context: TestContext, what: "scripts" | "plugins"): Home {
  const home = new Home(context);
  const examples = EVENT_NAMES.map((event) => exampleOf(event, homePaths(home.path), dirname(home.path)));
  for (const { script, plugin } of examples) {
    write(script.file, script.text);
    chmodSync(script.file, 0o755);
    write(plugin.file, plugin.text);
    write(plugin.file.replace("index.ts", "plugin.yaml"), plugin.manifest);
  }
  const entries = examples.map(({ config }) => config.replace("hooks:\n", ""));
  const names = examples.map(({ plugin }) => plugin.name);
  home.write(
    "config.yaml",
    what === "scripts" ? `hooks:\n${entries.join("")}` : `plugins: { enabled: [${names.join(", ")}] }`,
  );
  return home;
}

test("each example script runs, and answers what it says", { skip }, async (context) => {
  const home = withExamples(context, "scripts");
  await runInProcess(home, ["hooks", "allow", "--all"]);
  const { stdout } = await runInProcess(home, ["hooks", "doctor", "--json"]);
  const report = JSON.parse(stdout) as {
    hooks: { event: EventName; source: string; exit_code: number; answer: unknown; problems: string[] }[];
    problems: number;
  };
  assert.equal(report.problems, 0, stdout);
  const hooks = report.hooks.filter(({ source }) => source === "shell");
  assert.deepEqual(
    hooks.map(({ event, exit_code }) => [event, exit_code]),
    EVENT_NAMES.map((event) => [event, 0]),
  );
  const answers: Partial<Record<EventName, unknown>> = Object.fromEntries(
    hooks.filter(({ answer }) => answer !== null).map(({ event, answer }) => [event, answer]),
  );
  assert.match((answers.pre_llm_call as { context: string }).context, /^Today is /);
  assert.deepEqual(answers.transform_llm_output, { text: "Hello!\n\n(checked by a hook)" });
  assert.deepEqual(answers.pre_gateway_dispatch, { action: "allow" });
  assert.equal(Object.keys(answers).length, 3);
  assert.ok(home.has("logs/post_tool_call.jsonl"));
  const command = ["hooks", "test", "--payload-file", "-", "--json"];
  for (const [event, payload, answer] of [
    ["pre_tool_call", { args: { command: "rm -rf / " } }, BLOCKED],
    ["pre_tool_call", { args: { command: "echo hi\nsudo -n /bin/rm -r /" } }, BLOCKED],
    ["pre_tool_call", { args: { command: 'echo hi; sh -c "rm -rf /"' } }, BLOCKED],
    ["pre_tool_call", { args: { command: "echo $(rm -r /)" } }, BLOCKED],
    ["pre_tool_call", { args: { command: "if true; then rm -r /*; fi" } }, BLOCKED],
    ["pre_tool_call", { args: { command: "rm -r /tmp/build; ls" } }, null],
    ["pre_tool_call", { args: { command: "echo rm -r /" } }, null],
    ["transform_tool_result", { result: "key sk-abcdefghijklmnop1234" }, { text: "key [masked]" }],
    ["pre_gateway_dispatch", { event: { text: "// aside" } }, { action: "skip", reason: "a comment" }],
  ] as const) {
    const tested = await home.run([...command, event], { input: JSON.stringify(payload) });
    assert.deepEqual((JSON.parse(tested.stdout) as { results: { answer: unknown }[] }).results[0]?.answer, answer);
  }
});

test("each example plugin loads, and they do in a conversation what they say", async (context) => {
  const home = withExamples(context, "plugins");
  const listed = await runInProcess(home, ["plugins", "list", "--json"]);
  const { plugins } = JSON.parse(listed.stdout) as { plugins: { directory: string; state: string; hooks: string[] }[] };
  const written = plugins.filter(({ directory }) => directory !== "builtin");
  assert.deepEqual(
    written.map(({ state, hooks }) => [state, ...hooks].join(" ")).toSorted(),
    EVENT_NAMES.map((event) => `enabled ${event}`).toSorted(),
  );
  const chat = ["chat", "-q", "run `true || rm -r / sk-abcdefghijklmnop1234`", "--output-format", "stream-json"];
  const frames = framesOf(await home.run(chat));
  const blocked = frames.find(({ type }) => type === "tool_result");
  assert.match(String(blocked?.["content"]), /rm -r \/ is not allowed/);
  assert.match(String(frames.find(({ type }) => type === "assistant")?.["content"]), /\(checked by a hook\)$/);
  // Where it is only mentioned, it runs, and its output is masked.
  const masked = framesOf(
    await home.run(["chat", "-q", "run `echo rm -r / sk-abcdefghijklmnop1234`", "--output-format", "stream-json"]),
  );
  assert.match(String(masked.find(({ type }) => type === "assistant")?.["content"]), /\[masked\]/);
});
