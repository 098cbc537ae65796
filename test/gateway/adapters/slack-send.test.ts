/** The platform `slack`: what is sent, and what happens when Slack refuses it. */
import test from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { setTimeout as sleep } from "node:timers/promises";
import { splitMarkdown } from "#gateway/adapters/slack/mrkdwn";
import { until } from "../../helpers/poll.ts";
import { CHANNEL, DIRECT } from "../../helpers/slack-events.ts";
import { startBench } from "./slack-bench.ts";

test("Markdown is written as mrkdwn", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["**bold** and *italic*, ~~gone~~ `a < b`", "*bold* and _italic_, ~gone~ `a &lt; b`"],
    ["# Title\n\ntext", "*Title*\n\ntext"],
    ["- one\n- two", "• one\n• two"],
    ["[docs](https://example.com/a?b=1&c=2)", "<https://example.com/a?b=1&amp;c=2|docs>"],
    ["[![a picture](https://a.b/c.png)](https://a.b/)", "<https://a.b/|a picture>"],
    ["see https://example.com now", "see <https://example.com> now"],
    ["```ts\nif (a < b) {}\n```", "```\nif (a &lt; b) {}\n```"],
    ["> quoted", "> quoted"],
    ["line one\nline two", "line one\nline two"],
    ["snake_case_name 2 * 3 * 4", "snake_case_name 2 * 3 * 4"],
  ];
  for (const [markdown, mrkdwn] of cases) assert.deepEqual(splitMarkdown(markdown), [mrkdwn]);
});

test("whatever the model writes, nobody is notified and no link hides its target", () => {
  for (const text of [
    "<!channel>",
    "<@U042>",
    "<!here|x>",
    "[x](!channel)",
    "[x](@U042)",
    "[<!channel>](https://a.b)",
  ]) {
    const sent = splitMarkdown(text).join("");
    assert.ok(!/<[!@#]/.test(sent), sent);
  }
  assert.deepEqual(splitMarkdown("[x](https://a.b/|<!channel)"), ["<https://a.b/%7C&lt;!channel|x>"]);
  assert.deepEqual(splitMarkdown("@channel @here"), ["@channel @here"]);
});

test("any text: pieces that Slack accepts, in which only web and mail addresses are links", () => {
  const part = fc.constantFrom(
    "<",
    ">",
    "&",
    "|",
    "!channel",
    "@U1",
    "[x](",
    ")",
    "```",
    "`",
    "**",
    "_",
    "\n",
    " ",
    "https://a.b/",
    "😀",
    "\ud83d",
    "\u200d",
    "| a |",
    "- ",
  );
  const text = fc.array(fc.oneof(part, fc.string()), { maxLength: 60 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 120 }), (words, times) => {
      for (const piece of splitMarkdown(words.repeat(times))) {
        assert.ok(piece.length <= 4000 && piece.trim() !== "" && piece.isWellFormed());
        assert.ok(!/<(?!https?:\/\/|mailto:)/i.test(piece), piece);
      }
    }),
    { numRuns: 60 },
  );
});

test("long texts come in order, in pieces of 4,000 characters that Slack accepts; code stays whole", async (t) => {
  const { server, adapter } = await startBench(t);
  const code = `\`\`\`ts\n${"const value = 1;\n".repeat(120)}\`\`\``;
  const texts = ["&".repeat(4000), "😀".repeat(4000), "x".repeat(4000), `${"word ".repeat(600)}\n\n${code}`];
  for (const text of texts) await adapter.send(DIRECT, text);
  const sent = server.textsOf(DIRECT);
  assert.ok(sent.every((text) => text.length <= 4000 && text.isWellFormed()));
  const all = sent.join("");
  assert.equal(all.match(/&amp;/g)?.length, 4000);
  assert.ok(!/&(?!amp;|lt;|gt;)/.test(all));
  assert.equal(all.match(/😀/gu)?.length, 4000);
  assert.equal(sent.filter((text) => text.includes("const value")).length, 1, "the code block is in one message");
});

test("answers go to the thread, without previews and mentions; a user's id is their direct chat", async (t) => {
  const { server, adapter } = await startBench(t);
  await adapter.send(CHANNEL, "hello", { thread_id: "1.5" });
  await adapter.send("U042", "hello");
  const [first] = server.callsOf("chat.postMessage");
  const { thread_ts: thread, unfurl_links: links, link_names: names, parse } = first?.body ?? {};
  assert.deepEqual([thread, links, names, parse], ["1.5", "false", "false", "none"]);
  assert.deepEqual(server.textsOf("D042"), ["hello"]);
});

