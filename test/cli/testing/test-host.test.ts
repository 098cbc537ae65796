/** `hermes-hooks/testing`, on plugins in memory and in folders. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { definePlugin } from "#plugins/api";
import { scaffoldPlugin } from "#plugins/scaffold";
import { createTestHost } from "#cli/testing/test-host";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const guard = definePlugin({
  hooks: {
    pre_tool_call({ tool_name, args }) {
      if (args["command"] === "bad") return { action: "block", message: `${tool_name}: no` };
      if (args["command"] === "odd") return { action: "ask", message: "sure?" };
      return args["command"] === "old" ? { action: "modify", args: { command: "new" } } : undefined;
    },
    pre_llm_call: () => ({ context: "It is Monday." }),
  },
});

test("a test of a plugin is five lines", async () => {
  await using host = await createTestHost({ plugins: [guard] });
  const answer = await host.fire("pre_tool_call", { args: { command: "bad" } });
  assert.deepEqual(answer, { action: "block", message: "terminal: no" });
});

test("fire gives what the hooks answered together, or null", async () => {
  const second = definePlugin({ hooks: { pre_llm_call: () => "It rains.", transform_llm_output: () => "shorter" } });
  await using host = await createTestHost({ plugins: [guard, second] });
  assert.equal(await host.fire("pre_tool_call"), null);
  assert.deepEqual(await host.fire("pre_tool_call", { args: { command: "odd" } }), { action: "ask", message: "sure?" });
  assert.deepEqual(await host.fire("pre_llm_call"), { context: "It is Monday.\n\nIt rains." });
  assert.deepEqual(await host.fire("transform_llm_output", { response_text: "long" }), { text: "shorter" });
});

test("a turn follows the script: calls, results, questions, frames", async () => {
  await using host = await createTestHost({
    plugins: [guard],
    model: [
      [
        { tool: "terminal", args: { command: "old" } },
        { tool: "terminal", args: { command: "bad" } },
      ],
      { tool: "terminal", args: { command: "odd" } },
      { tool: "terminal", args: { command: "odd" } },
      { tool: "read_file", args: { path: "x" } },
      "All done.",
    ],
    tools: {
      terminal: ({ command }: { command: string }) => ({ output: `ran ${command}` }),
      read_file: { content: "x" },
    },
    answers: ["n", "y"],
  });
  const { text, frames } = await host.turn("go");
  assert.equal(text, "All done.");
  assert.deepEqual(host.calls, [
    { tool: "terminal", args: { command: "new" } },
    { tool: "terminal", args: { command: "odd" } },
    { tool: "read_file", args: { path: "x" } },
  ]);
  assert.equal(host.questions.length, 2);
  const results = frames.flatMap((frame) => (frame.type === "tool_result" ? [frame.content] : []));
  assert.deepEqual(results.slice(2), [
    '{"error":"You declined this call."}',
    '{"output":"ran odd"}',
    '{"content":"x"}',
  ]);
  assert.equal((await host.turn("and now?")).text, "Done.");
  assert.ok(host.frames.length > frames.length);
});

test("without answers nobody can be asked; wrong arguments do not reach a tool", async () => {
  const model = [
    { tool: "terminal", args: { command: "odd" } },
    { tool: "terminal", args: { command: 1 } },
  ];
  await using host = await createTestHost({ plugins: [guard], model });
  const { frames } = await host.turn("go");
  const results = frames.flatMap((frame) => (frame.type === "tool_result" ? [frame.content] : []));
  assert.match(results[0]!, /nobody can be asked here/);
  assert.match(results[1]!, /Bad arguments for terminal/);
  assert.deepEqual(host.calls, []);
});

test("register, settings, commands, tools, gateway events, the log, deliver and run_turn work", async () => {
  const heard: string[] = [];
  const plugin = definePlugin({
    register(ctx) {
      ctx.logger.info("hello %s", ctx.settings["who"]);
      ctx.register_command({ name: "say", description: "says", handler: (args) => `${ctx.name}: ${args}` });
      ctx.register_tool({
        name: "dice",
        description: "rolls",
        parameters: { type: "object" },
        handler: () => ({ rolled: 4 }),
      });
      ctx.on("ci:failed", (event_type) => void heard.push(event_type));
      ctx.register_command({
        name: "nightly",
        description: "runs a turn",
        handler: async () => {
          const { text } = await ctx.run_turn({ prompt: "report" });
          await ctx.deliver(String(text));
        },
      });
    },
  });
  await using host = await createTestHost({
    plugins: [{ plugin, name: "many", settings: { who: "you" } }],
    model: [{ tool: "dice" }, "Rolled.", "All is well."],
  });
  assert.deepEqual(host.log, ["info many: hello you"]);
  assert.equal(await host.command("say", "hi"), "many: hi");
  const { frames } = await host.turn("roll");
  assert.ok(frames.some((frame) => frame.type === "tool_result" && frame.content === '{"rolled":4}'));
  await host.emit("ci:failed");
  assert.deepEqual(heard, ["ci:failed"]);
  await host.command("nightly");
  assert.deepEqual(host.delivered, ["All is well."]);
  await assert.rejects(host.command("nobody"), /no plugin has the command/);
});

test("a plugin's folder is loaded as hermes loads it; the home goes with the host", async (t) => {
  const folder = join(temporaryFolder(t), "shouter");
  mkdirSync(folder);
  writeFileSync(join(folder, "plugin.yaml"), "name: shouter\nrequires_env: [MY_KEY]\n");
  writeFileSync(
    join(folder, "index.ts"),
    `import { definePlugin } from "hermes-hooks/plugin";
export default definePlugin({ hooks: { transform_llm_output: ({ response_text }) => response_text.toUpperCase() } });`,
  );
  await assert.rejects(createTestHost({ plugins: [folder] }), /"shouter" does not load: .*MY_KEY/);
  const host = await createTestHost({ plugins: [folder], model: ["quiet"], env: { MY_KEY: "x" } });
  assert.equal((await host.turn("say")).text, "QUIET");
  assert.ok(existsSync(host.home));
  await host.close();
  assert.ok(!existsSync(host.home));
});

test("a plugin that does not load fails the test with its reason", async () => {
  const broken = definePlugin({
    register() {
      throw new Error("no key");
    },
  });
  await assert.rejects(createTestHost({ plugins: [broken] }), /"plugin-1" does not load: .*no key/);
});

const FINE = [
  "rm -rf /tmp/build",
  "rm -rf ./build /tmp/x",
  "rm file /",
  "echo 'rm -rf /'",
  'git commit -m "never rm -rf / again"',
  "grep -r rm /",
  "rmdir /",
  "confirm -r /",
];
const BAD = ["rm -rf /", "rm -fr  /", "sudo rm -r /", "cd x && rm -Rf /", "ls; rm --recursive --force /", "rm -rf a /"];

test("the guard of a new plugin blocks what it says, and nothing that only looks like it", async (t) => {
  const plugins = temporaryFolder(t);
  scaffoldPlugin(plugins, "fresh");
  await using host = await createTestHost({ plugins: [join(plugins, "fresh")] });
  for (const command of FINE) assert.equal(await host.fire("pre_tool_call", { args: { command } }), null, command);
  for (const command of BAD) {
    assert.equal((await host.fire("pre_tool_call", { args: { command } }))?.["action"], "block", command);
  }
  assert.equal(await host.fire("pre_tool_call", { tool_name: "write_file", args: { content: "rm -rf /" } }), null);
});
