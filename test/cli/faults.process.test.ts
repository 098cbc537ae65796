/** What a person sees when the model's server, a tool or the program itself fails in the middle of a conversation. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { framesOf, Home, type Ended } from "../helpers/hermes.ts";
import { startModelServer, type ModelServer, type Reply } from "../helpers/model-server.ts";
import { until } from "../helpers/poll.ts";

const KEY = "plain-key-of-the-person-0123";

function homeOf(t: TestContext, url: string, retries = 2): Home {
  const home = new Home(t);
  const model = { provider: "openai-compatible", base_url: url, default: "some-model", max_retries: retries };
  home.write("config.yaml", JSON.stringify({ model: { ...model, api_key: KEY } }));
  return home;
}

async function serve(t: TestContext, replies: readonly Reply[]): Promise<{ server: ModelServer; home: Home }> {
  const server = await startModelServer(replies);
  t.after(() => server.stop());
  return { server, home: homeOf(t, server.url) };
}

/** Asserts that the run failed with 1 and this one sentence on standard error. */
function assertFailed({ code, stderr }: Ended, sentence: RegExp): void {
  assert.equal(code, 1, stderr);
  const lines = stderr.trim().split("\n");
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0]!, /^hermes: /);
  assert.match(lines[0]!, sentence);
  assert.ok(!stderr.includes(KEY), stderr);
}

const FAILURES: readonly [name: string, replies: readonly Reply[], requests: number, sentence: RegExp][] = [
  [
    "500 to the end",
    Array.from({ length: 3 }, () => ({ status: 500, message: "it broke" })),
    3,
    /some-model .*status 500: it broke\. The problem is on the server; try again later\.$/,
  ],
  [
    "429 to the end",
    Array.from({ length: 3 }, () => ({ status: 429, headers: { "retry-after": "0" }, message: "slow down" })),
    3,
    /status 429: slow down\. The server's rate limit or quota is exceeded; try again later\.$/,
  ],
  [
    "a wrong key, which the server repeats",
    [{ status: 401, message: `the key ${KEY} is wrong` }],
    1,
    /status 401: the key \[redacted\] is wrong\. Check the key \(model\.api_key\)\.$/,
  ],
  ["an unknown model", [{ status: 404, message: "no such model" }], 1, /404: no such model\. Check model\.default and/],
  ["a cut stream", [{ cutAfter: "The answer is" }], 1, /some-model .*was cut off\.$/],
  ["a stream without a finish reason", [{ endAfter: "The answer is" }], 1, /was cut off\.$/],
];

for (const [name, replies, requests, sentence] of FAILURES) {
  test(`${name}: ${requests} request(s), then 1 and one sentence`, async (t) => {
    const { server, home } = await serve(t, replies);
    assertFailed(await home.run(["chat", "-q", "hello"]), sentence);
    assert.equal(server.requests.length, requests);
    assert.ok(!home.has("logs/hermes.log") || !home.read("logs/hermes.log").includes(KEY));
    // What was complete is there, and the conversation goes on from it.
    const next = await home.run(["chat", "-c", "-Q", "-q", "and now?"]);
    assert.equal(next.stdout, "done\n", next.stderr);
    assert.equal(server.requests.at(-1)?.messages.at(-1)?.content, "and now?");
  });
}

test("429 with Retry-After is waited for, and nobody needs to know", async (t) => {
  const { server, home } = await serve(t, [{ status: 429, headers: { "retry-after": "1" } }, { text: "at last" }]);
  const started = performance.now();
  const ended = await home.run(["chat", "-Q", "-q", "hello"]);
  assert.deepEqual([ended.code, ended.stdout, ended.stderr], [0, "at last\n", ""]);
  assert.ok(performance.now() - started >= 950);
  assert.equal(server.requests.length, 2);
});

