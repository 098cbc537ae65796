/** `discord`: what the adapter takes from Discord's events. */
import test from "node:test";
import assert from "node:assert/strict";
import { ChannelType, MessageType } from "discord-api-types/v10";
import { z } from "zod";
import { platformsSchema } from "#core/home/platform-settings";
import { apiAddresses } from "#gateway/adapters/discord/api-root";
import { tokenProblem } from "#gateway/adapters/discord/settings";
import { discordSetup } from "#gateway/adapters/discord/setup";
import { buttonsOf, TOKEN, type DiscordServer } from "../../helpers/discord-server.ts";
import {
  ADA,
  BOB,
  BOT,
  BOT_ID,
  BOT_ROLE_ID,
  directChannel,
  GENERAL_ID,
  GUILD_ID,
} from "../../helpers/discord-shapes.ts";
import type { TestInbox } from "../../helpers/inbox.ts";
import { until } from "../../helpers/poll.ts";
import { makeBench, startBench } from "./discord-bench.ts";

const MENTION = `<@${BOT_ID}>`;
const END = "the end";
const inGeneral = { channel: GENERAL_ID };

/** Says something for the bot and waits for it: what was said before has been looked at then. */
async function settle(server: DiscordServer, inbox: TestInbox): Promise<void> {
  const before = inbox.received.length;
  server.say(`${MENTION} ${END}`, inGeneral);
  server.say(END);
  await until(() => inbox.texts.slice(before).filter((text) => text === END).length === 2, "the end came");
}

function textsBefore(inbox: TestInbox): readonly string[] {
  return inbox.texts.filter((text) => text !== END);
}

test("a direct message arrives, and its answer goes to its channel", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  const id = server.say("hello");
  await inbox.count(1);
  const chat_id = directChannel(ADA);
  assert.deepEqual(inbox.received[0]?.message, {
    text: "hello",
    source: { platform: "discord", chat_type: "dm", chat_id, user_id: ADA.id, thread_id: null },
    message_id: id,
    internal: false,
  });
  await adapter.send(chat_id, "hi");
  assert.deepEqual(server.textsIn(chat_id), ["hi"]);
});

test("in a server: mentions and replies are for the bot, the mention is removed, others are ignored", async (t) => {
  const { server, inbox } = await startBench(t);
  server.say("just talking", inGeneral);
  server.say(`hello <@${BOB.id}>`, { ...inGeneral, fields: { mentions: [BOB] } });
  server.say(`${MENTION} help <@${BOB.id}>`, { ...inGeneral, fields: { mentions: [BOT, BOB] } });
  server.say(`<@!${BOT_ID}> /new`, inGeneral);
  const original = { id: "1", channel_id: GENERAL_ID, content: "Shall I?", author: BOT };
  const reply = { type: MessageType.Reply, referenced_message: original, member: { nick: "Lady Ada" } };
  server.say("yes", { ...inGeneral, fields: reply });
  const other = { ...original, content: "no", author: BOB };
  server.say("no!", { ...inGeneral, fields: { type: MessageType.Reply, referenced_message: other } });
  await settle(server, inbox);
  const [help, fresh, yes] = inbox.received.map(({ message }) => message).filter(({ text }) => text !== END);
  assert.deepEqual(textsBefore(inbox), ["help @bob", "/new", "yes"]);
  assert.deepEqual(help?.source, {
    platform: "discord",
    chat_type: "group",
    chat_id: GENERAL_ID,
    user_id: ADA.id,
    thread_id: null,
  });
  assert.equal(help?.speaker, "Ada L. (@ada)");
  assert.equal(fresh?.source.chat_type, "group");
  assert.deepEqual([yes?.speaker, yes?.reply_to], ["Lady Ada (@ada)", { speaker: "you", text: "Shall I?" }]);
});

test("the bot's role is a mention, too, and another role is none", async (t) => {
  const { server, inbox } = await startBench(t);
  server.say("<@&9191919191919191919> you", { ...inGeneral, fields: { mention_roles: ["9191919191919191919"] } });
  server.say(`<@&${BOT_ROLE_ID}> you there`, { ...inGeneral, fields: { mention_roles: [BOT_ROLE_ID] } });
  await settle(server, inbox);
  assert.deepEqual(textsBefore(inbox), ["you there"]);
  assert.equal(server.callsOf("GET /guilds/:id/roles").length, 1);
});

