/** What the checks of setups say of a server that answers. */
import assert from "node:assert/strict";
import test from "node:test";
import { openMemoryDatabase } from "#core/home/database";
import { createApiServer } from "#gateway/adapters/api-server/adapter";
import type { PlatformName } from "#core/home/platform-settings";
import { findPlatform } from "#gateway/adapters/table";
import { noteLog, TestInbox } from "../../helpers/inbox.ts";
import { freePort } from "../../helpers/ports.ts";
import { BOT_NAME, TelegramServer, TOKEN } from "../../helpers/telegram-server.ts";

const setupOf = (name: PlatformName) => findPlatform(name)!.setup();

test("telegram: the bot's name, and that it does not see what is said in groups", async (t) => {
  const server = await new TelegramServer().start();
  t.after(() => server.stop());
  const { check } = await setupOf("telegram");
  assert.deepEqual(await check({ token: TOKEN }, server.url), { account: `@${BOT_NAME}`, notes: [] });
  server.readsGroups = false;
  const { notes } = await check({ token: TOKEN }, `${server.url}/`);
  assert.match(notes.join(), /^In groups, this bot sees only commands and replies\. .*\/setprivacy/);
  server.misbehave("getMe", "html");
  await assert.rejects(check({ token: TOKEN }, server.url), /cannot be reached: the server does not speak the Bot API/);
});

test("api_server: a free port, one that hermes has with any key, and one of another program", async (t) => {
  const { check } = await setupOf("api_server");
  const port = await freePort();
  const account = `http://127.0.0.1:${port}/v1`;
  assert.equal((await check({ host: "0.0.0.0", port: String(port), key: "one" })).account, account);
  assert.equal((await check({ port: "0" })).account, "127.0.0.1, any free port");
  const server = createApiServer({
    port,
    key: "one",
    model: () => ({ id: "test-model", provider: "testing" }),
    version: "1",
    database: openMemoryDatabase(),
    isSession: () => false,
    log: noteLog().log,
  });
  await server.start(new TestInbox());
  t.after(() => server.stop());
  for (const key of ["one", "another"]) assert.equal((await check({ port: String(port), key })).account, account);
  const other = await new TelegramServer().start();
  t.after(() => other.stop());
  const taken = new URL(other.url).port;
  await assert.rejects(check({ port: taken }), new RegExp(`port ${taken} on 127\\.0\\.0\\.1 is in use`));
  await assert.rejects(check({ host: "192.0.2.1", port: "0" }), /192\.0\.2\.1 is not an address of this machine/);
});
