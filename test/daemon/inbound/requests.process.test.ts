/** Every answer of an inbound webhook that CONTRACT §13 names, over HTTP and with real scripts. */
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { startInbound, writeScript, type InboundBench } from "../../helpers/inbound.ts";
import { until } from "../../helpers/poll.ts";

const SECRET = "s3cret";
const signed = (body: string | Buffer, extra: Record<string, string> = {}) => ({
  body: body as string,
  headers: { "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`, ...extra },
});

test("a script's output is injected, marked as untrusted by a token that no two messages share", async (t) => {
  const bench = await startInbound(t, { script: "#!/bin/sh\nprintf '  Build %s failed \\n\\n' \"$(cat)\"\n" });
  for (const body of ["17", "18"]) {
    const { status, text } = await bench.send("/any/path", { body });
    assert.deepEqual([status, text], [200, "ok"]);
  }
  assert.deepEqual(bench.inbox.texts(), ["  Build 17 failed", "  Build 18 failed"]);
  const tokens = bench.inbox.messages.map(({ content }) => /begin untrusted ([0-9a-f]{24})/.exec(content)![1]);
  assert.notEqual(tokens[0], tokens[1]);
  assert.match(bench.inbox.messages[0]!.content, /webhook "hook0"/);
  assert.equal(bench.inbox.messages[0]!.label, "hook0");
});

test("the variables of the seed, and nothing of the parent's secrets but what env names", async (t) => {
  const script = "#!/bin/sh\nenv | grep -E '^HOOK_|^MY_|^PATH=|^LD_|^HERMES_HOME' | sort\n";
  const env = { ...process.env, MY_TOKEN: "a", MY_API_KEY: "b", MY_PLAIN: "c", HOOK_HEADER_FORGED: "d" };
  const bench = await startInbound(t, { script, env, hooks: [{ env: ["MY_TOKEN"], methods: ["PUT"] }] });
  await raw(bench, [
    "PUT /a%20b/c?x=1&y=2?z HTTP/1.1",
    "Host: example.com",
    "Content-Type: application/json",
    "X-Twice: one",
    "X_Foo_Bar: underscores",
    "X-Foo-Bar: hyphens",
    "X-Twice: two",
    "Ld-Preload: /tmp/evil.so",
    "Path: /tmp/evil",
    "Proxy: http://evil.example.com",
    "X-Text: gr\u00fc\u00df",
    "Content-Length: 2",
    "Connection: close",
    "",
    "{}",
  ]);
  const lines = bench.inbox.texts()[0]!.split("\n");
  const value = (name: string) => lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);
  assert.equal(value("HOOK_NAME"), "hook0");
  assert.equal(value("HOOK_METHOD"), "PUT");
  assert.equal(value("HOOK_PATH"), "/a%20b/c");
  assert.equal(value("HOOK_QUERY"), "x=1&y=2?z");
  assert.equal(value("HOOK_CONTENT_TYPE"), "application/json");
  assert.equal(value("HOOK_SESSION"), "bench");
  assert.equal(value("HOOK_HEADER_CONTENT_TYPE"), "application/json");
  assert.equal(value("HOOK_HEADER_X_TWICE"), "one, two");
  assert.equal(value("HOOK_HEADER_X_FOO_BAR"), "underscores, hyphens");
  assert.equal(value("HOOK_HEADER_LD_PRELOAD"), "/tmp/evil.so");
  assert.equal(value("HOOK_HEADER_PATH"), "/tmp/evil");
  assert.equal(value("HOOK_HEADER_X_TEXT"), "grüß");
  assert.equal(value("LD_PRELOAD"), undefined);
  assert.equal(value("PATH"), process.env["PATH"]);
  assert.equal(value("HOOK_HEADER_FORGED"), undefined);
  assert.deepEqual([value("MY_TOKEN"), value("MY_API_KEY"), value("MY_PLAIN")], ["a", undefined, "c"]);
  assert.equal(value("HERMES_HOME"), join(bench.folder, "home"));
});

