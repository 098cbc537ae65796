/** Webhooks as a user has them: configured, sent by chat and gateway, listed and sent again by `hermes webhooks`. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { startReceiver, type Receiver } from "../helpers/receiver.ts";
import { configureWebhooks, deliveriesOf, killWebhookSenders, RETRY } from "../helpers/webhooks.ts";

async function start(t: TestContext): Promise<{ home: Home; receiver: Receiver }> {
  return { home: new Home(t), receiver: await startReceiver(t) };
}

test("a turn's events arrive with their payloads, each once, without secrets", async (t) => {
  const { home, receiver } = await start(t);
  configureWebhooks(home, {
    auth: { type: "bearer", token: "${HOOK_TOKEN}" },
    endpoints: {
      tool_called: { url: `${receiver.url}/tool` },
      post_tool_call: { url: `${receiver.url}/post`, matcher: "read_file" },
      "session:*": { url: `${receiver.url}/session` },
      "agent:end": { url: `${receiver.url}/slack`, transform: { text: "{{message}} → {{response}}" } },
    },
  });
  const env = { HOOK_TOKEN: "t0ken-of-the-hook", OTHER_API_KEY: "key-in-the-environment" };
  const command = "echo key-in-the-environment password=hunter22222";
  const { code, stderr, stdout } = await home.run(["chat", "-q", `run \`${command}\``, "--output-format", "json"], {
    env,
  });
  assert.equal(code, 0, stderr);
  const { session_id } = JSON.parse(stdout) as { session_id: string };
  await until(() => receiver.received.length >= 4, "all have arrived", { seen: () => [receiver.received, stderr] });
  const bodies = (path: string) =>
    receiver.received.filter((one) => one.path === path).map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  const [{ timestamp, ...tool }] = bodies("/tool") as [Record<string, unknown>];
  assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(tool, {
    event: "tool_called",
    task_id: session_id,
    tool: "terminal",
    parameters: { command: "echo [redacted] password=[redacted]" },
  });
  assert.deepEqual(
    bodies("/session").map(({ event }) => event),
    ["session:start", "session:end"],
  );
  assert.match(String(bodies("/slack")[0]!["text"]), /^run `echo .*→ terminal returned/);
  assert.equal(bodies("/post").length, 0, "the matcher names another tool");
  assert.ok(receiver.received.every(({ headers }) => headers.authorization === "Bearer t0ken-of-the-hook"));
  const listed = await deliveriesOf(home);
  assert.deepEqual(
    listed.map(({ status, attempts }) => [status, attempts]),
    listed.map(() => ["delivered", 1]),
  );
  for (const text of [
    await home.run(["webhooks", "list", "--json"], { env }),
    await home.run(["webhooks", "list"], { env }),
  ]) {
    assert.doesNotMatch(text.stdout, /t0ken/);
  }
  for (const { id } of listed) {
    assert.doesNotMatch((await home.run(["webhooks", "show", id])).stdout, /t0ken|hunter22222|key-in-the/);
  }
});

test("a failing receiver gets it again with the same id, then it is failed, then it is sent again by hand", async (t) => {
  const { home, receiver } = await start(t);
  configureWebhooks(home, { ...RETRY, endpoints: { "agent:end": { url: receiver.url } } });
  receiver.answer = (_request, response) => response.writeHead(503).end("later");
  assert.equal((await home.run(["chat", "-q", "hello"])).code, 0);
  // The run does not wait for retries; the next ones do them.
  await until(async () => {
    await home.run(["chat", "-q", "!true"]);
    return receiver.received.length >= 3 && (await deliveriesOf(home, "--failed")).length > 0;
  }, "it has failed");
  const ids = new Set(receiver.received.map(({ headers }) => headers["webhook-id"]));
  assert.deepEqual([receiver.received.filter(({ headers }) => headers["webhook-id"] === [...ids][0]).length], [3]);
  const [failed] = await deliveriesOf(home, "--failed");
  assert.deepEqual([failed!.attempts, failed!.last_status, failed!.last_error], [3, 503, "answered 503: later"]);

  const still = await home.run(["webhooks", "redeliver", failed!.id.slice(0, 6)]);
  assert.equal(still.code, 1);
  assert.match(still.stdout, /not delivered: answered 503: later; it will be tried again/);
  receiver.answer = (_request, response) => void response.end();
  await until(
    async () =>
      (await deliveriesOf(home, "--pending")).length === 0 || (await home.run(["chat", "-q", "!true"]), false),
    "none is pending",
  );
  const shown = await home.run(["webhooks", "show", failed!.id, "--json"]);
  const { status, payload, history } = JSON.parse(shown.stdout) as {
    status: string;
    payload: { event: string };
    history: { status: number }[];
  };
  assert.deepEqual([status, payload.event], ["delivered", "agent:end"]);
  assert.deepEqual(
    history.map((attempt) => attempt.status),
    [503, 503, 503, 503, 200],
  );
});

test("one dead endpoint delays no other, and a one-shot run hardly", async (t) => {
  const { home, receiver } = await start(t);
  const hanging = await startReceiver(t);
  hanging.answer = () => undefined;
  configureWebhooks(home, { endpoints: { "agent:end": [{ url: hanging.url }, { url: receiver.url }] } });
  const { code } = await home.run(["chat", "-q", "hello"]);
  assert.equal(code, 0);
  const [healthy, dead] = await deliveriesOf(home);
  assert.deepEqual([healthy!.status, dead!.status, dead!.attempts], ["delivered", "pending", 0]);
  // What was broken off is sent by the next process.
  hanging.answer = (_request, response) => void response.end();
  await home.run(["chat", "-q", "!true"]);
  await until(async () => (await deliveriesOf(home, "--pending")).length === 0, "the rest was delivered");
});

test("410 switches an endpoint off until it is enabled; what comes meanwhile is kept", async (t) => {
  const { home, receiver } = await start(t);
  configureWebhooks(home, { endpoints: { "agent:end": { url: receiver.url, name: "ci" } } });
  receiver.answer = (_request, response) => response.writeHead(410).end();
  const first = await home.run(["chat", "-q", "hello"]);
  assert.match(first.stderr, /The webhook endpoint "ci" answered that it is gone \(410\).*hermes webhooks enable ci/);
  receiver.answer = (_request, response) => void response.end();
  await home.run(["chat", "-q", "hello"]);
  assert.equal(receiver.received.length, 1);
  assert.deepEqual(
    (await deliveriesOf(home)).map(({ status }) => status),
    ["disabled", "failed"],
  );
  const list = async () =>
    (JSON.parse((await home.run(["webhooks", "list", "--json"])).stdout) as { endpoints: unknown[] }).endpoints;
  assert.deepEqual(await list(), [
    { name: "ci", event: "agent:end", url: receiver.url, enabled: false, auth: "none", pending: 0, failed: 1 },
  ]);
  assert.equal((await home.run(["webhooks", "enable", "ci"])).code, 0);
  await home.run(["chat", "-q", "hello"]);
  assert.equal(receiver.received.length, 2);
  const [, held] = await deliveriesOf(home);
  assert.equal((await home.run(["webhooks", "redeliver", held!.id])).code, 0);
  assert.equal(receiver.received.length, 3);
});

test("test sends a sample once; mistakes of ids, names and flags are told", async (t) => {
  const { home, receiver } = await start(t);
  configureWebhooks(home, {
    endpoints: {
      task_completed: { url: receiver.url, transform: { text: "Done: {{prompt}} ({{duration_seconds}}s)" } },
    },
  });
  const good = await home.run(["webhooks", "test", "task_completed"]);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /^[a-z0-9]{16} {2}task_completed to task_completed: delivered \(answered 200\)\n$/);
  assert.deepEqual(JSON.parse(receiver.received[0]!.body), { text: "Done: analyze this codebase (45s)" });
  receiver.answer = (_request, response) => response.writeHead(404).end();
  const bad = await home.run(["webhooks", "test", "task_completed"]);
  assert.deepEqual([bad.code, receiver.received.length], [1, 2]);
  assert.match(bad.stdout, /not delivered: answered 404\n$/);
  const failures: Readonly<Record<string, readonly [code: number, said: RegExp]>> = {
    "test task_complete": [3, /There is no webhook endpoint "task_complete"\. Did you mean "task_completed"\?/],
    "show ../../etc": [3, /There is no delivery "\.\.\/\.\.\/etc"\. Run "hermes webhooks deliveries"/],
    "show zzzzzzzzzzzzzzzz": [3, /There is no delivery/],
    "show abc": [3, /There is no delivery/],
    redeliver: [2, /Give either the id of a delivery or --failed/],
    "redeliver --failed --since soon": [2, /--since takes a duration such as 90s, 30m, 12h or 7d/],
    "deliveries --failed --pending": [2, /cannot be used with/],
    "enable nothing": [3, /There are: task_completed\./],
  };
  for (const [words, [code, said]] of Object.entries(failures)) {
    const failed = await home.run(["webhooks", ...words.split(" ")]);
    assert.equal(failed.code, code, words);
    assert.match(failed.stderr, said, words);
  }
});

test("an unset variable stops a chat and what delivers, but no list", async (t) => {
  const { home, receiver } = await start(t);
  configureWebhooks(home, {
    endpoints: { "agent:end": { url: receiver.url, auth: { type: "hmac", secret: "${HERMES_TEST_UNSET}" } } },
  });
  for (const words of [
    ["chat", "-q", "hello"],
    ["webhooks", "test", "agent:end"],
  ]) {
    const { code, stderr } = await home.run(words);
    assert.equal(code, 2, words[0]);
    assert.match(stderr, /HERMES_TEST_UNSET is not set/);
  }
  for (const words of [["list"], ["deliveries"]]) assert.equal((await home.run(["webhooks", ...words])).code, 0);
  assert.equal(receiver.received.length, 0);
});

test("processes that are killed at any moment lose nothing that was stored", async (t) => {
  await killWebhookSenders(t, 5);
});