test("threads: the bot's own and those opened from its messages need no mention", async (t) => {
  const { server, adapter, inbox } = await makeBench(t);
  const own = server.addThread({ owner_id: BOT_ID });
  await adapter.start(inbox);
  await adapter.send(GENERAL_ID, "an answer of mine");
  const answer = server.answersIn(GENERAL_ID)[0]!;
  const opened = server.addThread({ id: answer.id, owner_id: ADA.id });
  const foreign = server.addThread({ id: server.say("a message of mine", inGeneral), owner_id: ADA.id });
  for (const { id } of [own, opened, foreign]) {
    server.say(`in ${id}`, { channel: id });
    server.say(`more in ${id}`, { channel: id });
  }
  server.say(`${MENTION} asked`, { channel: foreign.id });
  await inbox.count(5);
  await settle(server, inbox);
  const threadOf = new Map(inbox.received.map(({ message: { text, source } }) => [text, source.thread_id]));
  for (const { id } of [own, opened]) {
    assert.deepEqual([threadOf.get(`in ${id}`), threadOf.get(`more in ${id}`)], [id, id]);
  }
  assert.equal(threadOf.get("asked"), foreign.id);
  assert.ok(inbox.received.slice(0, 5).every(({ message: { source } }) => source.chat_id === GENERAL_ID));
  assert.equal(inbox.received[0]?.message.source.chat_type, "thread");
  // Asked once each: who started a thread does not change.
  assert.equal(server.callsOf("GET /channels/:id/messages/:id").length, 2);
});

test("allowed_channels holds for servers, for threads by their channel, and not for direct messages", async (t) => {
  const elsewhere = "3434343434343434343";
  const { server, inbox } = await startBench(t, { allowed_channels: [GENERAL_ID] });
  server.addChannel({ id: elsewhere, type: ChannelType.GuildText, guild_id: GUILD_ID });
  const thread = server.addThread();
  const other = server.addThread({ parent_id: elsewhere, owner_id: BOT_ID });
  server.say(`${MENTION} elsewhere`, { channel: elsewhere });
  server.say(`${MENTION} in a thread elsewhere`, { channel: other.id });
  server.say(`${MENTION} in a thread`, { channel: thread.id });
  await settle(server, inbox);
  await until(() => inbox.texts.includes("in a thread"), "the thread's message");
  assert.equal(inbox.received.length, 3);
  const declined = server.command("new", null, { channel: elsewhere });
  await until(() => server.interactions.get(declined)?.acknowledged === 4, "it is declined");
  assert.match(JSON.stringify(server.callsOf("POST /interactions/:id/:token/callback")[0]?.body), /I don't answer/);
});

test("bots, ourselves, webhooks, Discord's own messages, edits and deletions are ignored", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  await adapter.send(directChannel(ADA), "mine");
  const bot = { ...BOB, bot: true };
  server.say(`${MENTION} from a bot`, { ...inGeneral, user: bot });
  server.say("from a webhook", { fields: { webhook_id: "1" } });
  server.say("joined", { fields: { type: MessageType.UserJoin } });
  server.gateway.dispatch("MESSAGE_UPDATE", {
    id: "1",
    channel_id: directChannel(ADA),
    content: "edited",
    author: ADA,
  });
  server.gateway.dispatch("MESSAGE_DELETE", { id: "1", channel_id: directChannel(ADA) });
  server.gateway.dispatch("SOMETHING_NEW", { id: "1" });
  await settle(server, inbox);
  assert.deepEqual(textsBefore(inbox), []);
});

test("events of an unknown form cost nothing but themselves", async (t) => {
  const { server, inbox } = await startBench(t);
  for (const d of [{}, { author: {} }, { author: ADA }, { author: ADA, channel_id: "7", mentions: 3, content: "x" }]) {
    server.gateway.dispatch("MESSAGE_CREATE", d);
    server.gateway.dispatch("INTERACTION_CREATE", d);
    server.gateway.dispatch("GUILD_CREATE", d);
  }
  server.gateway.dispatch("INTERACTION_CREATE", { id: "1", token: "t", type: 9, channel_id: "1", user: ADA });
  await settle(server, inbox);
  assert.deepEqual(textsBefore(inbox), []);
});

