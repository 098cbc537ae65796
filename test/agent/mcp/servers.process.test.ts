/** MCP servers as the agent has them: how they start, answer, fail and end. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { fixtureServer, startMcp } from "../../helpers/mcp.ts";
import { until } from "../../helpers/poll.ts";
import { lives } from "../../helpers/processes.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

test("what tools answer: text, notes about other content, structured content, errors", async (context) => {
  const { call, warnings } = await startMcp(context, { one: fixtureServer("banner") });
  assert.deepEqual(await call("mcp_one_echo", { text: "hi" }), { result: "said hi" });
  assert.deepEqual(await call("mcp_one_chatter"), { result: "done" });
  assert.deepEqual(await call("mcp_one_fail"), { error: "no such row" });
  assert.deepEqual(await call("mcp_one_silent_failure"), { error: "the tool failed without saying why" });
  assert.deepEqual(await call("mcp_one_rows"), { result: '{"rows": [1]}' });
  assert.deepEqual(await call("mcp_one_picture"), {
    result: "a picture\n[image: image/png, 3.0 KB; not shown]\n[audio: audio/wav, 3 bytes; not shown]",
  });
  await assert.rejects(call("mcp_one_long_error"), (error: Error) => error.message.length === 4001);
  const { result } = (await call("mcp_one_big")) as { result: string };
  assert.equal(result.length, 10 * 1024 * 1024);
  assert.deepEqual(warnings, []);
});

test("a server gets the environment less what is named like a secret, its own variables, and the mark", async (context) => {
  const env = { GITHUB_TOKEN: "hunter2hunter2", PLAIN: "1", HERMES_ACCEPT_HOOKS: "1" };
  const server = fixtureServer("plain", { env: { OWN_KEY: "mine", COUNT: 3 } });
  const { call } = await startMcp(context, { one: server }, env);
  const { result } = (await call("mcp_one_env")) as { result: string };
  const seen = JSON.parse(result) as Readonly<Record<string, string>>;
  assert.deepEqual([seen["GITHUB_TOKEN"], seen["HERMES_ACCEPT_HOOKS"]], [undefined, undefined]);
  assert.deepEqual([seen["PLAIN"], seen["OWN_KEY"], seen["COUNT"]], ["1", "mine", "3"]);
  assert.ok(seen["HERMES_HOME"] !== undefined && seen["HERMES_AGENT_HOMES"]?.includes(seen["HERMES_HOME"]));
});

test("servers that fail at their start are a warning each, and the others work", async (context) => {
  const { warnings, names } = await startMcp(context, {
    gone: { command: "no-such-program" },
    line: { command: "npx -y server" },
    dies: fixtureServer("dies-at-handshake"),
    mute: fixtureServer("never-answers", { connect_timeout: 0.3 }),
    late: { command: "/bin/sh", args: ["-c", "echo hunter2hunter2 >&2; exit 4"] },
    works: fixtureServer("plain", { tools: { include: ["echo", "eco"] } }),
  });
  assert.deepEqual(names(), ["mcp_works_echo"]);
  const said = warnings.toSorted().join("\n");
  assert.match(said, /"gone" did not start: not found: no-such-program\. Install no-such-program/);
  assert.match(said, /"line" did not start: .* Write only the program into mcp_servers\.line\.command/);
  assert.match(said, /"dies" did not start: it exited with code 3; it wrote "Error: DATABASE_URL is not set"/);
  assert.match(said, /"mute" did not start: it did not answer within 0\.3 s/);
  assert.match(said, /"late" did not start: it exited with code 4; it wrote "\[redacted\]"/);
  assert.match(said, /mcp_servers\.works\.tools\.include: the server has no tool "eco"\. Did you mean "echo"\?/);
  assert.equal(warnings.length, 6);
});

test("500 tools in pages; names that are no identifiers, and two that become one", async (context) => {
  const { names, warnings, servers } = await startMcp(context, {
    many: fixtureServer("many"),
    "o-d/d": fixtureServer("odd-names"),
  });
  const found = names();
  assert.equal(found.filter((name) => /^mcp_many_tool\d+$/.test(name)).length, 500);
  const odd = found.filter((name) => name.startsWith("mcp_o_d_d_"));
  assert.deepEqual(odd.slice(1), ["mcp_o_d_d_get_x", "mcp_o_d_d_gr__e__1_2"]);
  assert.match(odd[0] ?? "", /^mcp_o_d_d_a{45}_[0-9a-f]{8}$/);
  assert.deepEqual(servers.toolNamed("mcp_o_d_d_get_x"), { server: "o-d/d", tool: "get_x" });
  assert.ok(warnings.some((warning) => warning.includes('"get_x" of "o-d/d" and "get-x" of "o-d/d"')));
  assert.ok(warnings.some((warning) => warning.includes('"no_schema" without a JSON Schema')));
});

test("a changed list of tools is read again; excluded tools stay away", async (context) => {
  const server = fixtureServer("plain", { tools: { exclude: ["die", "echo"] } });
  const { call, names } = await startMcp(context, { one: server });
  assert.ok(!names().includes("mcp_one_die") && !names().includes("mcp_one_grown"));
  await call("mcp_one_grow");
  await until(() => names().includes("mcp_one_grown"), "the new tool is listed");
  assert.deepEqual(await call("mcp_one_grown"), { result: "new" });
});

test("a call that takes too long or is stopped is cancelled at the server, which goes on", async (context) => {
  const { call, recorded } = await startMcp(context, { one: fixtureServer("plain", { timeout: 0.2 }) });
  await assert.rejects(call("mcp_one_never"), /did not answer within 0\.2 s \(mcp_servers\.one\.timeout\)/);
  await until(() => recorded().includes("cancelled"), "the call is cancelled");
  const { call: callSlow, recorded: recordedSlow } = await startMcp(context, { two: fixtureServer() });
  const stop = new AbortController();
  const pending = callSlow("mcp_two_never", {}, stop.signal);
  await until(() => recordedSlow().includes("call never"), "the call arrives");
  stop.abort();
  await assert.rejects(pending, /interrupted/);
  await until(() => recordedSlow().includes("cancelled"), "the call is cancelled");
  assert.deepEqual(await callSlow("mcp_two_late"), { result: "at last" });
});

test("a server that has ended is started again for the next call; a call that it began is not repeated", async (context) => {
  const { call, recorded, record } = await startMcp(context, { one: fixtureServer() });
  const starts = () => recorded().filter((line) => line.startsWith("start")).length;
  await assert.rejects(
    call("mcp_one_die"),
    /ended during this call \(it exited with code 3\), which may be done in part/,
  );
  assert.deepEqual(await call("mcp_one_echo", { text: "again" }), { result: "said again" });
  assert.equal(starts(), 2);
  assert.equal(recorded().filter((line) => line === "call die").length, 1);
  assert.deepEqual(await call("mcp_one_die_after"), { result: "bye" });
  const second = Number(
    recorded()
      .findLast((line) => line.startsWith("start"))
      ?.slice(6),
  );
  await until(() => !lives(second), "the server has ended");
  assert.deepEqual(await Promise.all([call("mcp_one_echo", { text: "a" }), call("mcp_one_echo", { text: "b" })]), [
    { result: "said a" },
    { result: "said b" },
  ]);
  assert.equal(starts(), 3);
  writeFileSync(`${record}.broken`, "");
  await assert.rejects(call("mcp_one_die"), /ended during this call/);
  await until(() => starts() === 4, "it is started again");
  await assert.rejects(call("mcp_one_echo"), /"one" did not start: it exited with code 7/);
  rmSync(`${record}.broken`);
  await assert.rejects(call("mcp_one_huge"), /a message of more than 32 MiB/);
});

test("a server that did not start is tried again with a later turn", async (context) => {
  const folder = temporaryFolder(context);
  const env = { RECORD: join(folder, "own") };
  writeFileSync(`${env.RECORD}.broken`, "");
  const { servers, names, warnings } = await startMcp(context, { one: fixtureServer("plain", { env }) });
  assert.deepEqual([names().length, warnings.length], [0, 1]);
  rmSync(`${env.RECORD}.broken`);
  await servers.ready(new AbortController().signal);
  await until(() => names().includes("mcp_one_echo"), "its tools are there");
  assert.equal(warnings.length, 1);
});

test("its end takes the server and what that has started", async (context) => {
  const { call, recorded, servers } = await startMcp(context, { one: fixtureServer(), two: fixtureServer() });
  await call("mcp_one_child");
  const pids = recorded()
    .map((line) => Number(line.split(" ")[1]))
    .filter((pid) => pid > 0);
  assert.equal(pids.length, 3);
  const pending = assert.rejects(call("mcp_two_never"), /ended/);
  await until(() => recorded().includes("call never"), "the call arrives");
  await servers[Symbol.asyncDispose]();
  await pending;
  await until(() => pids.every((pid) => !lives(pid)), "all processes have ended");
});

test("a reload starts what is new, ends what is gone after its calls, and leaves the rest alone", async (context) => {
  const bench = await startMcp(context, { stays: fixtureServer(), goes: fixtureServer() });
  const pending = bench.call("mcp_goes_late");
  await until(() => bench.recorded().includes("call late"), "the call arrives");
  bench.servers.configure(
    new Map([
      ["stays", fixtureServer()],
      ["fresh", fixtureServer()],
    ]),
  );
  assert.deepEqual(await pending, { result: "at last" });
  await bench.servers.ready(new AbortController().signal);
  assert.deepEqual([...new Set(bench.names().map((name) => name.split("_")[1]))], ["stays", "fresh"]);
  assert.equal(bench.recorded().filter((line) => line.startsWith("start")).length, 3);
});
