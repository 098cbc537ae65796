/** `whatsapp`: the messages that come, and the start. */
import test from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { isHermesError } from "#core/errors";
import { mayHaveToken } from "#gateway/adapters/whatsapp/graph";
import { whatsAppProblem } from "#gateway/adapters/whatsapp/settings";
import { whatsAppSetup } from "#gateway/adapters/whatsapp/setup";
import { until } from "../../helpers/poll.ts";
import { OWN_NUMBER, PHONE_NUMBER_ID, TOKEN, WhatsAppServer } from "../../helpers/whatsapp-server.ts";
import { messageOf, pressOf } from "../../helpers/whatsapp-webhooks.ts";
import { makeBench, startBench } from "./whatsapp-bench.ts";

test("a text is a message of its user, in the order of the webhook", async (t) => {
  const { inbox, post } = await startBench(t);
  const messages = ["one", "two", "🦊"].map((text) => messageOf("491701234567", text));
  await post(...messages);
  await post(messageOf(7, "from another"));
  await inbox.count(4);
  assert.deepEqual(inbox.texts, ["one", "two", "🦊", "from another"]);
  assert.deepEqual(inbox.received[0]?.message, {
    text: "one",
    source: {
      platform: "whatsapp",
      chat_type: "dm",
      chat_id: "491701234567",
      user_id: "491701234567",
      thread_id: null,
    },
    message_id: messages[0]!.id,
    internal: false,
  });
});

test("a user who hides the number is one by the other id, and is answered by it", async (t) => {
  const { inbox, post, adapter, server } = await startBench(t);
  const id = "DE.1349120865530274";
  const { from: _, ...message } = messageOf(0, "hello", { from_user_id: id });
  await post(message as ReturnType<typeof messageOf>);
  await inbox.count(1);
  assert.equal(inbox.received[0]?.message.source.user_id, id);
  await adapter.send(id, "hello you").catch(() => undefined);
  const { recipient, to } = server.callsOf("text")[0]!.body;
  assert.deepEqual([recipient, to], [id, undefined]);
});

test("what is no message for us is ignored", async (t) => {
  const { inbox, post, lines } = await startBench(t);
  const ignored: readonly Readonly<Record<string, unknown>>[] = [
    { type: "reaction", reaction: { message_id: "wamid.SENT1", emoji: "👍" } },
    { type: "sticker", sticker: { id: "1", mime_type: "image/webp" } },
    { type: "unsupported", errors: [{ code: 131_051, title: "Message type unknown" }] },
    { type: "edit", edit: { original_message_id: "wamid.1", message: { type: "text", text: { body: "edited" } } } },
    { type: "revoke", revoke: { original_message_id: "wamid.1" } },
    { type: "system", system: { body: "User changed from 1 to 2", wa_id: "2", type: "user_changed_number" } },
    { type: "order", order: { catalog_id: "1" } },
    { type: "interactive", interactive: { type: "nfm_reply", nfm_reply: { name: "flow" } } },
    { group_id: "Y2FwaV9ncm91cA", text: { body: "hello all" }, type: "text" },
  ];
  await post(...ignored.map((fields) => messageOf(42, "", fields)));
  await post(messageOf(42, "the only one"));
  await inbox.count(1);
  assert.deepEqual(inbox.texts, ["the only one"]);
  assert.match(lines.join("\n"), /debug whatsapp: ignored a message in a group/);
});

test("a pressed button is a message with what the button carries", async (t) => {
  const { inbox, post } = await startBench(t);
  await post(pressOf(42, { id: "/approve k3f9ab", title: "Approve" }));
  await post(messageOf(42, "", { type: "button", button: { payload: "x", text: "Yes, please" } }));
  await inbox.count(2);
  assert.deepEqual(inbox.texts, ["/approve k3f9ab", "Yes, please"]);
  assert.equal(inbox.received[0]?.message.reply_to, undefined);
});