test("bodies reach the script byte for byte, and it may open its input by name", async (t) => {
  const bench = await startInbound(t, { script: `#!/bin/sh\nsha256sum < /dev/stdin | cut -d' ' -f1\n` });
  const { createHash } = await import("node:crypto");
  const bodies = [randomBytes(700_000), gzipSync("{}"), Buffer.from([0, 255, 10, 13]), Buffer.alloc(0)];
  for (const body of bodies) await bench.send("/", { body, headers: { "content-encoding": "gzip" } });
  assert.deepEqual(
    bench.inbox.texts(),
    bodies.map((body) => createHash("sha256").update(body).digest("hex")),
  );
});

const ENDS: readonly (readonly [what: string, script: string, status: number, detail: RegExp | null])[] = [
  ["prints nothing", "cat >/dev/null", 204, null],
  ["prints blanks", "printf ' \\n\\t\\n'", 204, null],
  ["fails", "echo out; echo hush-hush >&2; exit 3", 500, /exit code 3; hush-hush/],
  ["dies by a signal", "kill -9 $$", 500, /killed by SIGKILL/],
  ["prints more than 1 MiB", "head -c 1048577 /dev/zero", 500, /more than 1 MiB/],
  ["prints 100 MB", "head -c 104857600 /dev/zero", 500, /more than 1 MiB/],
  ["prints 100 MB of errors", "head -c 104857600 /dev/zero >&2", 500, /more than 1 MiB/],
  ["takes too long", "sleep 60", 504, /did not end within 1 s/],
  ["takes too long in a child that ignores TERM", "trap '' TERM; sleep 60 & wait; sleep 60", 504, /did not end/],
];
for (const [what, script, status, detail] of ENDS) {
  test(`a script that ${what} is a ${status}, and its errors are in the log only`, async (t) => {
    const hooks = [{ timeout: status === 504 ? 1 : 30 }];
    const bench = await startInbound(t, { script: `#!/bin/sh\n${script}\n`, hooks });
    const answer = await bench.send("/", { body: "x" });
    assert.equal(answer.status, status);
    assert.doesNotMatch(answer.text + JSON.stringify([...answer.headers]), /hush/);
    assert.deepEqual(bench.inbox.messages, []);
    const [record] = bench.records;
    assert.equal(record?.status, status);
    if (detail === null) assert.equal(record?.detail, null);
    else assert.match(record?.detail ?? "", detail);
    if (detail !== null) assert.match(bench.logged.join("\n"), detail);
  });
}

test("exactly 1 MiB is injected", async (t) => {
  const bench = await startInbound(t, { script: "#!/bin/sh\nhead -c 1048576 /dev/zero | tr '\\0' x\n" });
  assert.equal((await bench.send("/")).status, 200);
  assert.equal(bench.inbox.texts()[0]!.length, 1024 * 1024);
});

test("a script that forks a holder of its pipes is not waited for", async (t) => {
  const bench = await startInbound(t, { script: "#!/bin/sh\nsleep 20 &\necho done\n", hooks: [{ timeout: 10 }] });
  assert.equal((await bench.send("/")).status, 200);
  assert.deepEqual(bench.inbox.texts(), ["done"]);
});

test("a script that closes its input on 5 MB is no failure", async (t) => {
  const bench = await startInbound(t, { script: "#!/bin/sh\nexec <&-\necho done\n", hooks: [{ max_body: 6_000_000 }] });
  assert.equal((await bench.send("/", { body: randomBytes(5_000_000) })).status, 200);
});

test("a script that is gone is a 500 until it is back", async (t) => {
  const bench = await startInbound(t);
  const script = join(bench.folder, "script");
  const text = readFileSync(script, "utf8");
  rmSync(script);
  assert.equal((await bench.send("/", { body: "x" })).status, 500);
  assert.match(bench.records[0]?.detail ?? "", /not found/);
  writeScript(script, text);
  assert.equal((await bench.send("/", { body: "x" })).status, 200);
});

test("a script without a shebang line is run by sh", async (t) => {
  const bench = await startInbound(t, { script: "echo plain\n" });
  assert.equal((await bench.send("/")).status, 200);
  assert.deepEqual(bench.inbox.texts(), ["plain"]);
});

