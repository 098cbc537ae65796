/** `hermes gateway` against `telegram-test-api`, a Bot API server that others wrote. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import test from "node:test";
import { TelegramServer } from "telegram-test-api/lib/telegramServer.js";
import { startGateway } from "../../helpers/gateway.ts";
import { Home } from "../../helpers/hermes.ts";
import { until } from "../../helpers/poll.ts";

const TOKEN = "123456:token-for-the-test-api";

/** The server takes no port 0. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("a chat with a user of telegram-test-api: commands, answers, a tool, a group", async (t) => {
  const server = new TelegramServer({ port: await freePort(), host: "127.0.0.1" });
  await server.start();
  t.after(() => server.stop());
  const { apiURL } = server.config;
  const home = new Home(t);
  const config = `gateway:
  platforms:
    api_server: { enabled: true, port: 0 }
    telegram: { enabled: true, token: "\${BOT}", api_root: "${apiURL.replace("127.0.0.1", "localhost")}", allowed_users: [7] }
`;
  const gateway = await startGateway(t, home, { config, env: { BOT: TOKEN } });
  const texts = () => server.storage.botMessages.map(({ message }) => message.text ?? "");
  const said = (pattern: RegExp) => until(() => texts().some((text) => pattern.test(text)), String(pattern));

  const client = server.getClient(TOKEN, { userId: 7, chatId: 7, firstName: "Ada", userName: "ada" });
  await client.sendCommand(client.makeCommand("/start"));
  await said(/^Hello! .*\/help/);
  await client.sendMessage(client.makeMessage("run `echo from-the-tool`"));
  await said(/from-the-tool/);
  const group = server.getClient(TOKEN, { userId: 7, chatId: -100, type: "group", firstName: "Ada", userName: "ada" });
  await group.sendMessage(group.makeMessage("who am I?"));
  await said(/^\[From Ada \(@ada\)\]\nwho am I\?/);
  const stranger = server.getClient(TOKEN, { userId: 8, chatId: 8 });
  await stranger.sendMessage(stranger.makeMessage("let me in"));
  await until(() => server.storage.botMessages.some(({ message }) => Number(message.chat_id) === 8), "a pairing code");
  assert.ok(!texts().some((text) => text.includes("let me in")));

  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
});
