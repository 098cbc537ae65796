/** Hooks that answer before their script runs: `async` and `coalesce`, and what becomes of their runs. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { InboundReceiver } from "#daemon/inbound/receiver";
import { startInbound, writeScript, type InboundBench, type Reply } from "../../helpers/inbound.ts";
import { until } from "../../helpers/poll.ts";

const GATED = `#!/bin/sh\nread line\necho x >> "$(dirname "$0")/started"\nwhile ! test -e "$(dirname "$0")/go"; do sleep 0.05; done\necho "$line"\n`;

const idOf = ({ text }: Reply) => (JSON.parse(text) as { run_id: string }).run_id;
const runOf = async (bench: InboundBench, id: string, headers: Record<string, string> = {}) =>
  JSON.parse((await bench.send(`/runs/${id}`, { method: "GET", headers })).text) as Record<string, unknown>;
const ended = (bench: InboundBench, id: string) =>
  until(async () => {
    const run = await runOf(bench, id);
    return run["state"] === "done" || run["state"] === "failed" ? run : undefined;
  }, "the run has ended");

test("async: 202 with an id at once, and the run's state until it is done", async (t) => {
  const bench = await startInbound(t, { script: GATED, hooks: [{ async: true, concurrency: 1, queue: 1 }] });
  const first = await bench.send("/", { body: "one\n" });
  assert.equal(first.status, 202);
  assert.match(first.headers.get("content-type") ?? "", /^application\/json/);
  assert.deepEqual(Object.keys(JSON.parse(first.text) as object), ["run_id"]);
  await until(() => existsSync(join(bench.folder, "started")), "the script runs");
  const second = await bench.send("/", { body: "two\n" });
  assert.equal((await bench.send("/", { body: "three\n" })).status, 429);
  const running = await runOf(bench, idOf(first));
  assert.deepEqual(Object.keys(running), ["run_id", "state", "status", "exit_code", "started_at", "ended_at"]);
  assert.deepEqual([running["state"], running["status"], running["ended_at"]], ["running", null, null]);
  assert.equal((await runOf(bench, idOf(second)))["state"], "queued");
  writeScript(join(bench.folder, "go"), "");
  const done = await ended(bench, idOf(first));
  assert.deepEqual([done["state"], done["status"], done["exit_code"]], ["done", 200, 0]);
  assert.match(String(done["ended_at"]), /^\d{4}-.*Z$/);
  await ended(bench, idOf(second));
  assert.deepEqual(bench.inbox.texts(), ["one", "two"]);
});

test("async: ends that are no success are in the run", async (t) => {
  const script = `#!/bin/sh\nread line\ncase $line in blank) ;; fail) exit 7;; slow) sleep 60;; esac\n`;
  const hooks = [{ async: true }, { async: true, path: "/slow", timeout: 1 }];
  const bench = await startInbound(t, { script, hooks });
  const ends: unknown[] = [];
  for (const body of ["blank", "fail", "slow"]) {
    const path = body === "slow" ? "/slow" : "/";
    const id = idOf(await bench.send(path, { body: `${body}\n` }));
    const { state, status, exit_code } = await ended(bench, id);
    ends.push([state, status, exit_code]);
  }
  assert.deepEqual(ends, [
    ["done", 204, 0],
    ["failed", 500, 7],
    ["failed", 504, null],
  ]);
  assert.deepEqual(bench.inbox.messages, []);
});

test("async: runs are shown to who has the secret, and nothing is told about others", async (t) => {
  const bench = await startInbound(t, {
    hooks: [
      { async: true, verify: "bearer", secret: "s3cret" },
      { path: "/other", verify: "bearer", secret: "another" },
    ],
  });
  const auth = { authorization: "Bearer s3cret" };
  const id = idOf(await bench.send("/", { body: "x", headers: auth }));
  for (const headers of [{}, { authorization: "Bearer another" }] as Record<string, string>[]) {
    assert.equal((await bench.send(`/runs/${id}`, { method: "GET", headers })).status, 401);
    assert.equal((await bench.send("/runs/aaaaaaaaaaaaaaaa", { method: "GET", headers })).status, 401);
  }
  assert.equal((await bench.send("/runs/aaaaaaaaaaaaaaaa", { method: "GET", headers: auth })).status, 404);
  assert.equal((await runOf(bench, id, auth))["run_id"], id);
});

test("async: a repeated id is a 409 while its run is open, then a duplicate", async (t) => {
  const bench = await startInbound(t, { script: GATED, hooks: [{ async: true, dedup_header: "x-id" }] });
  const request = { body: "one\n", headers: { "x-id": "1" } };
  const id = idOf(await bench.send("/", request));
  assert.equal((await bench.send("/", request)).status, 409);
  writeScript(join(bench.folder, "go"), "");
  await ended(bench, id);
  assert.deepEqual(Object.values(await bench.send("/", request)).slice(0, 2), [200, "duplicate"]);
  assert.deepEqual(bench.inbox.texts(), ["one"]);
});

test("async: a full inbox is waited for, because the request was acknowledged", async (t) => {
  const bench = await startInbound(t, { hooks: [{ async: true }] });
  bench.inbox.full = true;
  const id = idOf(await bench.send("/", { body: "one" }));
  await until(() => bench.records.some(({ exit_code }) => exit_code === 0), "the script has ended");
  assert.equal((await runOf(bench, id))["state"], "running");
  bench.inbox.full = false;
  await ended(bench, id);
  assert.deepEqual(bench.inbox.texts(), ["one"]);
});

test("async: a store that fails for a while loses no run, and no script runs twice", async (t) => {
  const script = `#!/bin/sh\necho x >> "$(dirname "$0")/runs"\ncat\n`;
  const bench = await startInbound(t, { script, hooks: [{ async: true }] });
  const { runs, logged, folder } = bench;
  const locked = () => Promise.reject(new Error("database is locked"));
  const said = (count: number) =>
    until(() => logged.filter((line) => line.includes("database is locked")).length >= count, "it was said");
  const { claim, keepOutput, wholeGroups } = runs;
  runs.claim = locked;
  const id = idOf(await bench.send("/", { body: "one" }));
  await said(1);
  runs.keepOutput = locked;
  runs.claim = claim;
  await said(2);
  runs.wholeGroups = locked;
  runs.keepOutput = keepOutput;
  await said(3);
  runs.wholeGroups = wholeGroups;
  await ended(bench, id);
  assert.deepEqual(bench.inbox.texts(), ["one"]);
  assert.equal(readFileSync(join(folder, "runs"), "utf8"), "x\n");
});

test("async: what was cut or queued is taken up by the next process, and messages come once", async (t) => {
  const bench = await startInbound(t, { script: GATED, hooks: [{ async: true, concurrency: 1 }] });
  const ids = [idOf(await bench.send("/", { body: "one\n" })), idOf(await bench.send("/", { body: "two\n" }))];
  await until(() => existsSync(join(bench.folder, "started")), "the first runs");
  await bench.servers.stop(10);
  assert.deepEqual(await Promise.all(ids.map(async (id) => (await bench.runs.get(id))?.state)), ["queued", "queued"]);
  writeScript(join(bench.folder, "go"), "");
  // A crash between the message and the end of its run.
  await bench.runs.claim("bench", "hook0");
  await bench.runs.keepOutput(ids[0]!, "one", 0);
  await bench.inbox.remember([{ scope: "inbound-run", id: ids[0]! }]);
  const next = new InboundReceiver(bench.options);
  await next.start();
  t.after(() => next.stop(0));
  for (const id of ids) await until(async () => (await bench.runs.get(id))?.state === "done", "the run is done");
  assert.deepEqual(bench.inbox.texts(), ["two"]);
});

test("coalesce: the outputs of one key and window are one message, others are their own", async (t) => {
  const script = `#!/bin/sh\nbody=$(cat)\ncase $body in *bad*) exit 1;; *mute*) ;; *) echo "got $body";; esac\n`;
  const hooks = [{ coalesce: { key: "repo.name", window_seconds: 1 }, concurrency: 1 }];
  // The window is open until the last request is there, however long that takes.
  const clock = { now: Date.now() };
  const bench = await startInbound(t, { script, hooks, now: () => clock.now });
  const post = async (repo: unknown, note: string) => {
    const answer = await bench.send("/", { body: JSON.stringify({ repo: { name: repo }, note }) });
    assert.equal(answer.status, 202);
    return idOf(answer);
  };
  const ids = [
    await post("a", "1"),
    await post("b", "2"),
    await post("a", "bad"),
    await post("a", "mute"),
    await post("a", "3"),
  ];
  const plain = await bench.send("/", { body: "not json" });
  clock.now += 1000;
  const ends = [];
  for (const id of [...ids, idOf(plain)]) ends.push((await ended(bench, id))["status"]);
  assert.deepEqual(ends, [200, 200, 500, 204, 200, 200]);
  const got = (name: string, note: string) => `got ${JSON.stringify({ repo: { name }, note })}`;
  assert.deepEqual(
    bench.inbox.texts().toSorted(),
    [`${got("a", "1")}\n\n${got("a", "3")}`, got("b", "2"), "got not json"].toSorted(),
  );
});

test("coalesce: a header may be the key", async (t) => {
  const clock = { now: Date.now() };
  const hooks = [{ coalesce: { key: "header:X-Repo", window_seconds: 1 } }];
  const bench = await startInbound(t, { hooks, now: () => clock.now });
  const ids = [];
  for (const body of ["1", "2"]) ids.push(idOf(await bench.send("/", { body, headers: { "x-repo": "a" } })));
  clock.now += 1000;
  for (const id of ids) await ended(bench, id);
  assert.deepEqual(
    bench.inbox.texts().map((text) => text.split("\n\n").toSorted()),
    [["1", "2"]],
  );
});