test("paths choose among the hooks of one address, and methods are each hook's own", async (t) => {
  const script = "#!/bin/sh\necho $HOOK_NAME\n";
  const hooks = [{ path: "/a" }, { path: "/b", methods: ["GET", "PUT"] }];
  const bench = await startInbound(t, { script, hooks });
  assert.equal((await bench.send("/a?x")).status, 200);
  assert.equal((await bench.send("/b", { method: "GET" })).status, 200);
  assert.equal((await bench.send("/b", { method: "PUT", body: "x" })).status, 200);
  assert.deepEqual(bench.inbox.texts(), ["hook0", "hook1", "hook1"]);
  for (const path of ["/", "/a/", "/A", "/c", "/a%2f"]) assert.equal((await bench.send(path)).status, 404, path);
  const wrong = await bench.send("/b", { method: "POST", body: "x" });
  assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "GET, PUT"]);
  assert.equal((await bench.send("/a", { method: "HEAD" })).status, 405);
  assert.equal((await bench.send("/a", { method: "PROPFIND" })).status, 405);
  const all = await startInbound(t, { script, hooks: [{}, { path: "/b" }] });
  assert.equal((await all.send("/b")).status, 200);
  assert.equal((await all.send("/else%zz")).status, 200);
  assert.deepEqual(all.inbox.texts(), ["hook1", "hook0"]);
});

test("a body over max_body is a 413, announced or not, and no script starts", async (t) => {
  const bench = await startInbound(t, { hooks: [{ max_body: 1000 }] });
  assert.equal((await bench.send("/", { body: "x".repeat(1000) })).status, 200);
  assert.equal((await bench.send("/", { body: "x".repeat(1001) })).status, 413);
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let index = 0; index < 100; index++) controller.enqueue(new Uint8Array(100_000));
      controller.close();
    },
  });
  const streamed = await bench.send("/", { body: stream, duplex: "half" });
  assert.equal(streamed.status, 413);
  const waiting = await raw(bench, [
    "POST / HTTP/1.1",
    "Host: x",
    "Expect: 100-continue",
    "Content-Length: 5000",
    "Connection: close",
    "",
    "",
  ]);
  assert.match(waiting, /^HTTP\/1\.1 413 /);
  assert.equal(bench.inbox.messages.length, 1);
});

test("headers over 64 KiB are a 431, one of 140 KiB and ever larger ones too", async (t) => {
  const bench = await startInbound(t);
  const post = (value: string) => bench.send("/", { body: "x", headers: { "x-long": value } });
  assert.equal((await post("x".repeat(60_000))).status, 200);
  for (const size of [65_600, 140_000]) assert.equal((await post("x".repeat(size))).status, 431, String(size));
  const huge = await raw(bench, ["POST / HTTP/1.1", "Host: x", `X-Long: ${"x".repeat(400_000)}`, "", ""]);
  assert.match(huge, /^HTTP\/1\.1 431 /);
  const many = Array.from({ length: 7000 }, (_, index) => `x-${index}: y`);
  assert.match(
    await raw(bench, ["POST / HTTP/1.1", "Host: x", ...many, "Connection: close", "", ""]),
    /^HTTP\/1\.1 431 /,
  );
  const few = Array.from({ length: 3000 }, (_, index) => `x-${index}: y`);
  assert.match(
    await raw(bench, ["POST / HTTP/1.1", "Host: x", ...few, "Connection: close", "", ""]),
    /^HTTP\/1\.1 204 /,
  );
  assert.equal((await bench.send(`/?${"q".repeat(70_000)}`)).status, 414);
});

test("what is not verified is a 401 before any process starts", async (t) => {
  const bench = await startInbound(t, {
    script: `#!/bin/sh\necho started >> "$(dirname "$0")/starts"\ncat\n`,
    hooks: [{ verify: "github", secret: SECRET }],
  });
  const body = '{"a":1}';
  const right = signed(body).headers["x-hub-signature-256"];
  const attempts: RequestInit[] = [
    { body },
    { body, headers: { "x-hub-signature-256": "" } },
    { body, headers: { "x-hub-signature-256": right.toUpperCase() } },
    { body, headers: { "x-hub-signature-256": right.slice("sha256=".length) } },
    { body: "another", headers: { "x-hub-signature-256": right } },
    { body: `${body} `, headers: { "x-hub-signature-256": right } },
    {
      body,
      headers: [
        ["x-hub-signature-256", right],
        ["x-hub-signature-256", right],
      ],
    },
  ];
  for (const [index, attempt] of attempts.entries()) {
    const { status, text } = await bench.send("/", attempt);
    assert.deepEqual([status, text], [401, "not verified"], String(index));
  }
  assert.ok(!existsSync(join(bench.folder, "starts")));
  // Neither can a stranger flush the log: it has the first refusal of a minute, with its reason.
  assert.equal((await bench.send("/", { method: "PUT", body })).status, 405);
  assert.deepEqual(
    bench.records.map(({ status, detail }) => [status, detail]),
    [[401, "not verified (github): it needs one header x-hub-signature-256"]],
  );
  assert.equal(bench.logged.length, 1);
  assert.equal((await bench.send("/", signed(body))).status, 200);
  assert.equal(bench.records.length, 2);
});

