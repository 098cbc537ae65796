/** The platform `slack`: which messages arrive, and how. */
import test from "node:test";
import assert from "node:assert/strict";
import { readableText, withoutMention } from "#gateway/adapters/slack/text";
import { until } from "../../helpers/poll.ts";
import { BOT_ID, BOT_USER, CHANNEL, userProfile } from "../../helpers/slack-events.ts";
import { startBench, type Bench } from "./slack-bench.ts";

/** The texts of all that arrived, once nothing is on its way. */
async function arrived({ server, inbox }: Bench): Promise<readonly string[]> {
  await until(() => server.socket.pending === 0, "everything is acknowledged");
  return inbox.texts;
}

test("a direct message arrives with its source and is acknowledged; a thread below it is a conversation", async (t) => {
  const { server, inbox } = await startBench(t);
  const { ts } = server.say("hello");
  server.say("in a thread", { thread_ts: ts, parent_user_id: "U042" });
  await inbox.count(2);
  const source = { platform: "slack", chat_type: "dm", chat_id: "D042", user_id: "U042", thread_id: null };
  const message = { text: "hello", source, message_id: `D042:${ts}`, internal: false };
  assert.deepEqual(inbox.received[0]?.message, message);
  assert.deepEqual(inbox.received[1]?.message.source, { ...source, thread_id: ts });
  await until(() => server.socket.pending === 0, "they are acknowledged");
});

test("a mention comes as two events and arrives once, without the mention, in a thread below it", async (t) => {
  const bench = await startBench(t);
  const { ts } = bench.server.mention("what is this?");
  assert.deepEqual(await arrived(bench), ["what is this?"]);
  assert.deepEqual(bench.inbox.received[0]?.message, {
    text: "what is this?",
    speaker: "Ada Lovelace (@ada)",
    source: { platform: "slack", chat_type: "thread", chat_id: CHANNEL, user_id: "U042", thread_id: ts },
    message_id: `${CHANNEL}:${ts}`,
    internal: false,
  });
});

test("in a channel it listens in its own threads, and elsewhere to mentions only", async (t) => {
  const bench = await startBench(t);
  const { server, inbox } = bench;
  const inChannel = { channel: CHANNEL, channel_type: "channel" };
  const { ts: started } = server.mention("begin");
  server.say("not for it", inChannel);
  server.say("in its thread", { ...inChannel, thread_ts: started, parent_user_id: "U042" });
  server.say("below its own message", { ...inChannel, thread_ts: "1.2", parent_user_id: BOT_USER });
  const { ts: foreign } = server.say("a plan", { ...inChannel, user: "U7" });
  server.say("between others", { ...inChannel, thread_ts: foreign, parent_user_id: "U7" });
  server.mention("what do you think?", { thread_ts: foreign, parent_user_id: "U7" });
  server.say("still between others", { ...inChannel, thread_ts: foreign, parent_user_id: "U7" });
  assert.deepEqual(
    (await arrived(bench)).toSorted(),
    ["begin", "in its thread", "below its own message", "what do you think?"].toSorted(),
  );
  const foreignMention = inbox.received.find(({ message }) => message.text === "what do you think?")?.message;
  assert.equal(foreignMention?.source.thread_id, foreign);
  assert.deepEqual(foreignMention?.reply_to, { speaker: "U7", text: "a plan" });
});

test("group direct messages and private channels are channels", async (t) => {
  const { server, inbox } = await startBench(t);
  server.mention("hello", { channel: "G5", channel_type: "mpim" });
  await inbox.count(1);
  assert.equal(inbox.received[0]?.message.source.chat_type, "thread");
});

test("bots, itself, edits, deletions and notices of Slack are ignored", async (t) => {
  const bench = await startBench(t);
  const { server, adapter } = bench;
  for (const fields of [
    { bot_id: "B7" },
    { subtype: "bot_message", bot_id: "B7", user: undefined },
    { user: BOT_USER, bot_id: BOT_ID },
    { user: BOT_USER },
    { user: "USLACKBOT" },
    { subtype: "message_changed", hidden: true, message: { text: "x" } },
    { subtype: "message_deleted", hidden: true },
    { subtype: "channel_join" },
    { subtype: "assistant_app_thread" },
    { user: undefined },
    { ts: undefined },
    { channel: 5 },
  ]) {
    server.say(`<@${BOT_USER}> ignored`, fields);
  }
  // What it writes and updates comes back to it.
  await adapter.send("D042", "my own words");
  assert.deepEqual(await arrived(bench), []);
});