test("files are named with type and size, images are loaded before the next message", async (t) => {
  const { server, inbox } = await startBench(t);
  server.files.set("/files/cat.png", Buffer.from("a PNG"));
  const cat = { filename: "cat.png", content_type: "image/png", size: 5, url: `${server.url}/files/cat.png` };
  const report = { filename: "report.pdf", content_type: "application/pdf", size: 2048, url: `${server.url}/no` };
  const huge = { ...cat, filename: "huge.png", size: 9_000_000 };
  server.say("look", { fields: { attachments: [cat, report, huge] } });
  server.say("", { fields: { attachments: [cat] } });
  server.say("", { fields: { sticker_items: [{ id: "1", name: "Wave", format_type: 1 }] } });
  server.say("/new", { fields: { attachments: [cat] } });
  server.say("", { fields: { embeds: [{}] } });
  await inbox.count(5);
  const [look, alone, sticker, command, nothing] = inbox.received.map(({ message }) => message);
  assert.match(look!.text, /^look\n\n\(Sent with this message: cat\.png \(image\/png, 5 bytes\); report\.pdf /);
  assert.match(look!.text, /report\.pdf \(application\/pdf, 2\.0 KB\); huge\.png \(image\/png, 8\.6 MB\)/);
  const data = Buffer.from("a PNG").toString("base64");
  assert.deepEqual(look!.images, [{ media_type: "image/png", data }]);
  assert.deepEqual([alone?.images?.length, alone?.unreadable], [1, undefined]);
  assert.equal(sticker?.text, "(Sent as a sticker: Wave.)");
  assert.deepEqual([command?.text, command?.images], ["/new", undefined]);
  assert.match(nothing?.unreadable ?? "", /^I can't read messages of this kind/);
});

test("an image that cannot be loaded is said to the model; one that grew on the way is not loaded", async (t) => {
  const { server, inbox, lines } = await startBench(t);
  server.files.set("/files/grown.png", Buffer.alloc(6_000_000));
  const image = { filename: "a.png", content_type: "image/png", size: 5 };
  server.say("gone", { fields: { attachments: [{ ...image, url: `${server.url}/files/gone` }] } });
  server.say("grown", { fields: { attachments: [{ ...image, url: `${server.url}/files/grown.png` }] } });
  await inbox.count(2);
  for (const text of inbox.texts) assert.match(text, /could not be loaded/);
  assert.match(lines.join("\n"), /an image could not be loaded: no file \(404\)/);
});

test("texts are read as they are: emoji, 4,000 characters, forwarded messages, mentions of nothing", async (t) => {
  const { server, inbox } = await startBench(t);
  const long = "x".repeat(4000);
  server.say("😀🎉");
  server.say(long);
  server.say("<a:dance:123> <:ok:456>");
  server.say("    indented\n\n  code");
  const snapshot = { message: { content: "the original", attachments: [] } };
  server.say("", { fields: { message_snapshots: [snapshot] } });
  await inbox.count(5);
  server.say(`${MENTION} `, inGeneral);
  await inbox.count(6);
  assert.deepEqual(inbox.texts.slice(0, 4), ["😀🎉", long, ":dance: :ok:", "indented\n\n  code"]);
  assert.equal(inbox.texts[4], "(Forwarded:)\nthe original");
  assert.match(inbox.received[5]?.message.unreadable ?? "", /^Yes\?/);
});

test("messages of a channel keep their order while it is looked up, and other channels do not wait", async (t) => {
  const { server, inbox } = await startBench(t);
  const slow = server.addThread({ id: "8181818181818181818" });
  server.misbehave("GET /channels/:id", "hang");
  for (let count = 0; count < 5; count++) server.say(`${MENTION} slow ${count}`, { channel: slow.id });
  server.say("quick");
  await inbox.count(1);
  assert.deepEqual(inbox.texts, ["quick"]);
  const looked = server.addThread({ id: "8282828282828282828" });
  const said = Array.from({ length: 5 }, (_, count) => `looked ${count}`);
  for (const text of said) server.say(`${MENTION} ${text}`, { channel: looked.id });
  await inbox.count(6);
  assert.deepEqual(inbox.texts.slice(1), said);
});

test("100 messages at once are handed over in order, without waiting for a turn", async (t) => {
  const { server, inbox } = await startBench(t);
  inbox.answering = () => new Promise(() => undefined);
  const users = [ADA, BOB];
  for (let count = 0; count < 100; count++) server.say(`message ${count}`, { user: users[count % 2]! });
  await inbox.count(100);
  assert.deepEqual(
    inbox.texts,
    Array.from({ length: 100 }, (_, count) => `message ${count}`),
  );
});

test("commands from Discord's list: acknowledged, answered in the chat, and nothing is left thinking", async (t) => {
  const { server, inbox } = await startBench(t);
  const answered = Promise.withResolvers<void>();
  inbox.answering = () => answered.promise;
  const token = server.command("model", " gpt ", { channel: GENERAL_ID });
  await inbox.count(1);
  const { message } = inbox.received[0]!;
  assert.equal(message.text, "/model gpt");
  assert.deepEqual(
    [message.source.chat_type, message.source.chat_id, message.source.user_id],
    ["group", GENERAL_ID, ADA.id],
  );
  assert.notEqual(message.message_id, "");
  await until(() => server.interactions.get(token)?.original === "thinking", "it is acknowledged");
  answered.resolve();
  await until(() => server.interactions.get(token)?.original === "deleted", "nothing is left");
});

test("a command is answered although its acknowledgement fails", async (t) => {
  const { server, inbox, lines } = await startBench(t);
  server.misbehave("POST /interactions/:id/:token/callback", {
    status: 404,
    body: { message: "Unknown", code: 10_062 },
  });
  server.command("new");
  await inbox.count(1);
  assert.equal(inbox.texts[0], "/new");
  await until(() => lines.some((line) => line.includes("could not be acknowledged: Unknown (10062)")), "it is logged");
});

test("a press of a button is a message of who presses, and is acknowledged", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  const until_ = new AbortController();
  const choices = [
    { label: "Approve", message: "/approve k3f9ab", style: "primary" as const },
    { label: "Deny", message: "/deny k3f9ab", style: "danger" as const },
  ];
  await adapter.send(GENERAL_ID, "Shall I?", { buttons: { choices, until: until_.signal } });
  const [question] = server.answersIn(GENERAL_ID);
  assert.deepEqual(
    buttonsOf(question!).map(({ label, style }) => [label, style]),
    [
      ["Approve", 1],
      ["Deny", 4],
    ],
  );
  const token = server.press(question!, "Approve", BOB);
  await inbox.count(1);
  const { text, source, message_id: id } = inbox.received[0]!.message;
  assert.deepEqual([text, source.user_id, source.chat_id], ["/approve k3f9ab", BOB.id, GENERAL_ID]);
  assert.equal(id, server.interactions.get(token)?.id);
  await until(() => server.interactions.get(token)?.acknowledged === 6, "it is acknowledged");
  until_.abort();
  await until(() => buttonsOf(question!).length === 0, "the buttons are removed");
  assert.equal(question!.content, "```\nShall I?\n```", "a question is shown as it is");
  const { id: unknown, token: other, ...rest } = { id: "1", token: "interaction-1" };
  server.interact({
    ...rest,
    id: unknown,
    token: other,
    type: 3,
    channel_id: GENERAL_ID,
    user: ADA,
    data: { custom_id: "theirs" },
  });
  await settle(server, inbox);
  assert.equal(inbox.received.length, 3);
});

test("typing is shown in the chat or thread of a message while it is dealt with, and no longer", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  const answered = Promise.withResolvers<void>();
  inbox.answering = () => answered.promise;
  const thread = server.addThread({ owner_id: BOT_ID });
  server.say("work", { channel: thread.id });
  const typing = () => server.callsOf("POST /channels/:id/typing");
  await until(() => typing().length >= 3, "typing is shown again and again");
  assert.equal(typing()[0]?.path, `/channels/${thread.id}/typing`);
  answered.resolve();
  await adapter.stop();
});