test("a second request with an id that succeeded is a duplicate; one that failed may come again", async (t) => {
  const script = `#!/bin/sh\necho run >> "$(dirname "$0")/runs"\nread line\ntest "$line" != fail && echo "$line"\n`;
  const bench = await startInbound(t, {
    script,
    hooks: [
      { verify: "github", secret: SECRET },
      { path: "/own", dedup_header: "X-Id" },
    ],
  });
  const once = signed("first\n", { "x-github-delivery": "d-1" });
  assert.equal((await bench.send("/", once)).text, "ok");
  assert.deepEqual(Object.values(await bench.send("/", once)).slice(0, 2), [200, "duplicate"]);
  // Without a delivery's id, its signature is the id.
  assert.equal((await bench.send("/", signed("second\n"))).text, "ok");
  assert.equal((await bench.send("/", signed("second\n"))).text, "duplicate");
  assert.equal((await bench.send("/", signed("fail\n", { "x-github-delivery": "d-2" }))).status, 500);
  assert.equal((await bench.send("/", signed("fail\n", { "x-github-delivery": "d-2" }))).status, 500);
  // Another hook's ids are its own.
  const own = { body: "third\n", headers: { "x-id": "d-1" } };
  assert.equal((await bench.send("/own", own)).text, "ok");
  assert.equal((await bench.send("/own", own)).text, "duplicate");
  assert.equal((await bench.send("/own", { body: "third\n" })).text, "ok");
  assert.equal((await bench.send("/own", { body: "third\n" })).text, "ok");
  // A success without a message is remembered, too.
  const blank = { body: " \n", headers: { "x-id": "blank" } };
  assert.equal((await bench.send("/own", blank)).status, 204);
  assert.equal((await bench.send("/own", blank)).text, "duplicate");
  assert.deepEqual(bench.inbox.texts(), ["first", "second", "third", "third", "third"]);
  assert.equal(readFileSync(join(bench.folder, "runs"), "utf8").split("\n").length - 1, 8);
});

test("one in flight is a 409, and a full queue a 429, both with Retry-After", async (t) => {
  const script = `#!/bin/sh\nread line\necho x >> "$(dirname "$0")/started"\nwhile ! test -e "$(dirname "$0")/go"; do sleep 0.05; done\necho "$line"\n`;
  const bench = await startInbound(t, { script, hooks: [{ dedup_header: "x-id", concurrency: 1, queue: 1 }] });
  const post = (body: string) => bench.send("/", { body: `${body}\n`, headers: { "x-id": body } });
  const first = post("a");
  await until(() => existsSync(join(bench.folder, "started")), "the first script runs");
  const again = await post("a");
  assert.deepEqual([again.status, Number(again.headers.get("retry-after")) > 0], [409, true]);
  const second = post("b");
  const third = await until(async () => {
    const answer = await post("c");
    return answer.status === 429 ? answer : undefined;
  }, "the queue is full");
  assert.ok(Number(third.headers.get("retry-after")) > 0);
  writeScript(join(bench.folder, "go"), "");
  assert.deepEqual([(await first).status, (await second).status], [200, 200]);
});

test("rate_limit is requests a minute", async (t) => {
  const bench = await startInbound(t, { hooks: [{ rate_limit: 2 }, { path: "/free" }] });
  assert.equal((await bench.send("/", { body: "1" })).status, 200);
  assert.equal((await bench.send("/", { body: "2" })).status, 200);
  const third = await bench.send("/", { body: "3" });
  assert.equal(third.status, 429);
  const seconds = Number(third.headers.get("retry-after"));
  assert.ok(seconds >= 1 && seconds <= 60, String(seconds));
  assert.equal((await bench.send("/free", { body: "4" })).status, 200);
});