test("users' texts are read as people see them", () => {
  const names = (id: string) => ({ U1: "Ada (@ada)" })[id] ?? id;
  const cases: readonly (readonly [string, string])[] = [
    ["<@U1> and <@U2|bob>", "@Ada (@ada) and @U2"],
    ["a &lt;b&gt; &amp;amp;", "a <b> &amp;"],
    ["in <#C1|general> and <#C2>", "in #general and #C2"],
    ["<!here> <!subteam^S1|@team> <!subteam^S2> <!date^1^{date}|today>", "@here @team @S2 today"],
    ["<https://example.com>", "https://example.com"],
    ["<http://example.com|example.com>", "http://example.com"],
    ["<https://example.com/a?b=1&amp;c=2|the page>", "the page (https://example.com/a?b=1&c=2)"],
    ["<mailto:a@example.com|a@example.com>", "a@example.com"],
    ["`code` *bold*", "`code` *bold*"],
  ];
  for (const [text, read] of cases) assert.equal(readableText(text, names), read);
  assert.equal(withoutMention(`<@${BOT_USER}> hi`, BOT_USER), "hi");
  assert.equal(withoutMention(`ask <@${BOT_USER}|hermes> about it`, BOT_USER), "ask about it");
});

test("commands: by the slash command, behind a mention, and after a space", async (t) => {
  const bench = await startBench(t);
  const { server, inbox } = bench;
  server.command("");
  server.command("status");
  server.command("  new  idea ");
  server.command("what is new?");
  server.command("/approve", { channel_id: CHANNEL, channel_name: "general" });
  server.say(" /new");
  server.mention("/status");
  const expected = ["/help", "/status", "/new  idea", "what is new?", "/new", "/approve", "/status"];
  assert.deepEqual((await arrived(bench)).toSorted(), expected.toSorted());
  const inChannel = inbox.received.find(({ message }) => message.text === "/approve")?.message;
  assert.deepEqual(inChannel?.source, {
    platform: "slack",
    chat_type: "group",
    chat_id: CHANNEL,
    user_id: "U042",
    thread_id: null,
  });
  const ids = inbox.received.map(({ message }) => message.message_id);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(server.callsOf("users.info"), [], "commands do not wait for names");
  await until(() => server.socket.pending === 0, "they are acknowledged");
});

test("an envelope twice, and one whose acknowledgement was lost, arrive once", async (t) => {
  const bench = await startBench(t);
  const { server } = bench;
  server.socket.twice = true;
  server.say("twice");
  server.command("status");
  server.socket.twice = false;
  await until(() => server.socket.pending === 0, "they are acknowledged");
  server.socket.lostAcknowledgements = 1;
  server.say("repeated");
  await until(() => server.socket.repeated === 1 && server.socket.pending === 0, "it is delivered again");
  assert.deepEqual((await arrived(bench)).toSorted(), ["/status", "repeated", "twice"]);
});

test("frames of no known form, and events of no known form, do no harm", async (t) => {
  const bench = await startBench(t);
  const { server } = bench;
  const frames = ["", "null", "3", "{", "[]", '{"type":5}', '{"type":"events_api","envelope_id":"x"}'];
  for (const frame of [
    ...frames,
    '{"type":"events_api","envelope_id":"y","payload":{"event":null}}',
    '{"type":"news"}',
  ]) {
    server.socket.send(frame);
  }
  server.socket.event({ type: "message" });
  server.socket.event({ type: "reaction_added", user: "U042" });
  server.socket.deliver("interactive", { type: "block_actions", actions: [null] });
  server.socket.deliver("interactive", { type: "view_submission" });
  server.socket.deliver("slash_commands", { text: "x" });
  assert.deepEqual(await arrived(bench), []);
  assert.equal(server.socket.opened, 1);
});

test("a mention without words is answered with a sentence, one with a shared message is not", async (t) => {
  const { server, inbox } = await startBench(t);
  server.mention("");
  const shared = { is_msg_unfurl: true, author_id: "U042", author_name: "ada", text: "ship it &amp; go" };
  server.say("is this right?", { attachments: [{ title: "a link" }, shared] });
  await inbox.count(2);
  const [empty, asked] = ["", "is this right?"].map((text) =>
    inbox.received.find(({ message }) => message.text === text),
  );
  assert.match(empty?.message.unreadable ?? "", /^Please write/);
  assert.deepEqual(asked?.message.reply_to, { speaker: "Ada Lovelace (@ada)", text: "ship it & go" });
});

