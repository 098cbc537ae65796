/** Every example of docs/plugins.md type-checks, loads, and does what it says. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pluginTsconfig } from "#plugins/scaffold";
import { countBlocks, examplesOf } from "../helpers/examples.ts";
import { ROOT } from "../helpers/hermes.ts";
import { loadFixtures, makePlugins, type BenchOptions } from "../helpers/plugins.ts";

const examples = examplesOf("docs/plugins.md", "ts");

test("every block of TypeScript on the page is an example with a name of its own", () => {
  assert.equal(countBlocks("docs/plugins.md", "ts"), examples.size);
  assert.ok(examples.size >= 12);
});

test("the examples type-check as a new plugin would", (t) => {
  const folder = makePlugins(
    t,
    [],
    Object.fromEntries([...examples].map(([name, text]) => [`${name}/index.ts`, text])),
  );
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(pluginTsconfig()));
  execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder], { stdio: "pipe" });
});

for (const name of examples.keys()) {
  test(`the example ${name} loads`, async (t) => {
    const { host, warnings } = await load(t, name);
    assert.deepEqual(warnings, []);
    const [listing] = host.list();
    assert.equal(listing!.state, "enabled");
    assert.ok(listing!.hooks.length > 0);
  });
}

test("first blocks a push by force", async (t) => {
  const { fire } = await load(t, "first");
  const decision = await fire("pre_tool_call", { args: { command: "git push --force" } });
  assert.deepEqual(decision, { kind: "block", message: "Force pushes are not allowed." });
  assert.deepEqual(await fire("pre_tool_call"), { kind: "pass" });
});

test("everything rolls dice, shouts and says goodbye", async (t) => {
  const { host, fire, lines } = await load(t, "everything", { settings: { url: "x" } });
  const call = { tool_call_id: "c", session_id: "s", cwd: "/", signal: new AbortController().signal, depth: 0 };
  const { rolls } = (await host.tools()[0]!.execute({ count: 3 }, call)) as { rolls: number[] };
  assert.equal(rolls.length, 3);
  assert.equal(await host.commands()[0]!.run("hi"), "HI");
  await fire("post_tool_call");
  await fire("post_tool_call");
  await host.unload();
  assert.deepEqual(lines, [
    "info everything: the url is x",
    "info everything: the first tool was terminal",
    "info everything: goodbye",
  ]);
});

test("the logging examples log", async (t) => {
  const log = async (name: string, ...events: Parameters<Awaited<ReturnType<typeof load>>["fire"]>[0][]) => {
    const { fire, lines } = await load(t, name);
    for (const event of events) await fire(event);
    return lines.at(-1)?.replace(/seconds=[\d.]+/, "seconds=…");
  };
  assert.equal(
    await log("audit-log", "pre_tool_call"),
    'info audit-log: TOOL_CALL session=sess_sample tool=terminal args={"command":"echo hello"}',
  );
  assert.equal(
    await log("response-length", "post_llm_call"),
    "info response-length: RESPONSE session=sess_sample model=sample-model chars=6",
  );
  assert.equal(
    await log("session-cache", "on_session_start", "post_tool_call", "on_session_finalize"),
    "info session-cache: Session sess_sample ended: 1 tool calls",
  );
  assert.equal(
    await log("session-duration", "on_session_start", "on_session_end"),
    "info session-duration: SESSION_DURATION session=sess_sample seconds=… completed=true interrupted=false",
  );
  assert.equal(
    await log("subagent-log", "subagent_stop"),
    "info subagent-log: SUBAGENT parent=sess_sample role=null status=completed duration_ms=1200",
  );
});

test("tool-metrics counts calls and errors", async (t) => {
  const { fire, host } = await load(t, "tool-metrics");
  await fire("post_tool_call");
  await fire("post_tool_call", { result: '{"error":"no"}' });
  assert.equal(await host.commands()[0]!.run(""), "terminal: 2 calls, 1 errors");
});

test("guardrails adds its policy", async (t) => {
  const { fire } = await load(t, "guardrails");
  assert.match(JSON.stringify(await fire("pre_llm_call")), /"context".*Never execute commands that delete files/);
});

test("memory-recall and sync-memory speak with a real server, and bear its absence", async (t) => {
  const { promise: stored, resolve: store } = Promise.withResolvers<unknown>();
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      if (request.url === "/store") store(JSON.parse(body));
      response.setHeader("content-type", "application/json").end('{"results":[{"text":"User likes Python"}]}');
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  t.after(() => server.close());
  const settings = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  const recall = await load(t, "memory-recall", { settings });
  assert.deepEqual(await recall.fire("pre_llm_call"), {
    kind: "context",
    text: "Recalled context:\n- User likes Python",
  });
  const sync = await load(t, "sync-memory", { settings });
  await sync.fire("post_llm_call");
  assert.deepEqual(await stored, { session_id: "sess_sample", user: "Say hello", assistant: "Hello!" });

  const alone = await load(t, "memory-recall", { settings: { url: "http://127.0.0.1:9" } });
  assert.deepEqual(await alone.fire("pre_llm_call"), { kind: "pass" });
  assert.match(alone.lines[0]!, /^warn memory-recall: recall failed: .*fetch failed/);
});

function load(t: TestContext, name: string, entry: NonNullable<BenchOptions["entries"]> = {}) {
  return loadFixtures(t, [], {
    written: { [`${name}/plugin.yaml`]: `name: ${name}`, [`${name}/index.ts`]: examples.get(name)! },
    entries: { [name]: entry },
  });
}