test("a full inbox is a 503, and the request may come again", async (t) => {
  const bench = await startInbound(t, { hooks: [{ dedup_header: "x-id" }] });
  bench.inbox.full = true;
  const request = { body: "x", headers: { "x-id": "1" } };
  const full = await bench.send("/", request);
  assert.deepEqual([full.status, Number(full.headers.get("retry-after")) > 0], [503, true]);
  bench.inbox.full = false;
  assert.equal((await bench.send("/", request)).text, "ok");
});

test("a slow sender loses its connection, and others are answered meanwhile", async (t) => {
  const bench = await startInbound(t, { limits: { headersMs: 500, requestMs: 1000 } });
  const slow = [
    raw(bench, ["POST / HTTP/1.1", "Host: x", "X-Slow:"]),
    raw(bench, ["POST / HTTP/1.1", "Host: x", "Content-Length: 9", "", "abc"]),
  ];
  assert.equal((await bench.send("/", { body: "x" })).status, 200);
  for (const answer of await Promise.all(slow)) assert.match(answer, /^HTTP\/1\.1 (?:408|400) |^$/);
  assert.equal(bench.inbox.messages.length, 1);
});

test("idle connections beyond the limit keep nobody out", async (t) => {
  const bench = await startInbound(t, { limits: { connections: 3 } });
  const idle = Array.from({ length: 8 }, () => connect(bench.port, "127.0.0.1").on("error", () => undefined));
  t.after(() => idle.forEach((socket) => socket.destroy()));
  await until(
    () => idle.filter((socket) => socket.destroyed || socket.readableEnded || socket.closed).length >= 5,
    "idle ones are closed",
  );
  assert.equal((await bench.send("/", { body: "x" })).status, 200);
});

test("on the way out a running script has its time, and its caller an answer", async (t) => {
  const script = `#!/bin/sh\nread line\necho x >> "$(dirname "$0")/started"\nwhile ! test -e "$(dirname "$0")/go"; do sleep 0.05; done\necho "$line"\n`;
  const bench = await startInbound(t, { script, hooks: [{ concurrency: 1, queue: 1 }] });
  const running = bench.send("/", { body: "running\n" });
  await until(() => existsSync(join(bench.folder, "started")), "the script runs");
  const waiting = bench.send("/", { body: "waiting\n" });
  await until(async () => (await bench.send("/", { body: "third\n" })).status === 429, "the second waits");
  const stopped = bench.servers.stop(30_000);
  assert.equal((await waiting).status, 503);
  writeScript(join(bench.folder, "go"), "");
  assert.equal((await running).status, 200);
  await stopped;
  await assert.rejects(bench.send("/", { body: "late" }));
  assert.deepEqual(bench.inbox.texts(), ["running"]);
});

test("a script that does not end in the drain's time is cut, and its caller told to come again", async (t) => {
  const bench = await startInbound(t, { script: `#!/bin/sh\necho x > "$(dirname "$0")/started"\nsleep 60\n` });
  const running = bench.send("/", { body: "x" });
  await until(() => existsSync(join(bench.folder, "started")), "the script runs");
  await bench.servers.stop(10);
  const { status, headers } = await running;
  assert.deepEqual([status, Number(headers.get("retry-after")) > 0], [503, true]);
});

test("each hook has an address that its sender can use", async (t) => {
  const bench = await startInbound(t, { hooks: [{}, { path: "/ci/build", verify: "bearer", secret: SECRET }] });
  assert.deepEqual(bench.servers.addresses, [
    { name: "hook0", url: `${bench.url}/`, verify: "none" },
    { name: "hook1", url: `${bench.url}/ci/build`, verify: "bearer" },
  ]);
  const statuses = await Promise.all(
    bench.servers.addresses.map(async ({ url }) => (await fetch(url, { method: "POST", body: "x" })).status),
  );
  assert.deepEqual(statuses, [200, 401]);
});

/** Sends lines as they are; gives everything that came back when the connection ended. */
async function raw(bench: InboundBench, lines: readonly string[]): Promise<string> {
  const socket = connect(bench.port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
  socket.on("error", () => undefined);
  socket.write(lines.join("\r\n"));
  await new Promise((resolve) => socket.once("close", resolve));
  return answer;
}
