/** The screen of a conversation as a person sees it, at 80 and at 40 columns. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { startChat } from "../helpers/chat.ts";
import { BIN, Home } from "../helpers/hermes.ts";
import { startModelServer } from "../helpers/model-server.ts";
import { noPty, startOnPty } from "../helpers/pty.ts";
import { until } from "../helpers/poll.ts";
import { screenOf } from "../helpers/screen.ts";

const skip = noPty;
const ENTER = "\r";
const ESC = "\u001b";
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const CTRL_J = "\n";
const CTRL_R = "\u0012";
const ALT_ENTER = "\u001b\r";
const WIDTHS = [80, 40] as const;

for (const columns of WIDTHS) {
  test(`a draft keeps its place below the output (${columns} columns)`, { skip }, async (t) => {
    const { home, pty, screen, shows } = await startChat(t, {
      columns,
      prepare: ({ work }) => writeFileSync(join(work, "wait.sh"), "while ! test -e go; do sleep 0.02; done; seq 60\n"),
      replies: [
        { calls: [{ id: "c1", name: "terminal", arguments: JSON.stringify({ command: "sh wait.sh" }) }] },
        { text: "the end" },
      ],
    });
    pty.type(`start${ENTER}`);
    await shows(/terminal/);
    pty.type("a draft");
    const typed = await shows("▹ a draft");
    assert.equal(typed.at(-1), "▹ a draft");
    assert.deepEqual(await screen.cursor(), { row: typed.length - 1, column: "▹ a draft".length });
    writeFileSync(join(home.work, "go"), "");
    const after = await shows(/the end\n[^]*› a draft/);
    assert.equal(after.at(-1), "› a draft");
    assert.equal((await screen.lines()).filter((line) => line.includes("a draft")).length, 1);
    pty.type(CTRL_C);
    await shows("Press Ctrl+C again to exit.");
    pty.type(CTRL_D);
    assert.equal(await pty.exited, 0);
    // The shell's prompt gets a free line.
    assert.equal((await screen.cursor()).column, 0);
  });

  test(
    `Enter during a turn shows the message as queued, Esc gives it back (${columns} columns)`,
    { skip },
    async (t) => {
      const { pty, screen, shows } = await startChat(t, { columns, replies: [{ hangAfter: "I begin" }] });
      pty.type(`go${ENTER}`);
      await shows("I begin");
      pty.type(`one more thing${ENTER}`);
      await shows("queued: one more thing");
      pty.type(ESC);
      await shows(/I begin\nInterrupted\.[^]*\n› one more thing$/);
      assert.ok(!(await screen.view()).some((line) => line.includes("queued:")));
      pty.type(ENTER);
      await shows(/› one more thing\n+done/);
      assert.equal((await screen.lines()).filter((line) => line.startsWith("› one more thing")).length, 1);
    },
  );
}

test("messages that wait are sent in their order, each shown where it begins", { skip }, async (t) => {
  const { home, pty, shows } = await startChat(t, {
    prepare: ({ work }) => writeFileSync(join(work, "wait.sh"), "while ! test -e go; do sleep 0.02; done\n"),
  });
  pty.type(`!sh wait.sh${ENTER}`);
  await shows("▹");
  pty.type(`first${ENTER}second${ENTER}`);
  await shows(/queued: first\n.*queued: second/);
  writeFileSync(join(home.work, "go"), "");
  await shows(/› first\n+done\n+› second\n+done\n+›/);
});

test("lines are continued by Ctrl+J, Alt+Enter and a backslash; a long paste is one mark", { skip }, async (t) => {
  const { home, pty, screen, shows } = await startChat(t, {});
  pty.type(`one${CTRL_J}two${ALT_ENTER}three\\${ENTER}four`);
  await shows(/› one\n… two\n… three\n… four/);
  pty.type(ENTER);
  await shows(/… four\n+done/);
  const pasted = Array.from({ length: 12 }, (_, number) => `row\t${number}`);
  pty.type(`${ESC}[200~${pasted.join("\r")}${ESC}[201~ explain`);
  await shows("› [paste #1 +12 lines] explain");
  pty.type(`${ESC}[D`.repeat(" explain".length));
  pty.type("\u007f");
  await shows(/^› {2}explain$/m);
  pty.type(`${ESC}[200~${pasted.join("\r")}${ESC}[201~${ENTER}`);
  await shows(/› \[paste #\d \+12 lines\] explain\n+done/);
  pty.type(CTRL_D);
  assert.equal(await pty.exited, 0);
  assert.ok((await screen.lines()).every((line) => !line.includes("row")));
  const { stdout } = await home.run(["sessions", "export", "latest"]);
  const { messages } = JSON.parse(stdout) as { messages: { role: string; content: string }[] };
  assert.deepEqual(
    messages.filter(({ role }) => role === "user").map(({ content }) => content),
    ["one\ntwo\nthree\nfour", `${pasted.join("\n")} explain`],
  );
});

test("what is typed while hermes starts is sent with Enter", { skip }, async (t) => {
  const model = await startModelServer([{ text: "the early answer" }]);
  t.after(() => model.stop());
  const home = new Home(t);
  home.write("config.yaml", `model: { provider: openai-compatible, default: m, base_url: "${model.url}" }\n`);
  const pty = home.terminal(["chat"], {}, { columns: 80, rows: 24 });
  t.after(() => pty.kill());
  pty.type(`early words${ENTER}`);
  await pty.see("the early answer");
  assert.equal(model.requests[0]?.messages.findLast(({ role }) => role === "user")?.content, "early words");
  // From then on it is Ctrl+J again that makes a new line.
  pty.type(`one${CTRL_J}two${ENTER}`);
  await pty.see("done");
  assert.equal(model.requests[1]?.messages.findLast(({ role }) => role === "user")?.content, "one\ntwo");
});

test("messages are kept over conversations as they were typed: Up and Ctrl+R find them", { skip }, async (t) => {
  const first = await startChat(t, { prepare: (home) => home.write("chat-history", "an old line\n") });
  first.pty.type(`several${CTRL_J}lines${ENTER}`);
  await first.shows(/… lines\n+done/);
  first.pty.type(CTRL_D);
  assert.equal(await first.pty.exited, 0);
  const [old, entry] = first.home.read("chat-history").trim().split("\n");
  assert.equal(old, "an old line");
  assert.equal((JSON.parse(entry!) as { text: string }).text, "several\nlines");

  const second = first.home.terminal(["chat"], {}, { columns: 80, rows: 24 });
  t.after(() => second.kill());
  const screen = screenOf(second);
  const shows = (wanted: RegExp) =>
    until(async () => wanted.test((await screen.view()).join("\n")), `the screen shows ${wanted}`);
  await shows(/^› *$/m);
  second.type(`${ESC}[A`);
  await shows(/› several\n… lines/);
  second.type(CTRL_C);
  await shows(/Press Ctrl\+C again/);
  second.type(`${CTRL_R}old`);
  await shows(/an old line\nsearch: old\n/);
  second.type("\t");
  await shows(/› an old line$/);
  second.type(`${ENTER}${CTRL_D}`);
  assert.equal(await second.exited, 0);
});

test("Tab completes commands, paths, @files, sessions and models", { skip }, async (t) => {
  const { pty, shows } = await startChat(t, {
    prepare: (home) => {
      mkdirSync(join(home.work, "notes/deep"), { recursive: true });
      for (const name of ["reading-list", "second"]) writeFileSync(join(home.work, `notes/deep/${name}.md`), "");
    },
  });
  for (const [typed, shown] of [
    ["/sta\t", /› \/status$/m],
    ["see no\t", /› see notes\/$/m],
    ["see @reading\t", /› see @notes\/deep\/reading-list\.md$/m],
    ["/reasoning o\t", /→ on/],
    ["/model \t", /› \/model m$/m],
    ["/resume l\t", /› \/resume latest$/m],
  ] as const) {
    pty.type(typed);
    await shows(shown);
    // Ctrl+E, Ctrl+U: the line is empty again.
    pty.type("\u0005\u0015");
    await shows(/^› *$/m);
  }
});

test("a resized terminal keeps one prompt, at the new width", { skip }, async (t) => {
  const { pty, screen, shows } = await startChat(t, {});
  const words = "a draft that is longer than forty columns, so that it has to be wrapped";
  pty.type(words);
  await shows(words.slice(-20));
  screen.resize(40, 24);
  pty.resize(40, 24);
  const view = await shows(/› a draft that is longer than forty\n {2}columns/);
  assert.equal(view.filter((line) => line.startsWith("›")).length, 1);
  screen.resize(80, 24);
  pty.resize(80, 24);
  await shows(`› ${words}`);
  assert.equal((await screen.view()).filter((line) => line.startsWith("›")).length, 1);
});

test("what a plugin writes by itself does not break the line that is typed on", { skip }, async (t) => {
  const { pty, screen, shows } = await startChat(t, {
    prepare: (home) => {
      home.plugin(
        "loud",
        `
        export const register = (ctx) => ctx.register_command({ name: "loud", description: "writes", handler: () => {
          process.stderr.write("from\\u001b[2J the plugin\\n");
          return "returned";
        } });`,
      );
      home.write("config.yaml", `${home.read("config.yaml")}plugins: { enabled: [loud] }\n`);
    },
  });
  pty.type(`/loud${ENTER}`);
  await shows(/from the plugin\n[^]*returned\n+›/);
  assert.ok((await screen.view()).includes("› /loud"));
});

test("a question has the line until it is answered; the draft is back after it", { skip }, async (t) => {
  const { pty, screen, shows } = await startChat(t, {
    columns: 40,
    prepare: (home) => home.write("config.yaml", `${home.read("config.yaml")}plugins: { enabled: [approvals] }\n`),
    replies: [
      { calls: [{ id: "c1", name: "terminal", arguments: JSON.stringify({ command: "echo as''ked" }) }] },
      { text: "the end" },
    ],
  });
  pty.type(`go${ENTER}`);
  pty.type("my draft");
  const view = await shows(/Allow this call\? \[.*\] *$/);
  assert.doesNotMatch(view.join("\n"), /my draft|Esc stops/);
  pty.type(`y${ENTER}`);
  await shows(/asked[^]*the end\n+› my draft/);
  assert.match((await screen.lines()).join("\n"), /Allow this call\? \[.*\] y\n/);
});

test("a question of a single run has the terminal for itself", { skip }, async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "model: { provider: offline }\nplugins: { enabled: [approvals] }\n");
  const pty = home.terminal(["chat", "-q", "run `echo as''ked`"], {}, { columns: 80, rows: 24 });
  t.after(() => pty.kill());
  const screen = screenOf(pty);
  await pty.see("Allow this call?");
  pty.type(`y${ENTER}`);
  assert.equal(await pty.exited, 0);
  const text = (await screen.lines()).join("\n");
  assert.match(text, /Allow this call\? \[.*\] y\n[^]*asked/);
  assert.doesNotMatch(text, /Ctrl\+C stops/);
});

test("Ctrl+Z gives the terminal back to the shell, fg draws the line again", { skip }, async (t) => {
  const home = new Home(t);
  const argv = ["bash", "--norc", "--noprofile", "-i"];
  const pty = startOnPty(argv, { env: home.env(), cwd: home.work, columns: 80, rows: 24 });
  t.after(() => pty.kill());
  const screen = screenOf(pty);
  const shows = (wanted: RegExp) =>
    until(async () => wanted.test((await screen.view()).join("\n")), `the screen shows ${wanted}`, {
      seen: () => pty.output().slice(-2000),
    });
  await shows(/bash-[\d.]+[#$] *$/);
  pty.type(`'${process.execPath}' '${BIN}' chat${ENTER}`);
  await shows(/^› *$/m);
  pty.type("a draft\u001a");
  await shows(/Stopped[^]*bash-[\d.]+[#$] *$/);
  pty.type(`fg${ENTER}`);
  await shows(/› a draft$/);
  pty.type("\u0015\u0004");
  await shows(/bash-[\d.]+[#$] *$/);
  pty.type(`exit${ENTER}`);
  await pty.exited;
});

test("where no shell could continue it, Ctrl+Z changes nothing", { skip }, async (t) => {
  const { pty, shows } = await startChat(t, {});
  pty.type("before\u001a");
  await shows("› before");
  pty.type(" after");
  await shows(/› before after$/);
});