test("calls are retried: no answer, errors of Slack, and too many calls with and without a delay", async (t) => {
  const { server, adapter } = await startBench(t);
  for (const ways of [
    ["drop", { status: 502 }, { error: "internal_error" }],
    [
      { status: 429 },
      { status: 429, retryAfter: "0", body: '{"ok":false,"error":"ratelimited"}' },
      { error: "ratelimited" },
    ],
    ["html"],
  ] as const) {
    server.misbehave("chat.postMessage", ...ways);
    await adapter.send(DIRECT, "hello");
  }
  assert.deepEqual(server.textsOf(DIRECT), ["hello", "hello", "hello"]);
  server.misbehave("chat.postMessage", { status: 429, retryAfter: "1" });
  await adapter.send(DIRECT, "patience");
  const [limited, next] = server.callsOf("chat.postMessage").slice(-2);
  assert.ok(next!.at - limited!.at >= 980, `${next!.at - limited!.at} ms`);
});

test("what will never be accepted is permanent, and says why; a token's problem is not", async (t) => {
  const { server, adapter } = await startBench(t);
  for (const [error, words] of [
    ["not_in_channel", /the bot is not in the channel; invite it there with \/invite \(not_in_channel\)/],
    ["channel_not_found", /channel_not_found/],
    ["is_archived", /the channel is archived/],
    ["msg_too_long", /msg_too_long/],
    ["restricted_action", /restricted_action/],
  ] as const) {
    server.refusals.set("C9", error);
    await assert.rejects(adapter.send("C9", "x"), { code: "HERMES_ADAPTER_SEND", permanent: true, message: words });
  }
  const before = server.callsOf("chat.postMessage").length;
  for (const error of ["token_revoked", "account_inactive", "invalid_auth"]) {
    server.misbehave("chat.postMessage", { error });
    await assert.rejects(adapter.send(DIRECT, "x"), (thrown: Error & { permanent?: true }) => {
      assert.match(thrown.message, new RegExp(error));
      return thrown.permanent === undefined;
    });
  }
  assert.equal(server.callsOf("chat.postMessage").length, before + 3, "they are not retried at once");
});

test("whoever types /hermes where the bot is not a member is told, and nobody else", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  for (const channel of ["C8", "C9"]) server.refusals.set(channel, "not_in_channel");
  server.command("hello", { channel_id: "C9", response_url: `${server.url}/response` });
  server.command("hello", { channel_id: "C8", response_url: "http://127.0.0.1:9/response" });
  await inbox.count(2);
  for (const channel of ["C9", "C8", "C9"]) await assert.rejects(adapter.send(channel, "the answer"), /not_in_channel/);
  await until(() => server.responses.length > 0, "the sentence");
  await sleep(50);
  const text = "I can't write here. Invite me to the channel with /invite, or send me a direct message.";
  assert.deepEqual(server.responses, [{ response_type: "ephemeral", text }]);
});

test("a draft is one message that grows and becomes the answer", async (t) => {
  const { server, adapter } = await startBench(t);
  const draft = adapter.draft({ chat_id: CHANNEL, thread_id: "1.5" });
  draft.update("one");
  await until(() => server.textsOf(CHANNEL).length === 1, "the first words");
  draft.update("one **two");
  await until(() => server.textsOf(CHANNEL)[0] !== "one", "an update");
  draft.update("one **two** three");
  await draft.finish(`one **two** three\n\n${"more ".repeat(900)}`);
  assert.equal(server.sentTo(CHANNEL, "1.5").length, 2);
  assert.match(server.textsOf(CHANNEL)[0]!, /^one \*two\* three/);
});

test("a draft without an answer is deleted, one that a user deleted is sent again as an answer", async (t) => {
  const { server, adapter } = await startBench(t);
  const draft = adapter.draft({ chat_id: DIRECT, thread_id: null });
  draft.update("half an answer");
  await until(() => server.textsOf(DIRECT).length === 1, "the draft");
  await draft.discard();
  await until(() => server.textsOf(DIRECT).length === 0, "it is gone");
  const other = adapter.draft({ chat_id: DIRECT, thread_id: null });
  other.update("gone");
  await until(() => server.textsOf(DIRECT).length === 1, "the draft");
  server.misbehave("chat.update", { error: "message_not_found" });
  await other.finish("the answer");
  assert.deepEqual(server.textsOf(DIRECT), ["gone", "the answer"]);
});