test("the addresses of a root: Discord's path or none, or the path that it has", () => {
  const apis = (root: string) => apiAddresses(root).map(({ api, version }) => `${api} ${version}`);
  assert.deepEqual(apis("https://discord.com"), ["https://discord.com/api 10", "https://discord.com 10"]);
  assert.deepEqual(apis("http://127.0.0.1:8/"), ["http://127.0.0.1:8/api 10", "http://127.0.0.1:8 10"]);
  assert.deepEqual(apis("http://host/discord/"), ["http://host/discord 10"]);
  assert.deepEqual(apis("http://host/api/v10/"), ["http://host/api 10"]);
  assert.deepEqual(apis("http://host/v9"), ["http://host 9"]);
});

test("what is no bot's token is told apart by its form", () => {
  assert.equal(tokenProblem("MTEx.abc.def-_9"), undefined);
  assert.match(tokenProblem("Bot MTEx.abc.def") ?? "", /Leave out the word Bot/);
  assert.match(tokenProblem("1111111111111111111") ?? "", /three parts/);
});

test("setup: names the bot, and says how to add it and what is still off", async (t) => {
  const { server } = await makeBench(t);
  const { account, notes } = await discordSetup.check({ token: TOKEN }, server.url);
  assert.equal(account, "@HermesTestBot");
  assert.match(
    notes.join("\n"),
    /^To add the bot to a server, open https:\/\/discord\.com\/oauth2\/authorize\?client_id=1{19}&/,
  );
  server.flags = 0;
  const { notes: more } = await discordSetup.check({ token: TOKEN }, server.url);
  assert.match(more[1] ?? "", /^Switch on Message Content Intent at https:/);
});

test("ids that YAML rounds are refused with what to do", () => {
  const schema = platformsSchema(z);
  const users = (id: unknown) => schema.safeParse({ discord: { allowed_users: [id] } });
  assert.deepEqual([users("123456789012345678").success, users(42).success], [true, true]);
  assert.match(String(users(Number("123456789012345678")).error?.message), /needs quotes/);
});