test("malformed arguments and an unknown tool go back to the model, and the turn completes", async (t) => {
  const { server, home } = await serve(t, [
    {
      calls: [
        { id: "a", name: "terminal", arguments: '{"command": "ls' },
        { id: "b", name: "no_such_tool", arguments: "{}" },
      ],
    },
    { text: "sorry" },
  ]);
  const ended = await home.run(["chat", "-q", "hello", "--output-format", "stream-json"]);
  assert.equal(ended.code, 0, ended.stderr);
  const results = framesOf(ended).filter(({ type }) => type === "tool_result");
  assert.deepEqual(
    results.map(({ success }) => success),
    [false, false],
  );
  const sent = server.requests[1]?.messages.filter(({ role }) => role === "tool").map(({ content }) => String(content));
  assert.match(sent?.[0] ?? "", /"error":".*not a JSON object/);
  assert.match(sent?.[1] ?? "", /"error":"There is no tool \\"no_such_tool\\"/);
});

test("nobody listens at the address: the sentence names it", async (t) => {
  const server = await startModelServer([]);
  await server.stop();
  const home = homeOf(t, server.url, 1);
  assertFailed(
    await home.run(["chat", "-q", "hello"]),
    /ECONNREFUSED.*Check that a server is running at http:\/\/127\.0\.0\.1:\d+\/v1/,
  );
});

test("a web page where an answer should be: the sentence says so and doubts the address", async (t) => {
  const page: RequestListener = (_, response) => {
    response.setHeader("content-type", "text/html").end("<!doctype html><title>Welcome</title>");
  };
  const server = createServer(page).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const home = homeOf(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, 0);
  assertFailed(await home.run(["chat", "-q", "hello"]), /sent a web page\. Check that http:.* supports/);
});

test("Ctrl+C in a slow stream: the server sees the socket close, 130", async (t) => {
  const { server, home } = await serve(t, [{ hangAfter: "Thinking" }]);
  const running = home.start(["chat", "-q", "hello"]);
  await server.hanging;
  await running.sees("Thinking");
  running.kill("SIGINT");
  await server.clientGone;
  const { code, stdout } = await running.ended;
  assert.equal(code, 130);
  assert.equal(stdout, "Thinking\n");
});

test("kill -9 after one of two calls: the session resumes with the completed one", async (t) => {
  const home = homeOf(t, "http://127.0.0.1:1");
  const started = join(home.work, "started");
  const call = (command: string) => `@terminal ${JSON.stringify({ command })}`;
  home.write("config.yaml", "model: { provider: offline }\n");
  const message = `${call("echo quick")}\n${call(`touch ${started}; sleep 60`)}`;
  const running = home.start(["chat", "-q", message, "--output-format", "stream-json"]);
  await running.sees('"type":"tool_result"');
  await until(() => existsSync(started), "the second call has begun");
  running.kill("SIGKILL");
  assert.equal((await running.ended).signal, "SIGKILL");

  const server = await startModelServer([{ text: "welcome back" }]);
  t.after(() => server.stop());
  home.write("config.yaml", JSON.stringify({ model: { base_url: server.url, default: "m" } }));
  const resumed = await home.run(["chat", "-c", "-Q", "-q", "go on"]);
  assert.equal(resumed.stdout, "welcome back\n", resumed.stderr);
  const sent = server.requests[0]?.messages.slice(1) ?? [];
  assert.deepEqual(
    sent.map(({ role }) => role),
    ["user", "assistant", "tool", "tool", "user"],
  );
  assert.match(String(sent[2]?.content), /"output":"quick\\n"/);
  assert.match(String(sent[3]?.content), /"error":"interrupted/);
});

test("tools that fail, flood or never end are results for the model, and the turn completes", async (t) => {
  const home = new Home(t);
  writeFileSync(join(home.work, "binary"), Buffer.from([0, 1, 2, 255]));
  writeFileSync(join(home.work, "huge.txt"), "a line of text\n".repeat(1_000_000));
  // The deadline of 5 s leaves the sandbox the time to start before the command is late.
  const calls: [tool: string, args: object, result: RegExp][] = [
    ["read_file", { path: "binary" }, /^\{"error":".*binary/],
    ["read_file", { path: "huge.txt" }, /"truncated":true/],
    ["read_file", { path: "missing.txt" }, /^\{"error":".*missing\.txt/],
    ["read_file", { path: "../.hermes/config.yaml" }, /^\{"error":".*off limits/],
    ["write_file", { path: "../outside.txt", content: "outside" }, /"bytes":7/],
    ["patch", { path: "missing.txt", old_string: "a", new_string: "b" }, /^\{"error":".*missing\.txt/],
    ["search_files", { pattern: "(" }, /^\{"error":/],
    ["terminal", { command: "echo begun; sleep 600", timeout: 5 }, /"error":.*begun|begun.*"error":/],
    ["terminal", { command: "yes flood | head -c 50000000" }, /bytes omitted/],
    ["terminal", { command: "exit 3" }, /"exit_code":3/],
    ["terminal", { command: 7 }, /^\{"error":/],
  ];
  const message = calls.map(([tool, args]) => `@${tool} ${JSON.stringify(args)}`).join("\n");
  const ended = await home.run(["chat", "-q", message, "--output-format", "stream-json"]);
  assert.equal(ended.code, 0, ended.stderr);
  const frames = framesOf(ended);
  const uses = frames.filter(({ type }) => type === "tool_use");
  for (const [index, [tool, args, result]] of calls.entries()) {
    const frame = frames.find(({ type, tool_id }) => type === "tool_result" && tool_id === uses[index]?.["tool_id"]);
    const content = String(frame?.["content"]);
    assert.match(content, result, `${tool} ${JSON.stringify(args)}: ${content.slice(0, 500)}`);
    assert.ok(content.length < 150_000);
    assert.doesNotThrow(() => JSON.parse(content));
  }
  assert.equal(readFileSync(join(home.work, "../outside.txt"), "utf8"), "outside");
  assert.equal(frames.at(-1)?.["completed"], true);
});
