/** `whatsapp`: sending, in pieces, with buttons, through failures. */
import test from "node:test";
import assert from "node:assert/strict";
import { piecesOf } from "#gateway/adapters/whatsapp/text-form";
import { until } from "../../helpers/poll.ts";
import { APP_SECRET, messageOf } from "../../helpers/whatsapp-webhooks.ts";
import { TOKEN, type CallKind, type GraphMisbehaviour } from "../../helpers/whatsapp-server.ts";
import { startBench } from "./whatsapp-bench.ts";

const CHOICES = [
  { label: "Approve", message: "/approve k3f9ab", style: "primary" },
  { label: "Approve all", message: "/approve all k3f9ab" },
  { label: "Deny", message: "/deny k3f9ab", style: "danger" },
] as const;

const buttons = () => ({ choices: CHOICES, until: new AbortController().signal });

test("an answer is a text message to its user", async (t) => {
  const { server, adapter } = await startBench(t);
  await adapter.send("491701234567", "hello");
  await adapter.send("491701234567", " \n ");
  assert.deepEqual(
    server.callsOf("text").map(({ path, authorization, body }) => ({ path, authorization, body })),
    [
      {
        path: "/v25.0/106540352242922/messages",
        authorization: `Bearer ${TOKEN}`,
        body: {
          messaging_product: "whatsapp",
          recipient_type: "individual",
          to: "491701234567",
          type: "text",
          text: { body: "hello", preview_url: false },
        },
      },
    ],
  );
  assert.equal(adapter.draft, undefined);
});

test("Markdown becomes WhatsApp's own", () => {
  const markdown = [
    "# Title **here**",
    "**bold**, *italic*, ~~gone~~, `code`, ``a`b`` and snake_case_name",
    "**two\nlines**",
    "- one\n- two\n  - three\n\n3. four\n4. five",
    "> quoted\n> text",
    "```ts\nconst a = '**b**';\n```",
    "[docs](https://example.com/a_b) https://example.com/x_y <ada@example.com> ![a cat](https://example.com/c.png)",
    "| a | b |\n|---|--:|\n| 1 | 20 |",
  ].join("\n\n");
  assert.deepEqual(piecesOf(markdown, undefined), [
    [
      "*Title here*",
      "*bold*, _italic_, ~gone~, `code`, ```a`b``` and snake_case_name",
      "*two*\n*lines*",
      "• one\n• two\n  • three",
      "3. four\n4. five",
      "> quoted\n> text",
      "```\nconst a = '**b**';\n```",
      "docs (https://example.com/a_b) https://example.com/x_y ada@example.com a cat (https://example.com/c.png)",
      "```\na   b\n-  --\n1  20\n```",
    ].join("\n\n"),
  ]);
});

