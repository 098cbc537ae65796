/** `whatsapp`: who may call the webhook, what a request may be, and what is kept of it. */
import test from "node:test";
import assert from "node:assert/strict";
import { request as rawRequest } from "node:http";
import { sign } from "@octokit/webhooks-methods";
import fc from "fast-check";
import { isHubSignature } from "#core/hub-signature";
import { SCHEMES } from "#daemon/inbound/schemes";
import { until } from "../../helpers/poll.ts";
import { OWN_NUMBER } from "../../helpers/whatsapp-server.ts";
import {
  APP_SECRET,
  bodyOf,
  messageOf,
  post,
  signatureOf,
  VERIFY_TOKEN,
  webhookOf,
  webhookWith,
} from "../../helpers/whatsapp-webhooks.ts";
import { startBench } from "./whatsapp-bench.ts";

test("a request without the right signature over its body gets 401 and reaches nothing", async (t) => {
  const { url, inbox, lines, database } = await startBench(t);
  const body = bodyOf(webhookOf(messageOf(42, "let me in")));
  const right = signatureOf(body);
  const wrong: Readonly<Record<string, string | null>> = {
    absent: null,
    empty: "",
    "of another body": signatureOf(bodyOf(webhookOf(messageOf(42, "another")))),
    "of another secret": signatureOf(body, "another-secret"),
    "in upper case": right.toUpperCase(),
    "with an upper-case name": right.replace("sha256=", "SHA256="),
    "of another algorithm": right.replace("sha256=", "sha1="),
    "without the name": right.slice("sha256=".length),
    "too long": `${right}0`,
    "too short": right.slice(0, -1),
  };
  for (const [what, signature] of Object.entries(wrong)) {
    assert.equal(await post(url, body, { signature }), 401, what);
    assert.equal(await post(url, "{not JSON", { signature }), 401, `${what}, and not JSON`);
  }
  assert.equal(inbox.received.length, 0);
  assert.equal(database.prepare("SELECT count(*) AS n FROM arrived_messages").get()!["n"], 0);
  // They are logged once a minute.
  assert.equal(lines.filter((line) => line.includes("was refused")).length, 1);
  assert.equal(await post(url, body, { signature: right }), 200);
  await inbox.count(1);
});

test("two signatures are none", async (t) => {
  const { url, inbox } = await startBench(t);
  const body = bodyOf(webhookOf(messageOf(42, "hello")));
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { "X-Hub-Signature-256": [signatureOf(body), signatureOf(body)] };
    const sent = rawRequest(url, { method: "POST", headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.once("error", reject);
    sent.end(body);
  });
  assert.equal(status, 401);
  assert.equal(inbox.received.length, 0);
});

test("a body that is too large is refused without a signature before it is read, with one while it is read", async (t) => {
  const { url } = await startBench(t);
  const large = JSON.stringify({ object: "x".repeat(3 * 1024 * 1024) });
  assert.equal(await post(url, large), 413);
  const nearly = JSON.stringify({ object: "x".repeat(3 * 1024 * 1024 - 100) });
  assert.equal(await post(url, nearly), 200);
  assert.equal(await post(url, nearly, { signature: null }), 401);
});

test("the signature agrees with GitHub's own library, and with the webhooks of the daemon", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 1, unit: "binary" }),
      fc.integer({ min: 0, max: 3 }),
      async (body, change) => {
        const right = await sign(APP_SECRET, body);
        const sent = [right, right.toUpperCase(), right.slice(7), right.replace(/.$/, "x")][change]!;
        const bytes = Buffer.from(body);
        assert.equal(isHubSignature(sent, bytes, APP_SECRET), change === 0);
        const request = { header: (name: string) => (name === "x-hub-signature-256" ? sent : undefined), body: bytes };
        assert.equal(SCHEMES.github.verify(request, APP_SECRET, 0) !== null, change === 0);
      },
    ),
    { numRuns: 25 },
  );
});

test("Meta's question is answered for the verify token only", async (t) => {
  const { url } = await startBench(t);
  const ask = async (fields: Readonly<Record<string, string>>) => {
    const response = await fetch(`${url}?${new URLSearchParams(fields).toString()}`);
    return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
  };
  const right = { "hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1158201444" };
  const answer = await ask(right);
  assert.deepEqual([answer.status, answer.text], [200, "1158201444"]);
  assert.match(answer.type ?? "", /^text\/plain/);
  for (const wrong of ["", "x", `${VERIFY_TOKEN}x`, VERIFY_TOKEN.toUpperCase()]) {
    const { status, text } = await ask({ ...right, "hub.verify_token": wrong });
    assert.equal(status, 403);
    assert.ok(!text.includes("1158201444"));
  }
  assert.equal((await ask({ ...right, "hub.mode": "unsubscribe" })).status, 403);
  assert.equal((await ask({})).status, 403);
  const guesses = await Promise.all(
    Array.from({ length: 40 }, (_, index) => ask({ ...right, "hub.verify_token": `guess ${index}` })),
  );
  assert.ok(guesses.some(({ status }) => status === 429));
  assert.equal((await ask(right)).status, 200);
});

test("other paths and methods reach nothing", async (t) => {
  const { url } = await startBench(t);
  const body = bodyOf(webhookOf(messageOf(42, "hello")));
  assert.equal(await post(url.replace("/whatsapp", "/"), body), 404);
  assert.equal(await post(`${url}/more`, body), 404);
  assert.equal((await fetch(url, { method: "PUT", body })).status, 404);
  assert.equal(await post(url, "{not JSON"), 400);
});