test("a reply brings the text that it replies to, of both sides, where it is known", async (t) => {
  const { inbox, post, adapter, server } = await startBench(t);
  await adapter.send("42", "shall I?");
  const ours = server.messages[0]!.id;
  const theirs = messageOf(42, "a remark");
  await post(theirs, messageOf(42, "yes", { context: { from: OWN_NUMBER, id: ours } }));
  await post(messageOf(42, "as I said", { context: { from: "42", id: theirs.id } }));
  await post(messageOf(42, "unknown", { context: { from: OWN_NUMBER, id: "wamid.OLD" } }));
  await post(messageOf(42, "passed on", { context: { forwarded: true } }));
  await inbox.count(5);
  assert.deepEqual(
    inbox.received.map(({ message }) => message.reply_to),
    [undefined, { speaker: "you", text: "shall I?" }, { speaker: "User 42", text: "a remark" }, undefined, undefined],
  );
});

test("files are named with type and size; an image is loaded, before the next message", async (t) => {
  const { inbox, post, server } = await startBench(t);
  const jpeg = Buffer.from("a JPEG");
  server.files.set("1", { data: jpeg, mime: "image/jpeg" });
  server.files.set("2", { data: Buffer.alloc(2048), mime: "application/pdf" });
  server.files.set("3", { data: Buffer.alloc(6 * 1024 * 1024), mime: "image/png" });
  server.files.set("4", { data: Buffer.alloc(10), mime: "audio/ogg" });
  const image = { id: "1", mime_type: "image/jpeg", sha256: "0", caption: "what is this?" };
  await post(
    messageOf(42, "", { type: "image", image }),
    messageOf(42, "hello?"),
    messageOf(42, "", { type: "document", document: { id: "2", mime_type: "application/pdf", filename: "a\nb.pdf" } }),
    messageOf(42, "", { type: "image", image: { id: "3", mime_type: "image/png" } }),
    messageOf(42, "", { type: "audio", audio: { id: "4", mime_type: "audio/ogg; codecs=opus", voice: true } }),
  );
  await inbox.count(5);
  const [first, second, ...others] = inbox.received.map(({ message }) => message);
  assert.match(first!.text, /^what is this\?\n\n\(Sent with this message: a file \(image\/jpeg, 6 bytes\)\.\)$/);
  assert.deepEqual(first!.images, [{ media_type: "image/jpeg", data: jpeg.toString("base64") }]);
  assert.equal(second!.text, "hello?");
  assert.match(
    others[0]!.text,
    /^\(Sent with this message: a b\.pdf \(application\/pdf, 2\.0 KB\)\. You cannot open it\.\)$/,
  );
  assert.match(others[1]!.text, /image\/png, 6\.0 MB\)\. You cannot open it/);
  assert.match(others[2]!.text, /audio\/ogg, 10 bytes/);
  assert.ok(others.every(({ images }) => images === undefined));
  assert.equal(server.callsOf("download").length, 1);
});

