/** Task webhooks to Slack and Discord: bodies of their shape for prompts of any text, and refusals one can read. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { startReceiver, type Receiver } from "../helpers/receiver.ts";
import { submitTask, taskBecomes, taskHome } from "../helpers/tasks.ts";

const SLACK = (url: string) => `model: { provider: offline }
webhooks:
  endpoints:
    task_completed:
      url: ${url}/services/T00/B00/XXX
      method: POST
      transform:
        text: "Task completed: {{prompt}} ({{duration_seconds}}s)"
`;
const DISCORD = (url: string, further = "") => `model: { provider: offline }
webhooks:
  endpoints:
    task_failed:
      url: ${url}/api/webhooks/XXX/YYY
      method: POST
      transform:
        content: "⚠️ Task failed: {{prompt}}"
${further}`;

/** What a task with a time limit does not end in time. */
const LATE = "\nrun `sleep 600`";

const PROMPTS = [
  `"double" 'single' \\ back & <b>bold</b>`,
  "two\nlines\r\n\tand a tab",
  "{{x}} {{{x}}} {{#prompt}}{{/prompt}} {{prompt}}",
  "🎉 👩‍👩‍👧 é สวัสดี",
];

for (const { service, config, status, flags, ending, path, key, form } of [
  {
    service: "Slack",
    config: SLACK,
    status: "succeeded",
    flags: [],
    ending: "",
    path: "/services/T00/B00/XXX",
    key: "text",
    form: /^Task completed: ([^]*) \(\d+(?:\.\d+)?s\)$/,
  },
  {
    service: "Discord",
    config: DISCORD,
    status: "timeout",
    flags: ["--timeout", "1"],
    ending: LATE,
    path: "/api/webhooks/XXX/YYY",
    key: "content",
    form: /^⚠️ Task failed: ([^]*)$/,
  },
] as const) {
  test(`${service} gets a JSON object with one text, whatever is in the prompt`, async (t) => {
    const receiver = await startReceiver(t);
    if (service === "Discord") answerLikeDiscord(receiver);
    const home = taskHome(t);
    home.write("config.yaml", config(receiver.url));
    const prompts = PROMPTS.map((prompt) => prompt + ending);
    const ids = await Promise.all(prompts.map((prompt) => submitTask(home, prompt, ...flags)));
    await Promise.all(ids.map((id) => taskBecomes(home, id, status)));
    await until(() => receiver.received.length >= prompts.length, "all have arrived");
    const arrived = receiver.received.map((one) => {
      assert.deepEqual([one.path, one.method, one.headers["content-type"]], [path, "POST", "application/json"]);
      const body = JSON.parse(one.body) as Record<string, unknown>;
      assert.deepEqual(Object.keys(body), [key]);
      const text = body[key];
      assert.ok(typeof text === "string");
      return form.exec(text)?.[1] ?? assert.fail(text);
    });
    assert.deepEqual(arrived.toSorted(), prompts.toSorted());
    await until(async () => (await deliveries(home)).every((one) => one.status === "delivered"), "all are delivered");
  });
}

test("a text that Discord refuses leaves a failed delivery that tells why", async (t) => {
  const receiver = await startReceiver(t);
  answerLikeDiscord(receiver);
  const home = taskHome(t);
  const empty = `    task_started: { url: "${receiver.url}/empty", transform: { content: "{{nothing}}" } }\n`;
  home.write("config.yaml", DISCORD(receiver.url, empty));
  const prompt = "🎉".repeat(2000) + LATE;
  await taskBecomes(home, await submitTask(home, prompt, "--timeout", "1"), "timeout");
  await until(
    async () => {
      const all = await deliveries(home);
      return all.length === 2 && all.every(({ status }) => status === "failed");
    },
    "both have failed",
    { seen: () => receiver.received },
  );
  // Nothing is cut, and nothing that would be refused again is sent again.
  const bodies = receiver.received.map(({ body }) => (JSON.parse(body) as { content: string }).content);
  assert.deepEqual(bodies.toSorted(), ["", `⚠️ Task failed: ${prompt}`]);
  const reasons = {
    task_failed: 'answered 400: {"content": ["Must be 2000 or fewer in length."]}',
    task_started: 'answered 400: {"message": "Cannot send an empty message", "code": 50006}',
  };
  for (const { id, endpoint } of await deliveries(home)) {
    const reason = reasons[endpoint as keyof typeof reasons];
    const shown = await home.run(["webhooks", "show", id]);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /\bfailed\b/);
    assert.ok(shown.stdout.includes(reason), shown.stdout);
    const { stdout } = await home.run(["webhooks", "show", id, "--json"]);
    const { status, last_status, last_error, attempts } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([status, last_status, last_error, attempts], ["failed", 400, reason, 1]);
  }
});

/** Takes 1 to 2,000 characters of `content`, as Discord's webhooks do. */
function answerLikeDiscord(receiver: Receiver): void {
  receiver.answer = ({ body }, response) => {
    const { content } = JSON.parse(body) as { content: string };
    const refuse = (reason: string) => response.writeHead(400, { "content-type": "application/json" }).end(reason);
    if (content === "") return void refuse('{"message": "Cannot send an empty message", "code": 50006}');
    if (Array.from(content).length > 2000) return void refuse('{"content": ["Must be 2000 or fewer in length."]}');
    response.writeHead(204).end();
  };
}

interface Listed {
  readonly id: string;
  readonly endpoint: string;
  readonly status: string;
}

async function deliveries(home: Home): Promise<readonly Listed[]> {
  const { stdout, stderr } = await home.run(["webhooks", "deliveries", "--json"]);
  return (JSON.parse(stdout === "" ? assert.fail(stderr) : stdout) as { deliveries: Listed[] }).deliveries;
}
