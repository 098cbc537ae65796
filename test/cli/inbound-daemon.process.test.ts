/** Daemons that receive webhooks: from the command line and in `hermes serve`. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { stringify } from "yaml";
import type { InboxMessage } from "#core/ports/inbox";
import { gate, messagesOf, send } from "../helpers/daemon.ts";
import { Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { startServe } from "../helpers/serve.ts";
import { freePort, isListening } from "../helpers/ports.ts";

const SECRET = "hush";

interface Hooked {
  readonly home: Home;
  readonly port: number;
  post(body: string, id: string): Promise<{ status: number; text: string }>;
}

/** A home with one hook that GitHub signs for. */
async function hooked(t: TestContext, script: string, more: object = {}, settings: object = {}): Promise<Hooked> {
  const home = new Home(t);
  const port = await freePort();
  const hook = {
    name: "push",
    bind: `127.0.0.1:${port}`,
    script: home.script("push.sh", script),
    verify: "github",
    secret: SECRET,
    ...settings,
  };
  home.write("config.yaml", stringify({ model: { provider: "offline" }, inbound: [hook], ...more }));
  return {
    home,
    port,
    async post(body, id) {
      const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
      const headers = { "x-hub-signature-256": signature, "x-github-delivery": id };
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers, body });
      return { status: response.status, text: await response.text() };
    },
  };
}

const url = (port: number) => `http://127\\.0\\.0\\.1:${port}/`;

const ECHO = '#!/bin/sh\necho "got $(cat) for $HOOK_SESSION"\n';

test("a request becomes a turn, once, marked as untrusted", async (t) => {
  const { home, port, post } = await hooked(t, ECHO);
  const daemon = home.start([
    "--accept-hooks",
    "run",
    "--daemon",
    "--name",
    "ci",
    "--format",
    "jsonl",
    "--hook",
    "push",
  ]);
  t.after(() => daemon.kill("SIGKILL"));
  await daemon.sees('The daemon "ci" is running');
  assert.match(daemon.stderr(), new RegExp(`The inbound webhook "push" is at ${url(port)} \\(verify: github\\)`));
  assert.deepEqual(await post("one", "1"), { status: 200, text: "ok" });
  assert.deepEqual(await post("one", "1"), { status: 200, text: "duplicate" });
  const { status } = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: "two" });
  assert.equal(status, 401);
  await until(async () => (await messagesOf(home, "ci")).every(({ state }) => state === "done"), "the turn has ended");
  const [message, ...others] = await messagesOf(home, "ci");
  assert.deepEqual([message?.source, message?.label, others], ["webhook", "push", []]);
  assert.match(message?.content ?? "", /untrusted ([0-9a-f]{24}) -----\ngot one for ci\n----- end untrusted \1/);
  assert.match(daemon.stdout(), /"type":"injected".*"source_kind":"webhook","source_label":"push"/);
  const sessions = JSON.parse((await home.run(["ps", "--json"])).stdout) as { sessions: { hooks: string[] }[] };
  assert.deepEqual(sessions.sessions[0]?.hooks, ["push"]);
  assert.match((await home.run(["ps"])).stdout, new RegExp(` push ${url(port)} `));
  assert.equal((await home.run(["stop", "--name", "ci"])).code, 0);
  assert.equal((await daemon.ended).code, 0);
});

test("an unknown hook, a missing approval and a taken port end the start before anything runs", async (t) => {
  const { home, port } = await hooked(t, ECHO);
  const start = (...args: string[]) => home.run([...args, "run", "--daemon", "--name", "ci", "--hook"].concat("push"));
  const unknown = await home.run(["run", "--daemon", "--name", "ci", "--hook", "psh"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /^hermes: There is no inbound webhook "psh".*push/);
  const unapproved = await start();
  assert.equal(unapproved.code, 1);
  assert.match(unapproved.stderr, /hermes hooks allow inbound:push /);
  const other = createServer().listen(port, "127.0.0.1");
  t.after(() => other.close());
  await new Promise((listening) => other.once("listening", listening));
  const taken = await start("--accept-hooks");
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /^hermes: Port \d+ on 127\.0\.0\.1 is in use/);
  assert.deepEqual(JSON.parse((await home.run(["ps", "--json"])).stdout), { sessions: [] });
});

