/** Pairing across processes: a stranger writes to a running gateway, `hermes pairing` lets them in and out again. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { startGateway } from "../helpers/gateway.ts";
import { until } from "../helpers/poll.ts";
import { Home } from "../helpers/hermes.ts";

/** A platform of files: what lies in `in/` is a message of a direct chat, what is sent is a line of `out`. */
const PLATFORM = `
import { appendFileSync, readdirSync, readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { definePlugin, type PlatformAdapter } from "hermes-hooks/plugin";

export default definePlugin({
  register(ctx) {
    const { folder } = ctx.settings as { folder: string };
    let timer: NodeJS.Timeout | undefined;
    const adapter: PlatformAdapter = {
      name: "files",
      async start(inbox) {
        timer = setInterval(() => {
          for (const file of readdirSync(join(folder, "in"))) {
            const text = readFileSync(join(folder, "in", file), "utf8");
            unlinkSync(join(folder, "in", file));
            const source = { platform: "files", chat_type: "dm", chat_id: "c", user_id: "stranger", thread_id: null };
            void inbox.receive({ text, source, message_id: file, internal: false });
          }
        }, 20);
      },
      async stop() {
        clearInterval(timer);
      },
      async send(chat_id, text) {
        appendFileSync(join(folder, "out"), JSON.stringify({ chat_id, text }) + "\\n");
      },
    };
    ctx.register_platform(adapter);
  },
});
`;

test("a user's access to a running gateway is granted and revoked from another process", async (t) => {
  const home = new Home(t);
  const folder = join(home.work, "platform");
  mkdirSync(join(folder, "in"), { recursive: true });
  home.plugin("files", PLATFORM);
  const config = `
model: { provider: offline }
plugins: { enabled: [files], entries: { files: { settings: { folder: ${JSON.stringify(folder)} } } } }
gateway: { platforms: { api_server: { enabled: true, port: 0 } } }
`;
  const gateway = await startGateway(t, home, { config });
  let count = 0;
  const write = (text: string) => {
    writeFileSync(join(folder, "draft"), text);
    renameSync(join(folder, "draft"), join(folder, "in", `m${++count}`));
  };
  const sent = () =>
    existsSync(join(folder, "out")) ? readFileSync(join(folder, "out"), "utf8").trim().split("\n") : [];
  const answer = async (number: number) => {
    await until(() => sent().length >= number, `answer ${number}`);
    return (JSON.parse(sent()[number - 1]!) as { text: string }).text;
  };

  write("hello");
  const code = /approve ([A-Z2-9]{8})/.exec(await answer(1))?.[1];
  assert.ok(code);
  const approved = await home.run(["pairing", "approve", code]);
  assert.deepEqual([approved.code, approved.stdout], [0, "The user stranger of files now has access.\n"]);
  write("hello again");
  assert.match(await answer(2), /^hello again/);
  assert.equal((await home.run(["pairing", "revoke", "files", "stranger"])).code, 0);
  write("and now?");
  await until(
    () => home.read("logs/hermes.log").match(/a message from an unknown user/g)?.length === 2,
    "the stranger is one again",
  );
  assert.equal(sent().length, 2);
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
});