test("a message is kept before it is acknowledged, and until it is done", async (t) => {
  const { url, inbox, database, post: send } = await startBench(t);
  const kept = () => database.prepare("SELECT count(*) AS n FROM arrived_messages").get()!["n"];
  const held = Promise.withResolvers<void>();
  inbox.answering = () => held.promise;
  const message = messageOf(42, "hello");
  await send(message);
  assert.equal(kept(), 1);
  // Again, while it is being answered: it is the same message, and is safe already.
  await send(message);
  assert.equal(inbox.received.length, 1);
  held.resolve();
  await until(() => kept() === 0, "it is forgotten");
  assert.equal(await post(url, bodyOf(webhookOf())), 200);
});

test("what cannot be kept is not acknowledged", async (t) => {
  const { url, inbox, database, lines } = await startBench(t);
  database.exec("ALTER TABLE arrived_messages RENAME TO gone");
  const body = bodyOf(webhookOf(messageOf(42, "hello")));
  assert.equal(await post(url, body), 503);
  assert.equal(inbox.received.length, 0);
  assert.match(lines.join("\n"), /a webhook could not be taken, Meta will send it again/);
  database.exec("ALTER TABLE gone RENAME TO arrived_messages");
  assert.equal(await post(url, body), 200);
  await inbox.count(1);
});

test("while the gateway shuts down, messages are left to Meta", async (t) => {
  const { url, inbox } = await startBench(t);
  const body = bodyOf(webhookOf(messageOf(42, "hello")));
  inbox.open = false;
  assert.equal(await post(url, body), 503);
  // A forger learns nothing of that.
  assert.equal(await post(url, body, { signature: "sha256=0" }), 401);
  inbox.open = true;
  assert.equal(await post(url, body), 200);
});

test("what an earlier run left is handed over at the start, in its order, and forgotten when it is done", async (t) => {
  const first = await startBench(t);
  first.inbox.answering = () => new Promise(() => undefined);
  const messages = ["one", "two", "three"].map((text) => messageOf(42, text));
  await first.post(...messages);
  // As after a kill: the rows are all that is left. Damaged ones harm nothing.
  const insert = first.database.prepare("INSERT INTO arrived_messages VALUES (?, 'whatsapp', ?, ?, ?)");
  for (const [index, row] of ["{half", "null", "{}", '{"id":"1","user":"42"}'].entries()) {
    insert.run(100 + index, `damaged ${index}`, row, new Date().toISOString());
  }
  insert.run(200, "old", JSON.stringify({ id: "old", user: "42", name: "", words: "old" }), "2026-01-01T00:00:00.000Z");
  const second = await startBench(t, { database: first.database });
  await second.inbox.count(3);
  assert.deepEqual(second.inbox.texts, ["one", "two", "three"]);
  const kept = () => first.database.prepare("SELECT message_id FROM arrived_messages WHERE number < 100").all();
  await until(() => kept().length === 0, "they are forgotten");
  assert.equal(second.inbox.received.length, 3);
});

test("a message whose file is looked up while the platform restarts is left to the next start", async (t) => {
  const first = await startBench(t);
  const { server, database } = first;
  server.files.set("1", { data: Buffer.from("x"), mime: "application/pdf" });
  server.misbehave("media", "hang");
  const document = { id: "1", mime_type: "application/pdf", filename: "a.pdf", caption: "read this" };
  await first.post(messageOf(42, "", { type: "document", document }));
  await until(() => server.callsOf("media").length === 1, "the file is looked up");
  first.inbox.open = false;
  await first.adapter.stop();
  const second = await startBench(t, { database, server });
  await second.inbox.count(1);
  assert.match(second.inbox.texts[0]!, /^read this\n\n.*a\.pdf \(application\/pdf, 1 bytes\)/);
  const kept = () => database.prepare("SELECT count(*) AS n FROM arrived_messages").get()!["n"];
  await until(() => kept() === 0, "it is forgotten");
  assert.equal(first.inbox.received.length, 0);
});

test("statuses, echoes, other numbers and unknown forms are taken and ignored; failures are logged", async (t) => {
  const { url, inbox, lines } = await startBench(t);
  const status = { id: "wamid.SENT1", timestamp: "1", recipient_id: "42" };
  const reason = {
    code: 131_047,
    title: "Re-engagement message",
    error_data: { details: "More than 24 hours have passed" },
  };
  const bodies: readonly object[] = [
    webhookWith({ statuses: ["sent", "delivered", "read"].map((name) => ({ ...status, status: name })) }),
    webhookWith({ statuses: [{ ...status, status: "failed", errors: [reason] }] }),
    webhookWith({ message_echoes: [{ ...messageOf(OWN_NUMBER, "from the app"), to: "42" }] }, "smb_message_echoes"),
    webhookWith({ messages: [messageOf(42, "hi")], metadata: { phone_number_id: "1" } }),
    webhookWith({ errors: [{ code: 130_429, title: "Rate limit hit", message: "Rate limit hit" }] }),
    { object: "page", entry: [{ changes: [{ field: "messages", value: { messages: [messageOf(42, "hi")] } }] }] },
    { object: "whatsapp_business_account", entry: "none" },
    [],
  ];
  for (const body of bodies) assert.equal(await post(url, bodyOf(body)), 200);
  assert.equal(inbox.received.length, 0);
  const said = lines.filter((line) => line.startsWith("warn")).join("\n");
  assert.match(said, /a message to 42 did not arrive: More than 24 hours have passed \(code 131047\)/);
  assert.match(said, /Rate limit hit \(code 130429\)/);
});
