/** Every example of docs/gateway-hooks.md runs in a real thread and does what the page says. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { announceCommand } from "#core/command-events";
import { pluginTsconfig } from "#plugins/scaffold";
import { TIERS } from "#core/tiers";
import { parseHookManifest } from "#gateway/hooks/manifest";
import { countBlocks, examplesOf, readPage } from "../helpers/examples.ts";
import { ROOT } from "../helpers/hermes.ts";
import { makeHookBench, type HookBench } from "../helpers/gateway-hooks.ts";

const PAGE = "docs/gateway-hooks.md";
const manifests = examplesOf(PAGE, "yaml");
const handlers = examplesOf(PAGE, "ts");

test("every block of YAML and TypeScript is a half of an example", () => {
  assert.equal(countBlocks(PAGE, "yaml"), manifests.size);
  assert.equal(countBlocks(PAGE, "ts"), handlers.size);
  assert.deepEqual([...manifests.keys()], [...handlers.keys()]);
  assert.ok(handlers.size >= 5);
});

test("the manifests have nothing to warn about, and the name of their example", async () => {
  for (const [name, text] of manifests) {
    const manifest = await parseHookManifest(text, "HOOK.yaml");
    assert.deepEqual(manifest.warnings, []);
    assert.equal(manifest.name, name);
  }
});

test("the handlers type-check", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-examples-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of handlers) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "handler.ts"), text);
  }
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(pluginTsconfig()));
  execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder], { stdio: "pipe" });
});

test("the page says the defaults and bounds that hold", async () => {
  const page = readPage(PAGE);
  const { memoryMb, enabled } = await parseHookManifest("events: [agent:end]", "HOOK.yaml");
  assert.match(page, new RegExp(`\`memory_mb\` +\\| ${memoryMb} `));
  assert.match(page, new RegExp(`\`enabled\` +\\| \`${enabled}\``));
  assert.match(page, new RegExp(`\`isolation\` +\\| \`${TIERS[0].name}\``));
});

interface Server {
  readonly url: string;
  readonly requests: { path: string | undefined; body: unknown }[];
}

async function startServer(t: TestContext): Promise<Server> {
  const requests: Server["requests"] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => (text += part));
    request.on("end", () => {
      requests.push({ path: request.url, body: JSON.parse(text) });
      response.end("{}");
    });
  });
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

async function load(t: TestContext, name: string, env: NodeJS.ProcessEnv = {}): Promise<HookBench> {
  for (const [key, value] of Object.entries(env)) process.env[key] = value;
  t.after(() => {
    for (const key of Object.keys(env)) delete process.env[key];
  });
  const bench = makeHookBench(t);
  bench.write(name, { "HOOK.yaml": manifests.get(name)!, "handler.ts": handlers.get(name)! });
  await bench.host.load();
  assert.deepEqual(bench.warnings, []);
  return bench;
}

/** The lines of a file of JSON lines. */
function linesOf(bench: HookBench, file: string): Record<string, unknown>[] {
  return bench
    .read(file)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("activity-log writes a line per event next to the handler, without reloading it", async (t) => {
  const bench = await load(t, "activity-log");
  await bench.run("agent:start", { message: "hello", platform: "telegram" });
  await bench.run("agent:end", { response: "hi" });
  const lines = linesOf(bench, "hooks/activity-log/activity.log");
  assert.deepEqual(
    lines.map(({ timestamp, ...rest }) => [typeof timestamp, rest]),
    [
      ["string", { event: "agent:start", message: "hello", platform: "telegram" }],
      ["string", { event: "agent:end", response: "hi" }],
    ],
  );
  assert.deepEqual((await bench.host.reload()).changes, []);
});

test("long-task-alert sends one message, at the tenth step", async (t) => {
  const { url, requests } = await startServer(t);
  const env = { TELEGRAM_API_ROOT: url, TELEGRAM_BOT_TOKEN: "123:abc", TELEGRAM_HOME_CHANNEL: "42" };
  const bench = await load(t, "long-task-alert", env);
  for (let iteration = 1; iteration <= 12; iteration++) {
    const run = await bench.run("agent:step", { iteration, tool_names: ["terminal", "read_file"] });
    assert.equal(run.outcome, "pass", run.detail ?? "");
  }
  const text = "⚠️ The agent has been running for 10 steps. Last tools: terminal, read_file";
  assert.deepEqual(requests, [{ path: "/bot123:abc/sendMessage", body: { chat_id: "42", text } }]);
});

test("command-logger writes which commands were used, and decides nothing", async (t) => {
  const bench = await load(t, "command-logger");
  const place = { platform: "telegram", user_id: "7" };
  const decision = await announceCommand(bench.registry, { name: "model", args: "small" }, place);
  assert.equal(decision.kind, "run");
  const [line] = linesOf(bench, "logs/command_usage.jsonl");
  assert.deepEqual({ ...line, ts: "" }, { ts: "", command: "model", args: "small", platform: "telegram", user: "7" });
});

test("session-webhook posts new sessions; a server that is not there is an error of the run", async (t) => {
  const { url, requests } = await startServer(t);
  const bench = await load(t, "session-webhook", { HERMES_EVENTS_URL: `${url}/events` });
  await bench.run("session:start", { session_id: "s1" });
  await bench.run("session:reset", { session_id: "s2" });
  assert.deepEqual(requests, [
    { path: "/events", body: { event: "session:start", session_id: "s1" } },
    { path: "/events", body: { event: "session:reset", session_id: "s2" } },
  ]);
  const alone = await load(t, "session-webhook", { HERMES_EVENTS_URL: "http://127.0.0.1:9" });
  const run = await alone.run("session:start", {});
  assert.deepEqual([run.outcome, run.source], ["error", "worker"]);
  assert.match(run.detail!, /gateway hook "session-webhook" failed at session:start: fetch failed/);
});

test("command-rules denies, handles, rewrites, and lets pass", async (t) => {
  const bench = await load(t, "command-rules", { HERMES_OWNER: "1" });
  const announce = (name: string, args: string, user_id: string) =>
    announceCommand(bench.registry, { name, args }, { platform: "telegram", user_id });
  assert.deepEqual(await announce("model", "big", "2"), {
    kind: "denied",
    message: "Only the owner can change the model.",
  });
  assert.deepEqual(await announce("model", "big", "1"), { kind: "run", name: "model", args: "big" });
  assert.deepEqual(await announce("n", "", "2"), { kind: "run", name: "new", args: "" });
  const uptime = await announce("uptime", "", "2");
  assert.equal(uptime.kind, "handled");
  assert.deepEqual(
    bench.runs.map(({ outcome }) => outcome),
    ["block", "pass", "rewrite", "skip"],
  );
});