test("the drafts of all channels share Slack's rate of updates, and answers do not wait for it", async (t) => {
  const { server, adapter } = await startBench(t, { timing: { editMs: 5, updateMs: 60_000 } });
  const drafts = ["C1", "C2", "C3"].map((channel) => adapter.draft({ chat_id: channel, thread_id: null }));
  for (const draft of drafts) draft.update("0");
  await until(() => server.messages.length === 3, "the drafts");
  for (let count = 1; count <= 40; count++) {
    for (const draft of drafts) draft.update(String(count));
    await sleep(5);
  }
  const updates = server.callsOf("chat.update").length;
  assert.ok(updates <= 6, `${updates} updates`);
  await Promise.all(drafts.map((draft) => draft.finish("done")));
  assert.deepEqual(
    server.messages.map(({ text }) => text),
    ["done", "done", "done"],
  );
});

test("a channel gets one message a second at most", async (t) => {
  const { server, adapter } = await startBench(t, { timing: { postMs: 500 } });
  await Promise.all(["a", "b", "c"].flatMap((text) => [adapter.send("C1", text), adapter.send("C2", text)]));
  assert.deepEqual(server.textsOf("C1"), ["a", "b", "c"]);
  for (const channel of ["C1", "C2"]) {
    const at = server
      .callsOf("chat.postMessage")
      .filter(({ body }) => body["channel"] === channel)
      .map((call) => call.at);
    for (const [index, moment] of at.slice(1).entries()) assert.ok(moment - at[index]! >= 250, at.join(" "));
  }
});

test("buttons come with a question that Slack does not format, and go when it is closed", async (t) => {
  const { server, adapter } = await startBench(t);
  const closed = new AbortController();
  const choices = [
    { label: "Approve", message: "/approve 1a2b", style: "primary" },
    { label: "Deny", message: "/deny 1a2b", style: "danger" },
  ] as const;
  const text = `May I run this? rm *.txt && echo <b>\n${"x".repeat(3500)}`;
  await adapter.send(DIRECT, text, { buttons: { choices, until: closed.signal } });
  const [message] = server.messages;
  const sections = message!.blocks.filter(({ type }) => type === "section");
  assert.deepEqual(
    sections.map(({ text: shown }) => shown?.type),
    ["plain_text", "plain_text"],
  );
  assert.match(sections[0]?.text?.text ?? "", /rm \*\.txt && echo <b>/);
  const actions = message!.blocks.find(({ type }) => type === "actions");
  assert.deepEqual(
    actions?.elements?.map((one) => [one.text.text, one.value, one.style]),
    [
      ["Approve", "/approve 1a2b", "primary"],
      ["Deny", "/deny 1a2b", "danger"],
    ],
  );
  closed.abort();
  await until(() => !server.messages[0]!.blocks.some(({ type }) => type === "actions"), "the buttons are gone");
  assert.deepEqual(server.messages[0]!.blocks, sections);
});

test("in a thread a status shows that it works, and goes when it is done without an answer", async (t) => {
  const { server, inbox } = await startBench(t);
  const dealt = Promise.withResolvers<void>();
  inbox.answering = () => dealt.promise;
  const { ts } = server.mention("work");
  server.say("work");
  const statuses = () => server.callsOf("assistant.threads.setStatus").map(({ body }) => body);
  await until(() => statuses().length >= 2, "the status shows");
  assert.deepEqual(statuses()[0], { channel_id: CHANNEL, thread_ts: ts, status: "is thinking…" });
  dealt.resolve();
  await until(() => statuses().at(-1)?.["status"] === "", "it is gone");
  assert.ok(
    statuses().every((body) => body["channel_id"] === CHANNEL),
    "there is none outside threads",
  );
});

test("an app that may not show a status does not try again", async (t) => {
  const { server, inbox } = await startBench(t);
  inbox.answering = () => sleep(200);
  server.misbehave("assistant.threads.setStatus", { error: "missing_scope", needed: "assistant:write" });
  server.mention("work");
  await inbox.count(1);
  await sleep(200);
  assert.equal(server.callsOf("assistant.threads.setStatus").length, 1);
});