test("long texts go in pieces, in order, with code blocks whole; emoji stay whole", async (t) => {
  const { server, adapter } = await startBench(t);
  const lines = Array.from({ length: 900 }, (_, index) => `line ${index} of a long answer`);
  const code = `\`\`\`\n${"x = 1\n".repeat(500)}\`\`\``;
  await Promise.all([
    adapter.send("42", lines.join("\n")),
    adapter.send("42", `${"word ".repeat(700)}\n\n${code}`),
    adapter.send("42", "🦊".repeat(4000)),
    adapter.send("42", "the next answer"),
  ]);
  const texts = server.textsOf(42);
  assert.equal(texts.at(-1), "the next answer");
  assert.ok(texts.every((text) => text.length <= 4096 && text.isWellFormed()));
  const solid = texts.join("");
  assert.equal([...solid.matchAll(/🦊/gu)].length, 4000);
  assert.deepEqual([...solid.matchAll(/line \d+ of a long answer/g)].length, 900);
  assert.ok(texts.every((text) => (text.match(/^```/gm)?.length ?? 0) % 2 === 0));
  await adapter.send("42", "x".repeat(4096));
  assert.equal(server.textsOf(42).at(-1)?.length, 4096);
});

test("a question has up to three buttons that carry their messages", async (t) => {
  const { server, adapter } = await startBench(t);
  await adapter.send("42", "Run it?\n\n/approve – Yes", { buttons: buttons() });
  const { text, buttons: shown } = server.questionOf(42)!;
  assert.equal(text, "Run it?\n\n/approve – Yes");
  assert.deepEqual(
    shown.map(({ id, title }) => [id, title]),
    CHOICES.map(({ label, message }) => [message, label]),
  );
  // What the user decides by is not read as Markdown, nor by WhatsApp.
  await adapter.send("42", "command  cat __init__.py *.log", { buttons: buttons() });
  assert.equal(server.questionOf(42)?.text, "```\ncommand  cat __init__.py *.log\n```");
  const ended = new AbortController();
  ended.abort();
  await adapter.send("42", "too late", { buttons: { choices: CHOICES, until: ended.signal } });
  assert.equal(server.messages.at(-1)?.buttons.length, 0);
});

test("a question that is longer than a text with buttons may be goes first", async (t) => {
  const { server, adapter } = await startBench(t);
  const question = `Run this?\n${"a".repeat(3000)}`;
  await adapter.send("42", question, { buttons: buttons() });
  assert.deepEqual(
    server.messages.map(({ text, buttons: own }) => [text, own.length]),
    [
      [question, 0],
      ["Your answer?", 3],
    ],
  );
  await adapter.send("42", "b".repeat(1024), { buttons: buttons() });
  assert.equal(server.questionOf(42)?.text.length, 1024);
});

const RETRIED: readonly (readonly [string, GraphMisbehaviour])[] = [
  ["429 with a body", { code: 4 }],
  ["429 without a body", { status: 429 }],
  ["429 with a pause", { status: 429, headers: { "retry-after": "0" } }],
  ["the limit of the number", { code: 130_429 }],
  ["the limit of the account", { code: 80_007 }],
  ["the limit to one user", { code: 131_056 }],
  ["a server error", { code: 131_000 }],
  ["502", { status: 502 }],
  ["a page", "html"],
  ["a connection that breaks", "drop"],
];

for (const [what, way] of RETRIED) {
  test(`${what}: it is tried again, and the message sent once`, async (t) => {
    const { server, adapter } = await startBench(t);
    server.misbehave("text", way, way);
    await Promise.all([adapter.send("42", "one"), adapter.send("42", "two")]);
    assert.deepEqual(server.textsOf(42), ["one", "two"]);
    assert.equal(server.callsOf("text").length, 4);
  });
}

test("429 that asks for a long pause is left to the outbox", async (t) => {
  const { server, adapter } = await startBench(t);
  server.misbehave("text", { status: 429, headers: { "retry-after": "600" } });
  await assert.rejects(
    adapter.send("42", "hello"),
    (error: Error & { permanent?: boolean }) => error.permanent !== true,
  );
  assert.equal(server.callsOf("text").length, 1);
});

test("what never ends is given up, and nothing waits for it at the stop", async (t) => {
  const { server, adapter } = await startBench(t, { timing: { stopMs: 50 } });
  server.misbehave("text", "hang");
  const sent = adapter.send("42", "hello").then(
    () => "sent",
    () => "not sent",
  );
  await server.stop();
  await adapter.stop();
  assert.equal(await sent, "not sent");
});

const REFUSED: readonly (readonly [number, CallKind, RegExp])[] = [
  [131_047, "text", /more than 24 hours ago, and WhatsApp only accepts answers within 24 hours \(.*code 131047\)/],
  [131_026, "text", /this user cannot be reached on WhatsApp/],
  [100, "text", /\(#100\) Invalid parameter, code 100/],
  [131_030, "text", /\(#131030\) Unknown, code 131030/],
];

for (const [code, kind, problem] of REFUSED) {
  test(`${code} is refused for ever, in one sentence`, async (t) => {
    const { server, adapter, warnings } = await startBench(t);
    server.misbehave(kind, { code });
    await assert.rejects(adapter.send("42", "hello"), (error: Error & { code?: string; permanent?: boolean }) => {
      assert.equal(error.code, "HERMES_ADAPTER_SEND");
      assert.match(error.message, problem);
      return error.permanent === true;
    });
    assert.equal(server.callsOf(kind).length, 1);
    assert.deepEqual(warnings, []);
  });
}

test("a token that is revoked while it runs is said once, and so is that it works again", async (t) => {
  const { server, adapter, warnings } = await startBench(t);
  await adapter.send("42", "before");
  server.token = "another";
  for (const user of ["42", "43", "44"]) {
    const kept = (error: Error & { permanent?: boolean }) =>
      error.permanent !== true && error.message.includes("revoked");
    await assert.rejects(adapter.send(user, "hello"), kept);
  }
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0]!,
    /^whatsapp: Meta refuses messages: the token is invalid.*gateway\.platforms\.whatsapp\.token/,
  );
  server.token = TOKEN;
  await adapter.send("42", "after");
  assert.deepEqual(warnings.slice(1), ["whatsapp: Meta accepts messages again."]);
  server.misbehave("text", { code: 200, message: `no permission for ${TOKEN} of ${APP_SECRET.slice(0, 3)}` });
  await assert.rejects(adapter.send("42", "hello"), /needs whatsapp_business_messaging/);
  assert.match(warnings[2]!, /whatsapp_business_messaging \(no permission for \[redacted\]/);
});

test("a read mark that is accepted says nothing about messages that are refused", async (t) => {
  const { server, adapter, inbox, post, warnings } = await startBench(t);
  inbox.answering = () => new Promise(() => undefined);
  await post(messageOf(42, "hello"));
  server.misbehave("text", { code: 131_042, message: "(#131042) Business eligibility payment issue" });
  await assert.rejects(adapter.send("42", "hello"), /payment issue/);
  const reads = server.callsOf("read").length;
  await until(() => server.callsOf("read").length > reads, "it is typing");
  assert.equal(warnings.length, 1);
});

test("nothing is sent before the start and after the stop", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  await adapter.stop();
  await assert.rejects(adapter.send("42", "hello"), /not running/);
  assert.equal(server.messages.length, 0);
  await adapter.start(inbox);
  await adapter.send("42", "hello");
  assert.deepEqual(server.textsOf(42), ["hello"]);
});