test("names are asked for once, and an app without the scope gets ids", async (t) => {
  const { server, inbox } = await startBench(t);
  server.users.set("U7", userProfile("U7", { name: "bob", real_name: "", profile: {} }));
  for (let count = 0; count < 3; count++) server.mention("hello", { user: "U7" });
  server.mention("hello <@U042> and <@U99>", { user: "U7" });
  await inbox.count(4);
  assert.equal(inbox.received[0]?.message.speaker, "bob");
  assert.equal(inbox.texts[3], "hello @Ada Lovelace (@ada) and @U99");
  assert.equal(server.callsOf("users.info").filter(({ body }) => body["user"] === "U7").length, 1);
  server.scopes = server.scopes.filter((scope) => scope !== "users:read");
  server.mention("hello", { user: "U5" });
  await inbox.count(5);
  server.mention("hello", { user: "U6" });
  await inbox.count(6);
  assert.deepEqual(
    inbox.received.slice(4).map(({ message }) => message.speaker),
    ["U5", "U6"],
  );
  const asked = server.callsOf("users.info").map(({ body }) => body["user"]);
  assert.deepEqual(
    asked.filter((user) => user === "U5" || user === "U6"),
    ["U5"],
  );
});

test("messages keep their order, also when one of them waits for Slack", async (t) => {
  const { server, inbox } = await startBench(t, { timing: { lookupMs: 500 } });
  server.misbehave("users.info", "hang");
  for (let count = 0; count < 60; count++) {
    const channel = `C${count % 3}`;
    server.mention(`word-${count}`, { channel, user: count === 0 ? "U77" : "U042" });
  }
  await inbox.count(60);
  for (const channel of ["C0", "C1", "C2"]) {
    const texts = inbox.received
      .filter(({ message }) => message.source.chat_id === channel)
      .map(({ message }) => message.text);
    assert.deepEqual(
      texts,
      texts.toSorted((one, other) => Number(one.slice(5)) - Number(other.slice(5))),
    );
  }
});

test("files are named to the model, and images come from Slack's hosts with the token", async (t) => {
  const { server, inbox, lines } = await startBench(t);
  server.files.set("/files/a.png", Buffer.from("a PNG"));
  const image = { name: "a.png", mimetype: "image/png", size: 5, url_private: `${server.url}/files/a.png` };
  const pdf = { name: "b.pdf", mimetype: "application/pdf", size: 2048, url_private: "https://files.slack.com/b.pdf" };
  server.say("look", { subtype: "file_share", files: [image, pdf] });
  server.say("", { subtype: "file_share", files: [image] });
  server.say("before the next");
  await inbox.count(3);
  const [both, alone, last] = inbox.received.map(({ message }) => message);
  const data = Buffer.from("a PNG").toString("base64");
  assert.deepEqual(both?.images, [{ media_type: "image/png", data }]);
  assert.match(
    both?.text ?? "",
    /^look\n\n\(Sent with this message: a\.png \(image\/png, 5 bytes\); b\.pdf \(application\/pdf, 2\.0 KB\)/,
  );
  assert.deepEqual(alone?.images?.length, 1);
  assert.equal(last?.text, "before the next");

  const elsewhere = server.url.replace("127.0.0.1", "localhost");
  server.say("a trap", { files: [{ ...image, url_private: `${elsewhere}/files/a.png` }] });
  server.say("gone", { files: [{ ...image, url_private: `${server.url}/files/gone.png` }] });
  server.say("large", { files: [{ ...image, size: 6_000_000 }] });
  await inbox.count(6);
  assert.deepEqual(
    inbox.received.slice(3).map(({ message }) => message.images),
    [undefined, undefined, undefined],
  );
  assert.equal(server.fileRequests.length, 3, "the token went nowhere else");
  assert.match(lines.join("\n"), /an image could not be loaded: the file is not at Slack/);
  assert.match(lines.join("\n"), /the app may not load the file; it needs the scope files:read/);
});

test("a pressed button is a message of the user who pressed, in the conversation of the question", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  const buttons = { choices: [{ label: "Approve", message: "/approve 1a2b" }], until: new AbortController().signal };
  await adapter.send(CHANNEL, "may I?", { thread_id: "1.5", buttons });
  await adapter.send("D042", "may I?", { buttons });
  const [inThread, direct] = server.messages;
  server.press(inThread!, "Approve", "U7");
  server.press(direct!, "Approve");
  await inbox.count(2);
  const messages = inbox.received.map(({ message }) => message);
  const first = messages.find(({ source }) => source.chat_id === CHANNEL);
  const second = messages.find(({ source }) => source.chat_id === "D042");
  const place = { platform: "slack", chat_id: CHANNEL, user_id: "U7", chat_type: "thread", thread_id: "1.5" };
  assert.deepEqual([first?.text, first?.source], ["/approve 1a2b", place]);
  assert.deepEqual([second?.source.chat_type, second?.source.thread_id], ["dm", null]);
  assert.notEqual(first?.message_id, second?.message_id);
});
