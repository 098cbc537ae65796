/** `telegram`: buttons below a text, and what presses of them are. */
import test from "node:test";
import assert from "node:assert/strict";
import { pressOf } from "#gateway/adapters/telegram/updates";
import { until } from "../../helpers/poll.ts";
import { startBench } from "./telegram-bench.ts";

const CHOICES = [
  { label: "Approve", message: "/approve 0123abcd", style: "primary" },
  { label: "Approve all", message: "/approve all 0123abcd" },
  { label: "Deny", message: "/deny 0123abcd", style: "danger" },
] as const;

/** Buttons and what ends them. */
function question() {
  const answered = new AbortController();
  return { answered, buttons: { choices: CHOICES, until: answered.signal } };
}

const labelsOf = (server: Awaited<ReturnType<typeof startBench>>["server"], chat: number) =>
  [...server.messages.values()]
    .filter(({ chat_id: id }) => id === String(chat))
    .map(({ buttons }) => buttons.map(({ text }) => text));

test("a press is a message of the user who pressed; the buttons go when they have no effect any more", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  const { answered, buttons } = question();
  await adapter.send("42", "May it run?", { buttons });
  assert.deepEqual(server.callsOf("sendMessage")[0]?.body["reply_markup"], {
    inline_keyboard: [
      [
        { text: "Approve", callback_data: "/approve 0123abcd", style: "primary" },
        { text: "Approve all", callback_data: "/approve all 0123abcd" },
        { text: "Deny", callback_data: "/deny 0123abcd", style: "danger" },
      ],
    ],
  });
  const id = server.press("Approve");
  await inbox.count(1);
  assert.deepEqual(inbox.received[0]?.message, {
    text: "/approve 0123abcd",
    source: { platform: "telegram", chat_type: "dm", chat_id: "42", user_id: "42", thread_id: null },
    message_id: `press:${id}`,
    internal: false,
  });
  await until(() => server.callsOf("answerCallbackQuery").length === 1, "the press is confirmed");
  assert.equal(server.callsOf("answerCallbackQuery")[0]?.body["callback_query_id"], id);
  assert.deepEqual(labelsOf(server, 42), [["Approve", "Approve all", "Deny"]]);
  answered.abort();
  await until(() => labelsOf(server, 42)[0]?.length === 0, "the buttons are gone");
  assert.deepEqual(server.textsOf(42), ["May it run?"]);
});

test("in a group and in a topic a press is of that place, and of the user who pressed", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  await adapter.send("-100", "May it run?", { buttons: question().buttons });
  server.press("Deny", { from: { id: 7, is_bot: false, first_name: "Bob" } });
  await inbox.count(1);
  await adapter.send("-100", "And this?", { thread_id: "9", buttons: question().buttons });
  server.press("Deny");
  await inbox.count(2);
  assert.deepEqual(
    inbox.received.map(({ message: { source, speaker } }) => [
      source.chat_type,
      source.chat_id,
      source.thread_id,
      source.user_id,
      speaker,
    ]),
    [
      ["group", "-100", null, "7", "Bob"],
      ["thread", "-100", "9", "42", "Ada"],
    ],
  );
});

test("the last piece of a long text has the buttons; a button whose message is too long is left out", async (t) => {
  const { server, adapter } = await startBench(t);
  const { buttons } = question();
  const tooLong = { label: "Never", message: "/".padEnd(65, "x") };
  const line = `${"word ".repeat(20)}\n`;
  await adapter.send("42", line.repeat(60), { buttons: { ...buttons, choices: [...CHOICES, tooLong] } });
  assert.deepEqual(labelsOf(server, 42), [[], ["Approve", "Approve all", "Deny"]]);
});

test("buttons that ended before their text was sent are not shown, or go at once", async (t) => {
  const { server, adapter } = await startBench(t);
  const early = question();
  early.answered.abort();
  await adapter.send("42", "Too late", { buttons: early.buttons });
  assert.deepEqual(labelsOf(server, 42), [[]]);
  server.misbehave("sendMessage", { status: 500 });
  const meanwhile = question();
  const sent = adapter.send("42", "Answered meanwhile", { buttons: meanwhile.buttons });
  await until(() => server.callsOf("sendMessage").length === 2, "the first attempt has failed");
  meanwhile.answered.abort();
  await sent;
  await until(() => labelsOf(server, 42).every((labels) => labels.length === 0), "no buttons are left");
});

test("a server that refuses to confirm a press or to take buttons away harms nothing", async (t) => {
  const { server, adapter, inbox, lines } = await startBench(t);
  const { answered, buttons } = question();
  server.misbehave("answerCallbackQuery", { status: 400, description: "query is too old" });
  server.misbehave("editMessageReplyMarkup", { status: 400, description: "message can't be edited" });
  await adapter.send("42", "May it run?", { buttons });
  server.press("Approve");
  await inbox.count(1);
  answered.abort();
  await until(() => server.callsOf("editMessageReplyMarkup").length === 1, "it was tried");
  await adapter.send("42", "The next text");
  await until(() => lines.filter((line) => line.startsWith("debug")).length === 2, "both are logged");
  assert.ok(lines.every((line) => line.startsWith("debug")));
});

const query = { id: "1", from: { id: 7, is_bot: false }, message: { message_id: 5, chat: { id: 7, type: "private" } } };

test("which presses are messages", () => {
  const textOf = (fields: object) => pressOf({ callback_query: { ...query, data: "/deny", ...fields } })?.message?.text;
  assert.equal(textOf({}), "/deny");
  for (const fields of [
    { data: undefined },
    { data: "" },
    { data: 3 },
    { message: undefined },
    { message: {} },
    { message: { chat: { id: -5, type: "channel" } } },
    { from: undefined },
    { from: { id: 7, is_bot: true } },
  ]) {
    assert.equal(textOf(fields), undefined, JSON.stringify(fields));
  }
  for (const update of [null, 3, {}, { callback_query: null }, { callback_query: {} }, { callback_query: { id: 3 } }]) {
    assert.equal(pressOf(update), null);
  }
});