/** Prints its input, and leaves a mark when more than four of it run. It takes long enough for others to start. */
const COUNTED = `#!/bin/sh
cd "$HERMES_HOME" && mkdir -p running && : > running/$$
set -- running/*
test $# -le 4 || : > too-many
cat
sleep 0.1
rm running/$$
`;

test("300 requests over 50 connections never run more than 4 scripts, and the inbox has each 200 once", async (t) => {
  const { home, post } = await hooked(t, COUNTED, {}, { concurrency: 4, queue: 20 });
  const daemon = home.start(["--accept-hooks", "run", "--daemon", "--name", "ci", "--hook", "push"]);
  t.after(() => daemon.kill("SIGKILL"));
  await daemon.sees('The daemon "ci" is running');
  const held = gate(home, "first");
  await send(home, "ci", held.message);
  await held.entered();
  const bodies = Array.from({ length: 300 }, (_, index) => `message ${index}.`);
  const statuses: number[] = [];
  let next = 0;
  const connection = async () => {
    while (next < bodies.length) {
      const index = next++;
      statuses[index] = (await post(bodies[index]!, String(index))).status;
    }
  };
  await Promise.all(Array.from({ length: 50 }, connection));
  assert.deepEqual(new Set(statuses), new Set([200, 429]));
  const contents = (await messagesOf(home, "ci")).flatMap(({ source, content }) =>
    source === "webhook" ? content : [],
  );
  const stored = contents.map((content) => /^message \d+\.$/m.exec(content)?.[0] ?? content);
  assert.deepEqual(stored.toSorted(), bodies.filter((_body, index) => statuses[index] === 200).toSorted());
  assert.ok(!home.has("too-many"));
});

test("at SIGTERM a script in flight ends, its sender is answered, and its message waits for the next start", async (t) => {
  const { home, port, post } = await hooked(
    t,
    '#!/bin/sh\ntouch "$HERMES_HOME/started"\nuntil test -e "$HERMES_HOME/go"; do sleep 0.05; done\necho late\n',
  );
  const daemon = home.start(["--accept-hooks", "run", "--daemon", "--name", "ci", "--hook", "push"]);
  t.after(() => daemon.kill("SIGKILL"));
  await daemon.sees('The daemon "ci" is running');
  const posted = post("x", "1");
  await until(() => home.has("started"), "the script runs");
  daemon.kill("SIGTERM");
  await until(async () => !(await isListening(port)), "it takes no more requests");
  writeFileSync(join(home.path, "go"), "");
  assert.equal((await posted).status, 200);
  assert.equal((await daemon.ended).code, 0);
  assert.equal((await messagesOf(home, "ci")).length, 1);
});

test("hermes serve runs daemons with their hooks, and its dashboard shows them", async (t) => {
  const dashboard = { enabled: true, port: 0 };
  const { home, port, post } = await hooked(t, ECHO, { daemons: [{ name: "ci", hooks: ["push"] }], dashboard });
  const refused = await home.run(["serve"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /hermes hooks allow inbound:push /);
  const service = await startServe(t, home, { args: ["--accept-hooks"] });
  assert.match(service.stderr(), new RegExp(`The inbound webhook "push" is at ${url(port)} \\(verify: github\\)`));
  assert.deepEqual(await post("one", "1"), { status: 200, text: "ok" });
  await until(async () => (await messagesOf(home, "ci"))[0]?.state === "done", "the turn has ended");
  const { daemon, messages } = await shown(home, "/api/daemons/inbox?name=ci");
  assert.deepEqual(daemon["hooks"], [{ name: "push", url: `http://127.0.0.1:${port}/`, verify: "github" }]);
  assert.equal(messages[0]?.label, "push");
  service.kill("SIGTERM");
  assert.equal((await service.ended).code, 0);
});

/** What the dashboard that runs answers. */
async function shown(home: Home, path: string) {
  const { url: dashboard, hooks_ingest_token: token } = JSON.parse(home.read("dashboard.json")) as Record<
    string,
    string
  >;
  const response = await fetch(dashboard + path, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(response.status, 200);
  return (await response.json()) as { daemon: Record<string, unknown>; messages: InboxMessage[] };
}
