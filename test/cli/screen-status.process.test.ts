/** The status line of a conversation, and where there is none. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { Home } from "../helpers/hermes.ts";
import { noPty } from "../helpers/pty.ts";
import { startChat } from "../helpers/chat.ts";
import { startModelServer } from "../helpers/model-server.ts";

const skip = noPty;
const ENTER = "\r";
const ESC = "\u001b";
const CTRL_D = "\u0004";
const STATUS = /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] /m;

for (const columns of [80, 40]) {
  test(`a status says what is awaited, and is gone with the answer (${columns} columns)`, { skip }, async (t) => {
    const command = "while ! test -e go; do sleep 0.02; done";
    const calls = [{ id: "c1", name: "terminal", arguments: JSON.stringify({ command }) }];
    const { home, pty, shows } = await startChat(t, { columns, replies: [{ calls }, { text: "the end" }] });
    pty.type(`start${ENTER}`);
    const wanted =
      columns === 80
        ? /Running terminal · \d+ s · \d+ tokens · Esc stops\n▹/
        : /Running terminal · \d+ s · Esc stops\n▹/;
    const view = await shows(wanted);
    assert.ok(view.every((line) => line.length <= columns));
    writeFileSync(join(home.work, "go"), "");
    const after = await shows(/the end\n+›/);
    assert.doesNotMatch(after.join("\n"), STATUS);
  });
}

test("a status stays below an answer that arrives and is gone when it is whole", { skip }, async (t) => {
  const rows = Array.from({ length: 30 }, (_, number) => `- row ${number}`).join("\n");
  const seen = Promise.withResolvers<void>();
  const deltas = [{ content: `${rows}\n\nthe ` }, { content: "end" }];
  const { screen, pty, shows } = await startChat(t, {
    replies: [{ text: "first" }, { deltas, pause: () => seen.promise }],
    prepare: (home) => home.write("config.yaml", home.read("config.yaml").replace(" }", ", context_length: 200000 }")),
  });
  pty.type(`go${ENTER}`);
  await shows(/first\n+›/);
  pty.type(`go on${ENTER}`);
  await shows(/row 29\n\nthe\n\n. Answering · \d+ s · ~\d+ tokens · ctx <1% · Esc stops\n▹/);
  seen.resolve();
  const after = await shows(/the end\n+›/);
  assert.doesNotMatch(after.join("\n"), STATUS);
  const lines = await screen.lines();
  const from = lines.indexOf("- row 0");
  assert.deepEqual(lines.slice(from, from + 32), [...rows.split("\n"), "", "the end"]);
});

test("a retry shows the server's reason and the seconds that are left; Esc ends the wait", { skip }, async (t) => {
  const busy = { status: 529, headers: { "retry-after": "40" }, message: "come back later" };
  const { pty, shows } = await startChat(t, { replies: [busy] });
  pty.type(`hello${ENTER}`);
  await shows(/Retry in (?:40|3\d) s: .*come back later.* · \d+ s · Esc stops/);
  await shows(/Retry in 3\d s/);
  pty.type(ESC);
  const view = await shows(/Interrupted\.\n+›/);
  assert.doesNotMatch(view.join("\n"), STATUS);
});

test("hooks that close a session are awaited with a status", { skip }, async (t) => {
  const { home, pty, shows } = await startChat(t, {
    prepare: (made) => {
      made.plugin(
        "slow",
        `import { existsSync } from "node:fs";
        export const register = (ctx) => ctx.register_hook("on_session_finalize", async () => {
          while (!existsSync(process.env.HERMES_HOME + "/go")) await new Promise((resolve) => setTimeout(resolve, 20));
        });`,
      );
      made.write("config.yaml", `${made.read("config.yaml")}plugins: { enabled: [slow] }\n`);
    },
  });
  pty.type(`hello${ENTER}`);
  await shows(/done\n+›/);
  pty.type(CTRL_D);
  await shows(/Closing hooks · \d+ s/);
  home.write("go", "");
  assert.equal(await pty.exited, 0);
  assert.doesNotMatch((await shows("done")).join("\n"), STATUS);
});

test("a single run on a terminal has a status, one with -Q or into a pipe has none", { skip }, async (t) => {
  const deltas = [{ role: "assistant" }, { content: "the " }, { content: "answer" }];
  const seen = Promise.withResolvers<void>();
  const slow = { deltas, pauseMs: 1500 };
  await using model = await startModelServer([{ deltas, pause: () => seen.promise }, slow, slow]);
  const home = new Home(t);
  home.write("config.yaml", `model: { provider: openai-compatible, default: m, base_url: "${model.url}" }\n`);
  const shown = home.terminal(["chat", "-q", "hello"]);
  t.after(() => shown.kill());
  await shown.see(/Thinking · \d+ s · Ctrl\+C stops/);
  seen.resolve();
  assert.equal(await shown.exited, 0);
  assert.match(shown.output(), /\nthe answer\r\n/);
  const quiet = home.terminal(["chat", "-Q", "-q", "hello"]);
  t.after(() => quiet.kill());
  assert.equal(await quiet.exited, 0);
  assert.equal(quiet.raw(), "the answer\r\n");
  const piped = await home.run(["chat", "-q", "hello"]);
  assert.deepEqual([piped.stdout, piped.stderr], ["the answer\n", ""]);
});
