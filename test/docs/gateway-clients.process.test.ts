/** The examples of docs/gateway.md that ask `api_server`, and its configurations, as they stand there. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { openMemoryDatabase } from "#core/home/database";
import { createApiServer } from "#gateway/adapters/api-server/adapter";
import { Home, ROOT } from "../helpers/hermes.ts";
import { examplesOf } from "../helpers/examples.ts";
import { COST, end, noteLog, OPENING, show, TestInbox } from "../helpers/inbox.ts";

const PAGE = "docs/gateway.md";
const shell = examplesOf(PAGE, "sh");
const scripts = examplesOf(PAGE, "js");
const configs = examplesOf(PAGE, "yaml");
const skip = spawnSync("curl", ["--version"]).error !== undefined && "there is no curl here";

/** A server behind which every message is answered; gives what replaces the port on the page. */
async function startServer(t: { after(fn: () => unknown): void }) {
  const inbox = new TestInbox(({ message, reply }) => {
    show(reply, OPENING, { type: "text", delta: `You said: ${message.text}` }, COST);
    end(reply, `You said: ${message.text}`);
  });
  const model = () => ({ id: "test-model", provider: "testing" });
  const server = createApiServer({
    port: 0,
    model,
    version: "1",
    database: openMemoryDatabase(),
    isSession: () => false,
    log: noteLog().log,
  });
  await server.start(inbox);
  t.after(() => server.stop());
  return { inbox, here: (block: string) => block.replaceAll(":8642", `:${server.address()!.port}`) };
}

function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve(stdout) : reject(new Error(`${command} ended with ${code}`))));
  });
}

test("the curl of the page gets a completion", { skip }, async (t) => {
  const { inbox, here } = await startServer(t);
  const stdout = await run("bash", ["-e", "-c", here(shell.get("api-server-curl")!)]);
  const { choices } = JSON.parse(stdout) as { choices: { message: { content: string } }[] };
  assert.equal(choices[0]?.message.content, "You said: hello");
  assert.equal(inbox.received[0]?.message.source.chat_id, "notes");
});

test("the client of the page prints the answer", async (t) => {
  const { inbox, here } = await startServer(t);
  const folder = mkdtempSync(join(tmpdir(), "hermes-client-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const file = join(folder, "client.mjs");
  writeFileSync(file, here(scripts.get("api-server-client")!));
  assert.equal(await run(process.execPath, [file]), "You said: hello again");
  assert.equal(inbox.received[0]?.message.source.chat_id, "notes");
});

for (const [name, text] of configs) {
  test(`the configuration ${name} is one`, async (t) => {
    const home = new Home(t);
    home.write("config.yaml", text);
    const { code, stderr } = await home.run(["config", "check"], {
      env: { TELEGRAM_BOT_TOKEN: "1:x", HERMES_API_KEY: "x" },
    });
    assert.deepEqual([code, stderr], [0, ""]);
  });
}