test("an image that cannot be loaded is said to the model, and the token goes to nobody else", async (t) => {
  const seen: (string | undefined)[] = [];
  const stranger = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end("a JPEG");
  }).listen(0, "127.0.0.1");
  await once(stranger, "listening");
  t.after(() => stranger.close());
  const { inbox, post, server, lines } = await startBench(t);
  const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}/file`;
  server.files.set("1", { data: Buffer.from("x"), mime: "image/jpeg", url });
  const image = { mime_type: "image/jpeg", caption: "look" };
  await post(messageOf(42, "", { type: "image", image: { ...image, id: "1" } }));
  await post(messageOf(42, "", { type: "image", image: { ...image, id: "99" } }));
  await inbox.count(2);
  for (const text of inbox.texts)
    assert.match(text, /^look\n\n.*\n\n\(An image was sent with this message, but it could not be loaded\.\)$/);
  assert.deepEqual(seen, []);
  assert.match(lines.join("\n"), /the file is at another address than Meta's/);
  const root = "https://graph.facebook.com/v25.0";
  for (const right of [
    "https://graph.facebook.com/1",
    "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
  ]) {
    assert.ok(mayHaveToken(right, root), right);
  }
  for (const wrong of [
    "http://lookaside.fbsbx.com/1",
    "https://lookaside.fbsbx.com.example.com/1",
    "https://lookaside.fbsbx.com:8443/1",
    "https://graph.facebook.com@example.com/",
    "file:///etc/passwd",
    "",
  ]) {
    assert.ok(!mayHaveToken(wrong, root), wrong);
  }
});

test("locations and contacts are said in words", async (t) => {
  const { inbox, post } = await startBench(t);
  const location = { latitude: 52.52, longitude: 13.405, name: "A\nplace", address: "Street 1" };
  const contacts = [{ name: { formatted_name: "Ada L." }, phones: [{ phone: "+49 170 1" }] }];
  await post(messageOf(42, "", { type: "location", location }), messageOf(42, "", { type: "contacts", contacts }));
  await inbox.count(2);
  assert.deepEqual(inbox.texts, [
    "(A location was sent: A place, Street 1, 52.52, 13.405.)",
    "(Contacts were sent: Ada L., +49 170 1.)",
  ]);
});

test("typing marks the newest message of the user as read, and is shown while an answer takes time", async (t) => {
  const { inbox, post, server } = await startBench(t);
  const held = Promise.withResolvers<void>();
  inbox.answering = () => held.promise;
  const message = messageOf(42, "hello");
  await post(message);
  await until(() => server.callsOf("read").length >= 2, "it is shown again");
  held.resolve();
  assert.deepEqual(server.callsOf("read")[0]!.body, {
    messaging_product: "whatsapp",
    status: "read",
    message_id: message.id,
    typing_indicator: { type: "text" },
  });
});

const failsWith = (code: string, problem: RegExp) => (error: unknown) => {
  assert.ok(isHermesError(error) && error.code === code, String(error));
  assert.match(error.message, problem);
  assert.ok(!error.message.includes(TOKEN));
  return true;
};

test("a start says what is wrong", async (t) => {
  const cases: readonly (readonly [Parameters<WhatsAppServer["misbehave"]>[1], string, RegExp])[] = [
    [{ code: 190 }, "HERMES_ADAPTER_CONFIG", /the token is invalid.*code 190.*gateway\.platforms\.whatsapp\.token/],
    [{ code: 10 }, "HERMES_ADAPTER_CONFIG", /needs whatsapp_business_messaging/],
    [{ code: 200 }, "HERMES_ADAPTER_CONFIG", /needs whatsapp_business_messaging/],
    [{ code: 131_000 }, "HERMES_ADAPTER_START", /cannot be reached: \(#131000\)/],
    [{ status: 502 }, "HERMES_ADAPTER_START", /the server answered 502/],
    ["html", "HERMES_ADAPTER_START", /does not speak the Graph API/],
    ["drop", "HERMES_ADAPTER_START", /cannot be reached/],
    [{ code: 190, message: `Bad token ${TOKEN}` }, "HERMES_ADAPTER_CONFIG", /Bad token \[redacted\]/],
  ];
  for (const [way, code, problem] of cases) {
    const { adapter, inbox, server } = await makeBench(t);
    server.misbehave("number", way);
    await assert.rejects(adapter.start(inbox), failsWith(code, problem));
    assert.equal(adapter.address(), null);
    await adapter.start(inbox);
    assert.match(adapter.address() ?? "", /^http:\/\/127\.0\.0\.1:\d+\/whatsapp$/);
  }
});

test("another phone number, a port that is taken, a server that is down", async (t) => {
  const other = await makeBench(t, { phone_number_id: "5" });
  await assert.rejects(
    other.adapter.start(other.inbox),
    failsWith("HERMES_ADAPTER_CONFIG", /does not accept the phone number ID: Unsupported get request/),
  );
  const first = await startBench(t);
  const { host: bind, port } = new URL(first.url);
  const second = await makeBench(t, { bind });
  const taken = failsWith(
    "HERMES_ADAPTER_START",
    new RegExp(`port ${port} on 127\\.0\\.0\\.1 is in use\\. Set gateway\\.platforms\\.whatsapp\\.bind`),
  );
  await assert.rejects(second.adapter.start(second.inbox), taken);
  await first.adapter.stop();
  await second.adapter.start(second.inbox);
  const down = await makeBench(t);
  await down.server.stop();
  await assert.rejects(down.adapter.start(down.inbox), failsWith("HERMES_ADAPTER_START", /cannot be reached/));
});

test("the API is found with its version, at its root, and where a path says", async (t) => {
  const plain = await startBench(t);
  assert.equal(plain.server.calls[0]!.path, `/v25.0/${PHONE_NUMBER_ID}`);
  const server = await new WhatsAppServer().start();
  server.hasVersions = false;
  const root = await startBench(t, { server });
  assert.equal(server.calls.at(-1)!.path, `/${PHONE_NUMBER_ID}`);
  await root.adapter.send("42000", "hello");
  assert.equal(server.calls.at(-1)!.path, `/${PHONE_NUMBER_ID}/messages`);
  const other = await new WhatsAppServer().start();
  await startBench(t, { server: other, api_root: `${other.url}/v23.0/` });
  assert.equal(other.calls[0]!.path, `/v23.0/${PHONE_NUMBER_ID}`);
});

test("settings: what is missing or cannot be right is named", () => {
  const good = { token: "t", phone_number_id: PHONE_NUMBER_ID, app_secret: "s", verify_token: "v" };
  assert.equal(whatsAppProblem(good), undefined);
  assert.equal(
    whatsAppProblem({ ...good, phone_number_id: 106_540_352_242_922, allowed_users: ["*", 42, "DE.13"] }),
    undefined,
  );
  for (const key of ["token", "phone_number_id", "app_secret", "verify_token"] as const) {
    assert.match(whatsAppProblem({ ...good, [key]: "" }) ?? "", new RegExp(`whatsapp\\.${key} is missing`));
    const { [key]: _, ...rest } = good;
    assert.match(whatsAppProblem(rest) ?? "", new RegExp(`whatsapp\\.${key} is missing`));
  }
  assert.match(whatsAppProblem({ ...good, phone_number_id: "+49 170" }) ?? "", /phone_number_id: Expected digits/);
  assert.match(whatsAppProblem({ ...good, allowed_users: ["+49 170 123"] }) ?? "", /as digits .* 49170123\./);
  assert.match(whatsAppProblem({ ...good, path: "/a b" }) ?? "", /whatsapp\.path: Expected a path/);
});

test("setup: the check names the number, or says what is wrong", async () => {
  await using server = await new WhatsAppServer().start();
  const values = {
    token: TOKEN,
    phone_number_id: PHONE_NUMBER_ID,
    app_secret: "s",
    verify_token: "v",
    bind: "127.0.0.1:9",
  };
  const setup = whatsAppSetup();
  const { account, notes } = await setup.check(values, server.url);
  assert.equal(account, "+1 555-078-3881 (Hermes Test)");
  assert.match(notes.join("\n"), /TLS in front of http:\/\/127\.0\.0\.1:9\/whatsapp/);
  await assert.rejects(
    setup.check({ ...values, token: "wrong" }, server.url),
    failsWith("HERMES_ADAPTER_CONFIG", /the token is invalid/),
  );
  assert.deepEqual(
    setup.fields.map(({ key }) => key),
    ["token", "phone_number_id", "app_secret", "verify_token", "bind", "allowed_users"],
  );
});
